"""A feed as iCalendar text (RFC 5545, RFC 7986): *when*, and never *what*.

Written by hand, line by line: a year of sessions by a library takes a hundred times as long. Nothing in it tells of the
clinic, a program, a place or a person; the one title is neutral or the patient's own. A session keeps its UID for life,
which is random to everybody (RFC 7986 §5.3); a cancelled one stays and says so (RFC 5546 §3.2.5).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from uuid import UUID
from zoneinfo import ZoneInfo

from api.sessions import feed_zone

PRODUCT = "-//Appointments//Private calendar//EN"
TITLE = {"en": "Appointment", "es": "Cita"}
NAME = {"en": "Appointments", "es": "Citas"}
STATUS = {"scheduled": "CONFIRMED", "cancelled": "CANCELLED"}
REFRESH = "PT6H"
LINE_OCTETS = 75
LOCAL, IN_UTC = "%Y%m%dT%H%M%S", "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Event:
    """One session; `revision` counts from 1 and `revised` is when it came to be, as are the others in seconds of UTC
    since 1970."""

    session_id: str
    starts: int
    ends: int
    status: str
    time_zone: str
    revision: int
    revised: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """What the events are told in. `time_zone` is the patient's, which a feed without events has too."""

    address: str
    salt: bytes
    title: str
    name: str
    time_zone: str
    year: int


def written(calendar: Calendar, events: Sequence[Event]) -> str:
    """The whole feed. Without events it still has a component, the patient's zone (RFC 5545 §3.6)."""
    zones = sorted({calendar.time_zone, *(one.time_zone for one in events)})
    head = _head(calendar, max((one.revised for one in events), default=None))
    title = folded(f"SUMMARY:{escaped(calendar.title)}")
    parts = [head, *(feed_zone.written(zone, calendar.year) for zone in zones)]
    parts += _events(events, calendar.salt, title)
    return "".join([*parts, "END:VCALENDAR\r\n"])


def escaped(text: str) -> str:
    """TEXT as RFC 5545 §3.3.11 has it; other control characters have no place in it."""
    said = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return "".join(c for c in said.replace("\r\n", "\\n").replace("\n", "\\n") if c >= " " and c != "\x7f")


def folded(line: str) -> str:
    """The line, ended, in pieces of 75 octets that cut no character in two (§3.1)."""
    pieces, piece, octets = [], "", 0
    for character in line:
        width = len(character.encode())
        if octets + width > LINE_OCTETS:
            pieces.append(piece)
            piece, octets = " ", 1
        piece, octets = piece + character, octets + width
    return "\r\n".join([*pieces, piece, ""])


def uid(salt: bytes, about: bytes) -> UUID:
    """A UUID (RFC 9562 §5.8) that says nothing of what it is about to anybody who does not have the salt."""
    value = int.from_bytes(blake2b(about, key=salt, digest_size=16).digest(), "big")
    value = value & ~(0xF << 76) | 0x8 << 76
    return UUID(int=value & ~(0b11 << 62) | 0b10 << 62)


def _head(calendar: Calendar, revised: int | None) -> str:
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "CALSCALE:GREGORIAN",
        f"UID:{uid(calendar.salt, b'calendar')}",
        *([f"LAST-MODIFIED:{_instant(revised)}"] if revised is not None else []),
        f"NAME:{escaped(calendar.name)}",
        f"X-WR-CALNAME:{escaped(calendar.name)}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}",
        f"X-PUBLISHED-TTL:{REFRESH}",
        f"SOURCE;VALUE=URI:{calendar.address}",
    ]
    return "".join(folded(line) for line in lines)


def _events(events: Iterable[Event], salt: bytes, title: str) -> Iterable[str]:
    """None of these lines but the title's is ever too long."""
    zones: dict[str, ZoneInfo] = {}
    for one in events:
        zone = zones.get(one.time_zone) or zones.setdefault(one.time_zone, ZoneInfo(one.time_zone))
        revised = _instant(one.revised)
        yield (
            f"BEGIN:VEVENT\r\nUID:{uid(salt, one.session_id.encode())}\r\nDTSTAMP:{revised}\r\n"
            f"LAST-MODIFIED:{revised}\r\nDTSTART{_at(one.starts, zone, one.time_zone)}\r\n"
            f"DTEND{_at(one.ends, zone, one.time_zone)}\r\n{title}"
            f"SEQUENCE:{one.revision - 1}\r\nSTATUS:{STATUS[one.status]}\r\nCLASS:PRIVATE\r\nTRANSP:OPAQUE\r\n"
            "END:VEVENT\r\n"
        )


def _at(seconds: int, zone: ZoneInfo, name: str) -> str:
    """Wall time in its zone. One that comes twice is told in UTC: the standard takes it for the first (§3.3.5), and
    calendars take it for either."""
    there = datetime.fromtimestamp(seconds, zone)
    if there.utcoffset() != there.replace(fold=1 - there.fold).utcoffset():
        return f":{_instant(seconds)}"
    return f";TZID={name}:{there.strftime(LOCAL)}"


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(IN_UTC)

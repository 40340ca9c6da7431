"""Time zones as calendars want them told (RFC 5545 §3.6.5): every change of the offset in a few years, one by one.

Written here from the zone's own rules: the library that the tests read calendars with puts the beginning of daylight
saving time an hour too late. Onsets are wall time by the offset that ends with them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

YEARS = 3
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@lru_cache(maxsize=256)
def written(zone: str, year: int) -> str:
    """The VTIMEZONE of an IANA zone, good from the beginning of `year` for three years."""
    rules, first = ZoneInfo(zone), datetime(year, 1, 1, tzinfo=UTC)
    lines = ["BEGIN:VTIMEZONE", f"TZID:{zone}", *_observance(rules, first, before=first)]
    for onset in _changes(rules, first, datetime(year + YEARS, 1, 1, tzinfo=UTC)):
        lines += _observance(rules, onset, before=onset - SECOND)
    return "\r\n".join([*lines, "END:VTIMEZONE", ""])


def _changes(rules: ZoneInfo, first: datetime, last: datetime) -> Iterator[datetime]:
    """The instants at which the offset changes."""
    day = first
    while day < last:
        if _offset(rules, day) != _offset(rules, day + DAY):
            yield _onset(rules, day, day + DAY)
        day += DAY


def _onset(rules: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The first second of the new offset between the two."""
    old = _offset(rules, before)
    while after - before > SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0) if middle.replace(microsecond=0) > before else before + SECOND
        before, after = (middle, after) if _offset(rules, middle) == old else (before, middle)
    return after


def _observance(rules: ZoneInfo, onset: datetime, *, before: datetime) -> list[str]:
    there, old, new = onset.astimezone(rules), _offset(rules, before), _offset(rules, onset)
    kind = "DAYLIGHT" if there.dst() else "STANDARD"
    return [
        f"BEGIN:{kind}",
        f"DTSTART:{(onset + old).strftime('%Y%m%dT%H%M%S')}",
        f"TZOFFSETFROM:{_written(old)}",
        f"TZOFFSETTO:{_written(new)}",
        f"TZNAME:{there.tzname()}",
        f"END:{kind}",
    ]


def _offset(rules: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(rules).utcoffset() or timedelta()


def _written(offset: timedelta) -> str:
    sign = "-" if offset < timedelta() else "+"
    minutes, seconds = divmod(int(abs(offset).total_seconds()), 60)
    return f"{sign}{minutes // 60:02d}{minutes % 60:02d}" + (f"{seconds:02d}" if seconds else "")

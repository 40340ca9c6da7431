"""What a reminder says, from the entries that it speaks for: when, never what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from api.messages import templates, when
from api.reminders.situation import CHANGES, CHECK_IN
from api.sessions import localtime


@dataclass(frozen=True, slots=True)
class Item:
    """One entry that is said; `kind` as in the ledger, `zone` the session's. A check-in ends when it starts here."""

    kind: str
    session_id: UUID | None
    starts_at: datetime
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Sentence:
    template: str
    text: str


def items(rows: Sequence[Any]) -> tuple[Item, ...]:
    """Rows of the ledger as what a sentence speaks of."""
    return tuple(Item(row.kind, row.session_id, row.starts_at, ZoneInfo(row.time_zone)) for row in rows)


def sentence(said: Sequence[Item], *, language: str, reader: ZoneInfo, at: datetime) -> Sentence:
    """The one sentence for all that is `said`, `at` to somebody who lives by the clocks of `reader`."""
    asked = [one for one in said if one.kind == CHECK_IN]
    changes = _each_session_once([one for one in said if one.kind in CHANGES])
    appointments = _each_session_once([one for one in said if one.kind not in ("cancelled", CHECK_IN)])
    named = appointments or changes or [min(asked, key=lambda one: one.starts_at)]
    template = _template(changes, appointments, reader)
    (day, first), (then, last) = (
        when.parts(one.starts_at, zone=one.zone, reader=reader, at=at, language=language)
        for one in (named[0], named[-1])
    )
    values: dict[str, Any] = {
        "when": f"{day} {first}",
        "then": f"{then} {last}",
        "count": len(appointments),
        "day": day,
        "first": first,
        "last": last,
    }
    more = bool(asked and (appointments or changes))
    return Sentence(template, templates.text(template, language, more=more, **values))


def _template(changes: Sequence[Item], appointments: Sequence[Item], reader: ZoneInfo) -> str:
    if not changes:
        return _of_appointments(appointments, reader) if appointments else CHECK_IN
    others = {one.session_id for one in appointments} - {one.session_id for one in changes}
    if len(changes) == 1 and not others:
        return changes[0].kind
    return "changes_and_one" if appointments else "changes"


def _of_appointments(appointments: Sequence[Item], reader: ZoneInfo) -> str:
    if len(appointments) > 1 and _of_one_day(appointments, reader):
        return "digest"
    return ("appointment", "two_appointments", "appointments")[min(len(appointments), 3) - 1]


def _of_one_day(appointments: Sequence[Item], reader: ZoneInfo) -> bool:
    """Whether the first and the last are of one day by every clock that the sentence may be read by."""
    ends = appointments[0], appointments[-1]
    zones = (reader, *(one.zone for one in ends))
    return all(len({localtime.day_of(one.starts_at, zone) for one in ends}) == 1 for zone in zones)


def _each_session_once(items: Sequence[Item]) -> list[Item]:
    return sorted({one.session_id: one for one in items}.values(), key=lambda one: (one.starts_at, str(one.session_id)))

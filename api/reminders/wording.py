"""What a reminder says, from the entries that it speaks for: when, never what."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from api.messages import templates, when
from api.reminders.plan import CHANGES


@dataclass(frozen=True, slots=True)
class Item:
    """One entry that is said; `kind` as in the ledger, `zone` the session's."""

    kind: str
    session_id: UUID
    starts_at: datetime
    zone: ZoneInfo


def items(rows: Sequence[Any]) -> list[Item]:
    """Rows of the ledger as what a sentence speaks of."""
    return [Item(row.kind, row.session_id, row.starts_at, ZoneInfo(row.time_zone)) for row in rows]


def sentence(said: Sequence[Item], *, language: str, reader: ZoneInfo, at: datetime) -> str:
    """The one sentence for all that is `said`, `at` to somebody who lives by the clocks of `reader`."""
    changes = _each_session_once([one for one in said if one.kind in CHANGES])
    appointments = _each_session_once([one for one in said if one.kind != "cancelled"])

    def spoken(item: Item) -> str:
        return when.said(item.starts_at, zone=item.zone, reader=reader, at=at, language=language)

    template = _template(changes, appointments)
    values: dict[str, Any] = {"count": len(appointments)}
    if named := appointments or changes:
        values |= {"when": spoken(named[0]), "then": spoken(named[-1])}
    return templates.text(template, language, **values)


def _template(changes: Sequence[Item], appointments: Sequence[Item]) -> str:
    if not changes:
        return ("appointment", "two_appointments", "appointments")[min(len(appointments), 3) - 1]
    others = {one.session_id for one in appointments} - {one.session_id for one in changes}
    if len(changes) == 1 and not others:
        return changes[0].kind
    return "changes_and_one" if appointments else "changes"


def _each_session_once(items: Sequence[Item]) -> list[Item]:
    return sorted({one.session_id: one for one in items}.values(), key=lambda one: (one.starts_at, one.session_id))

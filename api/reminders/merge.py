"""What would reach a patient within two hours of another message, or twice in one evening, becomes one."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from api.reminders.plan import Entry, Facts, Said, plan
from api.sessions import localtime

APART = timedelta(hours=2)
EVENING_FROM_HOUR = 17


def merged_plan(facts: Facts, *, at: datetime) -> list[Entry]:
    """The whole plan, each entry in its final state."""
    return merge(plan(facts, at=at), said=facts.said, zone=facts.wishes.quiet.zone)


def merge(entries: Sequence[Entry], *, said: Sequence[Said], zone: ZoneInfo) -> list[Entry]:
    """Hold back what comes too close, naming the entry that takes its place.

    The earlier one stays. A change is news: it gives way to another change only, and a reminder near it gives way
    to the change, unless its own appointment would have begun by then.
    """
    planned = sorted((one for one in entries if one.state == "planned"), key=_order)
    changes = _kept((one for one in planned if one.is_change), [], zone)
    news = [Said(one.key, one.due_at) for one in changes if one.state == "planned"]
    reminders = _kept((one for one in planned if not one.is_change), [*news, *said], zone)
    return [one for one in entries if one.state != "planned"] + changes + reminders


def evening(instant: datetime, zone: ZoneInfo) -> date | None:
    """The day whose evening (17:00 to midnight on the patient's clock) holds `instant`."""
    local = localtime.wall(instant, zone)
    return local.date() if local.hour >= EVENING_FROM_HOUR else None


def clash(one: datetime, other: datetime, zone: ZoneInfo) -> bool:
    """Whether two messages at these times would be one too many."""
    return abs(one - other) <= APART or evening(one, zone) == evening(other, zone) is not None


def _kept(entries: Iterable[Entry], fixed: Sequence[Said], zone: ZoneInfo) -> list[Entry]:
    """`entries` in order of time, those held back that clash with one before them or with a `fixed` one."""
    result: list[Entry] = []
    last: list[Said] = []
    for entry in entries:
        other = next((one for one in [*fixed, *last] if _replaces(one, entry, zone)), None)
        if other is None:
            # Comparing with the last one is enough: in order of time, it is the nearest.
            last = [Said(entry.key, entry.due_at)]
        result.append(entry.held("merged", other.key) if other else entry)
    return result


def _replaces(one: Said, entry: Entry, zone: ZoneInfo) -> bool:
    return one.at < entry.starts_at and clash(one.at, entry.due_at, zone)


def _order(entry: Entry) -> tuple[datetime, datetime, str, str]:
    return entry.due_at, entry.starts_at, str(entry.key.session_id), entry.key.lead

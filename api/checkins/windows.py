"""When a check-in is due: pure arithmetic over a schedule, the patient's zone and the day care began.

A window opens at a local wall time every so many days, counted from the local date of the enrollment's start;
it is overdue and it closes so many wall-clock hours after it opened. `due.py` says the same in SQL, and the two
are tested against each other: a local time that a zone skips or repeats is read as PostgreSQL reads it, at the
later of its two meanings.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often one instrument is asked at one level of care. Hours are local wall-clock hours."""

    instrument: str
    every_days: int
    opens_local: time
    overdue_after_hours: int
    closes_after_hours: int


@dataclass(frozen=True, slots=True)
class Window:
    """One time at which an answer is asked for: `opens_at <= overdue_at <= closes_at`, all UTC."""

    instrument: str
    opens_at: datetime
    overdue_at: datetime
    closes_at: datetime

    def state(self, at: datetime) -> str:
        """`upcoming`, `start`, `overdue` or `closed`; each state begins at its instant."""
        if at < self.opens_at:
            return "upcoming"
        if at < self.overdue_at:
            return "start"
        return "overdue" if at < self.closes_at else "closed"

    def covers(self, at: datetime) -> bool:
        return self.opens_at <= at < self.closes_at


def window_at(schedule: Schedule, *, began_at: datetime, zone: ZoneInfo, at: datetime) -> Window | None:
    """The window that opened last before `at`, perhaps closed by now; None before the first one."""
    number = _number(schedule, _first(schedule, began_at, zone), at.astimezone(zone).replace(tzinfo=None))
    return None if number < 0 else window(schedule, began_at=began_at, zone=zone, number=number)


def next_window(schedule: Schedule, *, began_at: datetime, zone: ZoneInfo, at: datetime) -> Window:
    """The first window that opens after `at`."""
    number = _number(schedule, _first(schedule, began_at, zone), at.astimezone(zone).replace(tzinfo=None))
    return window(schedule, began_at=began_at, zone=zone, number=max(number + 1, 0))


def window(schedule: Schedule, *, began_at: datetime, zone: ZoneInfo, number: int) -> Window:
    """The window with this number, counted from 0 on the day care began."""
    opens = _first(schedule, began_at, zone) + timedelta(days=schedule.every_days * number)
    return Window(
        schedule.instrument,
        opens_at=_instant(opens, zone),
        overdue_at=_instant(opens + timedelta(hours=schedule.overdue_after_hours), zone),
        closes_at=_instant(opens + timedelta(hours=schedule.closes_after_hours), zone),
    )


def _first(schedule: Schedule, began_at: datetime, zone: ZoneInfo) -> datetime:
    began_on: date = began_at.astimezone(zone).date()
    return datetime.combine(began_on, schedule.opens_local)


def _number(schedule: Schedule, first: datetime, local: datetime) -> int:
    return (local - first) // timedelta(days=schedule.every_days)


def _instant(local: datetime, zone: ZoneInfo) -> datetime:
    readings = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return max(readings)

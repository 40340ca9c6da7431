"""The sessions that a series' rule makes: some weeks ahead, further with time, and anew when the rule changes."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from api import db
from api.sessions import localtime, recurrence, shut
from api.sessions.models import CareSession, Details, SessionSeries

HORIZON = timedelta(weeks=12)
# A series is extended by a week at a time, so that its members' versions do not rise every day.
STEP = timedelta(weeks=1)
A_DAY = timedelta(days=1)
HANDED_DOWN = (
    "kind",
    "title",
    "title_es",
    "modality",
    "facilitator",
    "location_id",
    "room",
    "program_slug",
    "time_zone",
    "join_url",
)


@dataclass
class Changes:
    """What became of a series' coming sessions, by session id. ``unseen``: cancelled ones of which something else
    changed, which is no news."""

    made: list[UUID] = field(default_factory=list)
    moved: list[UUID] = field(default_factory=list)
    cancelled: list[UUID] = field(default_factory=list)
    restored: list[UUID] = field(default_factory=list)
    altered: list[UUID] = field(default_factory=list)
    unseen: list[UUID] = field(default_factory=list)

    @property
    def followed(self) -> list[UUID]:
        """The sessions whose places have to follow."""
        return [*self.moved, *self.cancelled, *self.restored, *self.altered, *self.unseen]


def occurrences(series: SessionSeries) -> list[recurrence.Occurrence]:
    """Every meeting of the rule, past ones included. Raises ``recurrence.RuleRefused``."""
    rule = recurrence.parse(series.rrule)
    return recurrence.expand(rule, series.first_starts_local, ZoneInfo(series.time_zone))


def running_short(*, at: datetime) -> list[UUID]:
    """Series with meetings still to make that no longer reach a horizon ahead, in id order."""
    due = sa.select(SessionSeries.id).where(SessionSeries.made_until < at + HORIZON - STEP)
    return list(db.session().scalars(due.order_by(SessionSeries.id)))


def reconcile(series: SessionSeries, *, at: datetime, before: Collection[date] = ()) -> Changes:
    """Make the sessions that start after ``at`` what the rule and the series' details say, up to the horizon.

    Sessions are recognised by their day in the rule, and one whose day has left it takes over a new day of its week
    where that is plain (see ``_rename``; ``before`` are the days of the rule as it was). One that was changed on its
    own keeps its change; one that is left without a day is cancelled either way, and one whose place is closed then
    by the closure. What has begun stays, and nothing is moved into the past.
    """
    days = {one.on: one for one in occurrences(series)}
    coming = [one for one in days.values() if one.starts_at > at]
    near = [one for one in coming if one.starts_at <= at + HORIZON]
    series.made_until = at + HORIZON if len(near) < len(coming) else None
    existing = {_day(one): one for one in _sessions(series, at)}
    left = [on for on, one in existing.items() if on in before and on not in days and one.starts_at > at]
    _rename(existing, left, [one.on for one in near if one.on not in existing])
    closed = shut.Closures(details_of(series), at=at)
    changes = Changes(made=_make(series, [one for one in near if one.on not in existing], closed))
    for on, session in existing.items():
        if session.starts_at > at:
            _adjust(series, session, days.get(on), changes, closed, at)
    db.session().flush()
    return changes


def details_of(described: Details) -> dict[str, Any]:
    """What a session has from its series."""
    return {name: getattr(described, name) for name in HANDED_DOWN}


def reschedule(session: CareSession, *, starts_at: datetime, ends_at: datetime) -> bool:
    """Put a session at other times; False when they are the ones it has."""
    if (session.starts_at, session.ends_at) == (starts_at, ends_at):
        return False
    session.starts_at, session.ends_at = starts_at, ends_at
    session.revision += 1
    return True


def set_status(session: CareSession, status: str, *, by: UUID | None = None) -> bool:
    """Cancel, ``by`` a closure or else for good, or restore a session; False when it already is."""
    session.cancelled_by = by
    if session.status == status:
        return False
    session.status = status
    session.revision += 1
    return True


def keep_cancelled(session: CareSession) -> None:
    """Let neither the end of the closure that cancelled it nor its series restore it."""
    if session.cancelled and session.cancelled_by is not None:
        session.cancelled_by, session.exception = None, True


def alter(session: CareSession, details: Mapping[str, Any]) -> bool:
    """Give a session other details; False when they are the ones it has."""
    different = {name: value for name, value in details.items() if getattr(session, name) != value}
    for name, value in different.items():
        setattr(session, name, value)
    return bool(different)


def _sessions(series: SessionSeries, at: datetime) -> Iterable[CareSession]:
    """Those to come, by their start or by their day; a series of years has many more behind it."""
    coming = sa.or_(CareSession.starts_at > at, CareSession.occurs_on >= at.date() - A_DAY)
    return db.session().scalars(sa.select(CareSession).where(CareSession.series_id == series.id, coming))


def _day(session: CareSession) -> date:
    assert session.occurs_on is not None, "a session of a series has its day"
    return session.occurs_on


def _rename(existing: dict[date, CareSession], left: Iterable[date], gained: Iterable[date]) -> None:
    """Let sessions whose day has left the rule take over the days that are new in it, in the order of the week.

    Only where a week loses as many as it gains is it plain which one became which; they are moved then, and keep
    what was said about them, also that they were cancelled on their own.
    """
    new = _by_week(gained)
    for monday, old in _by_week(left).items():
        if len(days := new.get(monday, [])) == len(old):
            for before, on in zip(old, days, strict=True):
                session = existing[on] = existing.pop(before)
                session.occurs_on = on


def _by_week(days: Iterable[date]) -> dict[date, list[date]]:
    weeks: dict[date, list[date]] = {}
    for on in sorted(days):
        weeks.setdefault(localtime.monday_of(on), []).append(on)
    return weeks


def _make(series: SessionSeries, days: list[recurrence.Occurrence], closed: shut.Closures) -> list[UUID]:
    length = timedelta(minutes=series.duration_minutes)
    shared = {**details_of(series), "series_id": series.id}
    rows = [{**shared, "id": db.uuid7(), **_meeting(one, one.starts_at + length, closed)} for one in days]
    if rows:
        db.session().execute(sa.insert(CareSession), rows)
    return [row["id"] for row in rows]


def _meeting(one: recurrence.Occurrence, ends_at: datetime, closed: shut.Closures) -> dict[str, Any]:
    by = closed.over(one.starts_at, ends_at)
    status = "scheduled" if by is None else "cancelled"
    times = {"occurs_on": one.on, "starts_at": one.starts_at, "ends_at": ends_at}
    return {**times, "status": status, "cancelled_by": by}


def _adjust(
    series: SessionSeries,
    session: CareSession,
    day: recurrence.Occurrence | None,
    changes: Changes,
    closed: shut.Closures,
    at: datetime,
) -> None:
    if day is None:
        # Should its day come back, the rule makes it anew, without the change it had.
        session.exception = session.exception and session.cancelled and session.cancelled_by is None
        _note(set_status(session, "cancelled"), changes.cancelled, session)
    elif not session.exception and day.starts_at > at:
        _follow_rule(series, session, day, changes, closed)


def _follow_rule(
    series: SessionSeries, session: CareSession, day: recurrence.Occurrence, changes: Changes, closed: shut.Closures
) -> None:
    ends_at = day.starts_at + timedelta(minutes=series.duration_minutes)
    by = closed.over(day.starts_at, ends_at)
    moved = reschedule(session, starts_at=day.starts_at, ends_at=ends_at)
    turned = set_status(session, "scheduled" if by is None else "cancelled", by=by)
    altered = alter(session, details_of(series))
    _note(turned and session.cancelled, changes.cancelled, session)
    _note(turned and not session.cancelled, changes.restored, session)
    _note(moved and not turned and not session.cancelled, changes.moved, session)
    _note(altered and not session.cancelled, changes.altered, session)
    _note((moved or altered) and not turned and session.cancelled, changes.unseen, session)


def _note(happened: bool, where: list[UUID], session: CareSession) -> None:
    if happened:
        session.version += 1
        where.append(session.id)

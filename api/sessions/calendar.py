"""The sessions that a series' rule makes: some weeks ahead, further with time, and anew when the rule changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from api import db
from api.sessions import recurrence
from api.sessions.models import CareSession, SessionSeries

HORIZON = timedelta(weeks=12)
# A series is extended by a week at a time, so that its members' versions do not rise every day.
STEP = timedelta(weeks=1)
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
)


@dataclass
class Changes:
    """What became of a series' coming sessions, by session id."""

    made: list[UUID] = field(default_factory=list)
    moved: list[UUID] = field(default_factory=list)
    cancelled: list[UUID] = field(default_factory=list)
    restored: list[UUID] = field(default_factory=list)
    altered: list[UUID] = field(default_factory=list)


def occurrences(series: SessionSeries) -> list[recurrence.Occurrence]:
    """Every meeting of the rule, past ones included. Raises ``recurrence.RuleRefused``."""
    rule = recurrence.parse(series.rrule)
    return recurrence.expand(rule, series.first_starts_local, ZoneInfo(series.time_zone))


def running_short(*, at: datetime) -> list[UUID]:
    """Series with meetings still to make that no longer reach a horizon ahead, in id order."""
    due = sa.select(SessionSeries.id).where(SessionSeries.made_until < at + HORIZON - STEP)
    return list(db.session().scalars(due.order_by(SessionSeries.id)))


def reconcile(series: SessionSeries, *, at: datetime) -> Changes:
    """Make the sessions that start after ``at`` what the rule and the series' details say, up to the horizon.

    Sessions are recognised by their day in the rule. One that was changed on its own keeps its change; one whose day
    has left the rule is cancelled either way. What has begun stays, and nothing is moved into the past.
    """
    days = {one.on: one for one in occurrences(series)}
    coming = [one for one in days.values() if one.starts_at > at]
    near = [one for one in coming if one.starts_at <= at + HORIZON]
    series.made_until = at + HORIZON if len(near) < len(coming) else None
    existing = {_day(one): one for one in _sessions(series)}
    changes = Changes(made=_make(series, [one for one in near if one.on not in existing]))
    for on, session in existing.items():
        if session.starts_at > at:
            _adjust(series, session, days.get(on), changes, at)
    db.session().flush()
    return changes


def details_of(series: SessionSeries) -> dict[str, Any]:
    """What a session has from its series."""
    return {name: getattr(series, name) for name in HANDED_DOWN}


def reschedule(session: CareSession, *, starts_at: datetime, ends_at: datetime) -> bool:
    """Put a session at other times; False when they are the ones it has."""
    if (session.starts_at, session.ends_at) == (starts_at, ends_at):
        return False
    session.starts_at, session.ends_at = starts_at, ends_at
    session.revision += 1
    return True


def set_status(session: CareSession, status: str) -> bool:
    """Cancel or restore a session; False when it already is."""
    if session.status == status:
        return False
    session.status = status
    session.revision += 1
    return True


def alter(session: CareSession, details: Mapping[str, Any]) -> bool:
    """Give a session other details; False when they are the ones it has."""
    different = {name: value for name, value in details.items() if getattr(session, name) != value}
    for name, value in different.items():
        setattr(session, name, value)
    return bool(different)


def _sessions(series: SessionSeries) -> Iterable[CareSession]:
    return db.session().scalars(sa.select(CareSession).where(CareSession.series_id == series.id))


def _day(session: CareSession) -> date:
    assert session.occurs_on is not None, "a session of a series has its day"
    return session.occurs_on


def _make(series: SessionSeries, days: list[recurrence.Occurrence]) -> list[UUID]:
    length = timedelta(minutes=series.duration_minutes)
    shared = {**details_of(series), "series_id": series.id}
    rows = [
        {**shared, "id": db.uuid7(), "occurs_on": one.on, "starts_at": one.starts_at, "ends_at": one.starts_at + length}
        for one in days
    ]
    if rows:
        db.session().execute(sa.insert(CareSession), rows)
    return [row["id"] for row in rows]


def _adjust(
    series: SessionSeries, session: CareSession, day: recurrence.Occurrence | None, changes: Changes, at: datetime
) -> None:
    if day is None:
        # Should its day come back, the rule makes it anew, without the change it had.
        session.exception = session.exception and session.cancelled
        _note(set_status(session, "cancelled"), changes.cancelled, session)
    elif not session.exception and day.starts_at > at:
        ends_at = day.starts_at + timedelta(minutes=series.duration_minutes)
        moved = reschedule(session, starts_at=day.starts_at, ends_at=ends_at)
        restored = set_status(session, "scheduled")
        _note(restored, changes.restored, session)
        _note(moved and not restored, changes.moved, session)
        _note(alter(session, details_of(series)), changes.altered, session)


def _note(happened: bool, where: list[UUID], session: CareSession) -> None:
    if happened:
        session.version += 1
        where.append(session.id)

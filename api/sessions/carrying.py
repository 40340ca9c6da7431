"""What every change of a series brings with it: the places follow, nobody is in two sessions at once, and whoever plans
by sessions is told."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from api import db, events
from api.sessions import doubles, losses, places
from api.sessions.calendar import Changes
from api.sessions.events import (
    SessionCancelled,
    SessionDetailsChanged,
    SessionFact,
    SessionMoved,
    SessionRestored,
    SessionScheduled,
)
from api.sessions.models import Attendance, CareSession, SeriesMember


def concerned(series_id: UUID, at: datetime) -> set[UUID]:
    """Members, and whoever kept a place in a coming session after leaving: whose versions a change touches."""
    members = sa.select(SeriesMember.patient_id).where(SeriesMember.series_id == series_id, staying(at))
    holders = sa.select(Attendance.patient_id).where(
        Attendance.session_id == CareSession.id,
        Attendance.status == "booked",
        CareSession.series_id == series_id,
        CareSession.starts_at > at,
    )
    return set(db.session().scalars(sa.union(members, holders)))


def staying(at: datetime) -> sa.ColumnElement[bool]:
    """Whether a stay reaches beyond ``at``."""
    return sa.or_(SeriesMember.left_at.is_(None), SeriesMember.left_at > at)


def carry_out(
    changes: Changes, patient_ids: tuple[UUID, ...], *, override: doubles.Override | None, at: datetime
) -> list[losses.Lost]:
    """Let the places of these patients follow; returns what they lost by it. Raises ``doubles.DoubleBooked``."""
    lost = losses.of(changes)
    places.follow(changes.followed)
    places.book([*changes.made, *changes.restored], patient_ids)
    doubles.check([*changes.made, *changes.restored, *changes.moved], patient_ids=patient_ids, override=override)
    for fact, session_ids in _news(changes):
        if session_ids:
            events.announce(fact(tuple(sorted(patient_ids)), tuple(session_ids), at))
    return lost


def _news(changes: Changes) -> tuple[tuple[type[SessionFact], list[UUID]], ...]:
    return (
        (SessionScheduled, changes.made),
        (SessionMoved, changes.moved),
        (SessionCancelled, changes.cancelled),
        (SessionRestored, changes.restored),
        (SessionDetailsChanged, changes.altered),
    )

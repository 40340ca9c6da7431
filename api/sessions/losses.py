"""What a change of a series could not keep: places in sessions that no longer take place, and replies to old times."""

from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.sessions.calendar import Changes
from api.sessions.models import Attendance, CareSession

CANCELLED, MOVED = "cancelled", "moved"


class Lost(NamedTuple):
    """How many patients have a place in the session, and how many of their replies no longer hold: to a cancelled one
    each of them, to a moved one each "yes". A "no" holds whatever becomes of the time."""

    session_id: UUID
    because: str
    places: int
    replies: int


def of(changes: Changes) -> list[Lost]:
    """Asked before the places follow: they still say when the sessions were. In the order of the sessions' times."""
    touched = [*changes.cancelled, *changes.moved, *changes.restored]
    rows = db.session().execute(_counted(touched)) if touched else ()
    return [Lost(row.id, CANCELLED if row.cancelled else MOVED, row.places, row.replies) for row in rows]


def _counted(session_ids: list[UUID]) -> sa.Select[UUID, bool, int, int]:
    cancelled = CareSession.status == "cancelled"
    said_yes = sa.and_(
        Attendance.reply == "attending",
        Attendance.reply_starts_at == Attendance.starts_at,
        Attendance.starts_at != CareSession.starts_at,
    )
    replies = sa.func.count().filter(
        sa.or_(sa.and_(cancelled, Attendance.reply.is_not(None)), sa.and_(~cancelled, said_yes))
    )
    counts = (sa.func.count().label("places"), replies.label("replies"))
    return (
        sa.select(CareSession.id, cancelled.label("cancelled"), *counts)
        .join(Attendance, Attendance.session_id == CareSession.id)
        .where(CareSession.id.in_(session_ids), Attendance.status == "booked")
        .group_by(CareSession.id)
        .having(sa.or_(cancelled, replies > 0))
        .order_by(CareSession.starts_at, CareSession.id)
    )

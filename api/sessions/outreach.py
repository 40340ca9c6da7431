"""Who misses two sessions in a row hears from a person, not from more messages (domain.md §4.7).

In a row are the sessions that the clinic has marked, by their starts: an excuse neither counts nor ends a row, and a
session without a mark tells nothing yet.
"""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.sessions.models import Attendance, CareSession
from api.staff import tasks

CAUSE = "outreach"
IN_A_ROW = 2


def look(*, patient_id: UUID, session_id: UUID, at: datetime) -> None:
    """A mark for the session was recorded: open the task when it makes the last ones missed, close it when they are
    not.

    Marks of what lies further back open nothing again that staff has dealt with.
    """
    last = db.session().execute(_last_marked(patient_id)).all()
    if len(last) < IN_A_ROW or any(row.mark != "absent" for row in last):
        tasks.cause_is_gone(patient_id=patient_id, cause=CAUSE, at=at)
    elif session_id in [row.session_id for row in last]:
        tasks.open_task(patient_id=patient_id, cause=CAUSE, subject_id=session_id, at=at)


def _last_marked(patient_id: UUID) -> sa.Select[UUID, str | None]:
    return (
        sa.select(Attendance.session_id, Attendance.mark)
        .join(CareSession, CareSession.id == Attendance.session_id)
        .where(
            Attendance.patient_id == patient_id,
            Attendance.status == "booked",
            Attendance.mark.in_(("present", "absent")),
            CareSession.status == "scheduled",
        )
        .order_by(Attendance.starts_at.desc(), Attendance.session_id.desc())
        .limit(IN_A_ROW)
    )

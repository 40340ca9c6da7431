"""One patient's place in one session: the row that every act about it takes hold of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors
from api.patients import versions
from api.sessions.models import Attendance, CareSession


@dataclass(frozen=True)
class Place:
    """A session as one patient has it. ``version`` is the number that a write of this transaction stamps."""

    session: CareSession
    attendance: Attendance
    version: int

    def write(self, columns: Mapping[str, Any]) -> None:
        """Set what stands now and stamp it."""
        for name, value in columns.items():
            setattr(self.attendance, name, value)
        self.attendance.version = self.version
        db.session().flush()


class SessionStands(errors.Conflict):
    """Something cannot be done with the session as it stands; ``place`` says how that is."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place


def of_patient(*, patient_id: UUID, session_id: UUID) -> Place:
    """Whose it is stands in the query. Raises ``errors.NotFound`` for absent, released and not yours alike."""
    found = db.session().execute(_one(patient_id, session_id)).first()
    if found is None:
        raise errors.NotFound
    session, attendance = found
    return Place(session, attendance, attendance.version)


def locked(*, patient_id: UUID, session_id: UUID) -> Place:
    """The same, to be written: the patient's version is raised first, and is the lock that makes two writers
    about one patient take turns; what is read after it is what the one before left."""
    version = versions.touch([patient_id]).get(patient_id)
    found = db.session().execute(_one(patient_id, session_id), execution_options={"populate_existing": True}).first()
    if found is None or version is None:
        raise errors.NotFound
    session, attendance = found
    return Place(session, attendance, version)


def _one(patient_id: UUID, session_id: UUID) -> sa.Select[CareSession, Attendance]:
    return (
        sa.select(CareSession, Attendance)
        .join(Attendance, Attendance.session_id == CareSession.id)
        .where(
            Attendance.patient_id == patient_id,
            Attendance.session_id == session_id,
            Attendance.status == "booked",
        )
    )

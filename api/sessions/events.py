"""What this slice announces. Whoever plans by a patient's sessions rewrites the plans of ``patient_ids``."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api import events


@dataclass(frozen=True)
class SessionFact(events.Event):
    """Something happened to sessions, as far as it concerns these patients (in id order, without doubles). ``at`` is
    the present of the transaction; the tables already say what holds.

    The clinic's change of a session that nobody is in announces the fact too, with no patients.
    """

    patient_ids: tuple[UUID, ...]
    session_ids: tuple[UUID, ...]
    at: datetime


@dataclass(frozen=True)
class SessionScheduled(SessionFact):
    """The patients have a place in these sessions that they did not have before."""


@dataclass(frozen=True)
class SessionMoved(SessionFact):
    """The sessions begin or end at another time than before; each session's ``revision`` has risen."""


@dataclass(frozen=True)
class SessionCancelled(SessionFact):
    """The sessions will not take place."""


@dataclass(frozen=True)
class SessionRestored(SessionFact):
    """Cancelled sessions will take place after all."""


@dataclass(frozen=True)
class SessionDetailsChanged(SessionFact):
    """Where, with whom or under which title; not when."""


@dataclass(frozen=True)
class MembershipEnded(SessionFact):
    """The patients no longer have a place in these coming sessions."""


@dataclass(frozen=True)
class PatientSessionFact(events.Event):
    """Something about one patient's place in one session. ``at`` is the present of the transaction."""

    patient_id: UUID
    session_id: UUID
    at: datetime

    @property
    def patient_ids(self) -> tuple[UUID, ...]:
        return (self.patient_id,)

    @property
    def session_ids(self) -> tuple[UUID, ...]:
        return (self.session_id,)


@dataclass(frozen=True)
class ReplyGiven(PatientSessionFact):
    """``reply`` is ``attending`` or ``not_attending``; it may have been given before ``at``."""

    reply: str


@dataclass(frozen=True)
class Arrived(PatientSessionFact):
    """The patient says "I am here", inside the session's window; ``arrived_at`` is by the corrected clock."""

    arrived_at: datetime


@dataclass(frozen=True)
class AttendanceVerified(PatientSessionFact):
    """The clinic's own record: ``mark`` is ``present``, ``absent`` or ``excused``; minutes only where present."""

    mark: str
    minutes: int | None

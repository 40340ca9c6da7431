"""Make-up sessions: another meeting of the same program for a group that a patient misses.

What is offered is asked of the database's own functions, for whoever is named in the transaction: a patient sees no
session without a place in it, and never who or how many are in one. A place is given under the lock of the series,
which every verb about its places holds, so that no race gives the last one twice. Attended minutes count where the
make-up lies: weeks are summed by date.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, events
from api.enrollments.events import EnrollmentEnded, PreviewableChange
from api.patients import versions
from api.sessions import capacity, place
from api.sessions.events import MembershipEnded, SessionScheduled
from api.sessions.models import Attendance, CareSession

AHEAD = timedelta(weeks=4)
MOST = 50
PLACES = capacity.HOUSE["group"]


class PlaceStillKept(place.SessionStands):
    title = "You still have your place"
    detail = "You can still come to this session. If you cannot, say so first; then you can choose a make-up session."
    title_es = "Todavía tiene su lugar"
    detail_es = (
        "Todavía puede venir a esta sesión. Si no puede, dígalo primero; luego podrá elegir una de recuperación."
    )
    retry = "after_refresh"


class MakeUpNotOffered(errors.Conflict):
    title = "That session cannot be taken now"
    detail = "That session has no free place for you at the moment. Please look at the list again."
    title_es = "Esa sesión no se puede tomar ahora"
    detail_es = "Por ahora esa sesión no tiene un lugar libre para usted. Vuelva a mirar la lista."
    retry = "after_refresh"


def offered(*, patient_id: UUID, session_id: UUID, at: datetime) -> Sequence[Any]:
    """Coming meetings that could make up for the patient's session, in order of time, with a free place and at no time
    at which the patient has another session; none for an individual one. Raises ``errors.NotFound``."""
    missed = place.of_patient(patient_id=patient_id, session_id=session_id)
    asked = {"missed": missed.session.id, "since": at, "until": at + AHEAD, "places": PLACES, "most": MOST}
    return db.session().execute(_OFFERED, asked).all()


def book(*, patient_id: UUID, session_id: UUID, make_up_session_id: UUID, at: datetime) -> place.Place:
    """Give the patient a place in another session, for this one.

    Raises ``errors.NotFound``, ``PlaceStillKept``, ``MakeUpNotOffered``.
    """
    place.of_patient(patient_id=patient_id, session_id=session_id)
    db.session().execute(_HOLD, {"chosen": make_up_session_id})
    missed = place.locked(patient_id=patient_id, session_id=session_id)
    _check_missed(missed, at)
    asked = {"missed": session_id, "chosen": make_up_session_id, "since": at, "until": at + AHEAD, "places": PLACES}
    if not db.session().scalar(_BOOK, {**asked, "stamp": missed.version}):
        raise MakeUpNotOffered
    events.announce(SessionScheduled((patient_id,), (make_up_session_id,), at))
    return place.of_patient(patient_id=patient_id, session_id=make_up_session_id)


def on_ended(fact: EnrollmentEnded) -> None:
    """What made up for sessions of an enrollment that ended goes with them, as far as it is still to come."""
    since, at = max(fact.at, fact.recorded_at), fact.recorded_at
    version = versions.touch([fact.patient_id])[fact.patient_id]
    released = db.session().execute(_release(fact, since, version)).all()
    if released:
        events.announce(MembershipEnded((fact.patient_id,), tuple(sorted(one.session_id for one in released)), at))
    for one in released:
        events.announce(
            PreviewableChange(fact.patient_id, "session", "removed", one.starts_at, subject_id=one.session_id)
        )


def _check_missed(missed: place.Place, at: datetime) -> None:
    """Raises ``PlaceStillKept`` for a session that the patient can still come to and has not said no to."""
    says_no = missed.attendance.reply == "not_attending"
    if missed.session.starts_at > at and not missed.session.cancelled and not says_no:
        raise PlaceStillKept(missed)


def _release(fact: EnrollmentEnded, since: datetime, version: int) -> sa.Executable:
    return (
        sa.update(Attendance)
        .where(
            Attendance.patient_id == fact.patient_id,
            Attendance.makes_up_for.is_not(None),
            Attendance.starts_at >= since,
            Attendance.status == "booked",
            Attendance.arrived_at.is_(None),
            Attendance.mark.is_(None),
            Attendance.session_id == CareSession.id,
            CareSession.program_slug == fact.program_slug,
        )
        .values(status="released", version=version)
        .returning(Attendance.session_id, Attendance.starts_at)
        .execution_options(synchronize_session=False)
    )


_INSTANTS = [sa.bindparam(name, type_=sa.DateTime(timezone=True)) for name in ("since", "until")]
_OFFERED = sa.text("SELECT * FROM make_up_sessions(:missed, :since, :until, :places, :most)").bindparams(
    sa.bindparam("missed", type_=sa.Uuid), *_INSTANTS
)
_HOLD = sa.text("SELECT hold_group_of(:chosen)").bindparams(sa.bindparam("chosen", type_=sa.Uuid))
_BOOK = sa.text("SELECT book_make_up(:missed, :chosen, :since, :until, :places, :stamp)").bindparams(
    *(sa.bindparam(name, type_=sa.Uuid) for name in ("missed", "chosen")), *_INSTANTS
)

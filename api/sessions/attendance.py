"""Being there, twice over: the patient says "I am here", and the clinic records who was."""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, events
from api.sessions import phone, place
from api.sessions.events import Arrived, AttendanceVerified
from api.sessions.models import AttendanceMark, SessionArrival


class NotOpenForCheckIn(place.SessionStands):
    title = "Check-in is not open yet"
    detail = "You can check in from 30 minutes before the session starts."
    title_es = "El registro de llegada aún no está abierto"
    detail_es = "Puede registrar su llegada desde 30 minutos antes de que empiece la sesión."
    retry = "later"


class SessionIsCancelled(place.SessionStands):
    title = "The session is cancelled"
    detail = "This session does not take place."
    title_es = "La sesión está cancelada"
    detail_es = "Esta sesión no tiene lugar."
    retry = "after_refresh"


class SessionNotBegun(errors.Conflict):
    title = "The session has not begun"
    detail = "Only an excuse can be recorded before the session begins."
    title_es = "La sesión no ha comenzado"
    detail_es = "Antes de que empiece la sesión solo se puede registrar una excusa."
    retry = "later"


def check_in(
    *,
    patient_id: UUID,
    session_id: UUID,
    arrival_id: UUID,
    at: datetime,
    occurred_at: datetime | None = None,
    sent_at: datetime | None = None,
) -> place.Place:
    """ "I am here", from 30 minutes before the start to the end. Saying it twice is saying it once.

    What was said outside the window is kept as such and is no attendance. Raises ``NotOpenForCheckIn`` only while it
    is still too early now, ``SessionIsCancelled``, ``errors.NotFound``.
    """
    here = place.locked(patient_id=patient_id, session_id=session_id)
    made_at = phone.occurred(occurred_at, sent_at=sent_at, received_at=at)
    placement = "in_window" if here.session.holds(made_at) else "outside_window"
    if _known(here, arrival_id, placement):
        return here
    _check_open(here, at)
    db.session().add(
        SessionArrival(
            patient_id=patient_id,
            session_id=session_id,
            starts_at=here.session.starts_at,
            placement=placement,
            device_id=arrival_id,
            claimed_at=occurred_at,
            sent_at=sent_at,
            occurred_at=made_at,
            received_at=at,
        )
    )
    _let_stand(here, made_at, arrived=placement == "in_window", at=at)
    return here


def record(
    *,
    patient_id: UUID,
    session_id: UUID,
    mark: str,
    minutes: int | None,
    acting_user: str,
    acting_role: str,
    at: datetime,
) -> place.Place:
    """The clinic's own fact beside the patient's. Minutes are attended minutes: the whole session unless given.

    Recording the same again changes nothing; a correction is a further fact. Raises ``errors.NotFound``,
    ``SessionIsCancelled``, ``SessionNotBegun``, ``errors.Invalid``.
    """
    here = place.locked(patient_id=patient_id, session_id=session_id)
    attended = _attended(here, mark, minutes)
    _check_begun(here, mark, at)
    if (here.attendance.mark, here.attendance.minutes) == (mark, attended):
        return here
    owner = {"patient_id": patient_id, "session_id": session_id}
    by = {"acting_user": acting_user, "acting_role": acting_role}
    db.session().add(AttendanceMark(id=db.uuid7(), **owner, mark=mark, minutes=attended, marked_at=at, **by))
    here.write({"mark": mark, "minutes": attended, "marked_at": at})
    events.announce(AttendanceVerified(patient_id, session_id, at, mark=mark, minutes=attended))
    return here


def _known(here: place.Place, arrival_id: UUID, placement: str) -> bool:
    """Whether this very arrival came before, or one that says the same of the session as it now stands."""
    said = sa.select(SessionArrival.device_id).where(
        SessionArrival.patient_id == here.attendance.patient_id,
        SessionArrival.session_id == here.session.id,
        sa.or_(
            SessionArrival.device_id == arrival_id,
            sa.and_(SessionArrival.starts_at == here.session.starts_at, SessionArrival.placement == placement),
        ),
    )
    return db.session().scalar(said.limit(1)) is not None


def _check_open(here: place.Place, at: datetime) -> None:
    if here.session.cancelled:
        raise SessionIsCancelled(here)
    if at < here.session.check_in_opens_at:
        raise NotOpenForCheckIn(here)


def _let_stand(here: place.Place, made_at: datetime, *, arrived: bool, at: datetime) -> None:
    """An arrival in the window stands over one outside of it, whichever came first."""
    if arrived or here.attendance.arrived_at is None:
        here.write({"arrived_at": made_at})
    if arrived:
        events.announce(Arrived(here.attendance.patient_id, here.session.id, at, arrived_at=made_at))


def _attended(here: place.Place, mark: str, minutes: int | None) -> int | None:
    whole = (here.session.ends_at - here.session.starts_at) // timedelta(minutes=1)
    if mark != "present":
        if minutes is not None:
            raise errors.Invalid([("/minutes", "Only who was present attended minutes.")])
        return None
    if minutes is not None and minutes > whole:
        raise errors.Invalid([("/minutes", f"The session lasts {whole} minutes.")])
    return whole if minutes is None else minutes


def _check_begun(here: place.Place, mark: str, at: datetime) -> None:
    if here.session.cancelled:
        raise SessionIsCancelled(here)
    if mark != "excused" and at < here.session.starts_at:
        raise SessionNotBegun

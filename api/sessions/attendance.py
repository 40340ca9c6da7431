"""Being there, twice over: the patient says "I am here", and the clinic records who was."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, events, phoneclock
from api.sessions import joining, outreach, place, room_codes, stay
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
    room_code: str | None = None,
    occurred_at: datetime | None = None,
    sent_at: datetime | None = None,
) -> place.Place:
    """ "I am here", from 30 minutes before the start to the end. Saying it twice is saying it once.

    What was said outside the window is kept as such and is no attendance. The code shown in the room then confirms an
    arrival; a wrong one or none loses nothing, and the right one may follow. Raises ``NotOpenForCheckIn`` only while
    it is still too early now, ``SessionIsCancelled``, ``errors.NotFound``.
    """
    here = place.locked(patient_id=patient_id, session_id=session_id)
    made_at = phoneclock.moment(occurred_at, sent_at=sent_at, received_at=at)
    confirmed = room_codes.right(here.session.location_id, room_code, at=made_at)
    said = _said(here, arrival_id, "checked_in", made_at, confirmed=confirmed)
    return arrive(here, said, claimed_at=occurred_at, sent_at=sent_at, at=at)


def join(
    *,
    patient_id: UUID,
    session_id: UUID,
    arrival_id: UUID,
    at: datetime,
    occurred_at: datetime | None = None,
    sent_at: datetime | None = None,
) -> place.Place:
    """The app opens the link: an arrival by the app's own word. Raises ``SessionIsCancelled``, ``errors.NotFound``, and
    what ``joining.check`` raises."""
    here = place.locked(patient_id=patient_id, session_id=session_id)
    if here.session.cancelled:
        raise SessionIsCancelled(here)
    joining.check(here, at)
    made_at = phoneclock.moment(occurred_at, sent_at=sent_at, received_at=at)
    said = _said(here, arrival_id, "joined", made_at, confirmed=False)
    return arrive(here, said, claimed_at=occurred_at, sent_at=sent_at, at=at)


def arrive(
    here: place.Place, said: SessionArrival, *, claimed_at: datetime | None, sent_at: datetime | None, at: datetime
) -> place.Place:
    """Keep an arrival as it came, and let it stand."""
    if _known(here, said):
        return here
    _check_open(here, at)
    said.claimed_at, said.sent_at, said.received_at = claimed_at, sent_at, at
    db.session().add(said)
    _let_stand(here, said)
    return here


def record(
    *,
    patient_id: UUID,
    session_id: UUID,
    mark: str,
    acting_user: str,
    acting_role: str,
    at: datetime,
    minutes: int | None = None,
    arrived_at: datetime | None = None,
    left_at: datetime | None = None,
) -> place.Place:
    """The clinic's own fact beside the patient's. Minutes are attended ones: the whole session unless they are given,
    or follow from when the patient came or left.

    Recording the same again changes nothing; a correction is a further fact. Raises ``errors.NotFound``,
    ``SessionIsCancelled``, ``SessionNotBegun``, ``errors.Invalid``.
    """
    here = place.locked(patient_id=patient_id, session_id=session_id)
    attended = stay.minutes(here.session, mark=mark, given=minutes, arrived_at=arrived_at, left_at=left_at)
    _check_begun(here, mark, at)
    fact = {"mark": mark, "minutes": attended, "came_at": arrived_at, "left_at": left_at}
    if all(getattr(here.attendance, name) == value for name, value in fact.items()):
        return here
    owner = {"patient_id": patient_id, "session_id": session_id}
    by = {"acting_user": acting_user, "acting_role": acting_role}
    db.session().add(AttendanceMark(id=db.uuid7(), **owner, **fact, marked_at=at, **by))
    here.write({**fact, "marked_at": at})
    outreach.look(patient_id=patient_id, session_id=session_id, at=at)
    events.announce(AttendanceVerified(patient_id, session_id, at, mark=mark, minutes=attended))
    return here


def _said(here: place.Place, arrival_id: UUID, way: str, made_at: datetime, *, confirmed: bool) -> SessionArrival:
    return SessionArrival(
        patient_id=here.attendance.patient_id,
        session_id=here.session.id,
        starts_at=here.session.starts_at,
        placement="in_window" if here.session.holds(made_at) else "outside_window",
        way=way,
        confirmed=confirmed,
        device_id=arrival_id,
        occurred_at=made_at,
    )


def _known(here: place.Place, said: SessionArrival) -> bool:
    """Whether this very arrival came before, or one that says the same of the session as it now stands; what was
    confirmed says what an unconfirmed one does."""
    known = sa.select(SessionArrival.device_id).where(
        SessionArrival.patient_id == said.patient_id,
        SessionArrival.session_id == said.session_id,
        sa.or_(
            SessionArrival.device_id == said.device_id,
            sa.and_(SessionArrival.starts_at == said.starts_at, SessionArrival.placement == said.placement),
        ),
    )
    if said.confirmed:
        known = known.where(SessionArrival.confirmed)
    return db.session().scalar(known.limit(1)) is not None


def _check_open(here: place.Place, at: datetime) -> None:
    if here.session.cancelled:
        raise SessionIsCancelled(here)
    if at < here.session.check_in_opens_at:
        raise NotOpenForCheckIn(here)


def _let_stand(here: place.Place, said: SessionArrival) -> None:
    """An arrival in the window stands over one outside of it, whichever came first; one that was confirmed afterwards
    happened when it was first said."""
    inside = said.placement == "in_window"
    if inside and said.confirmed and here.attendance.arrived:
        here.write({"arrival_confirmed": True})
        return
    if inside or here.attendance.arrived_at is None:
        stands = {"arrived_at": said.occurred_at, "arrival_way": said.way, "arrival_confirmed": said.confirmed}
        here.write(stands)
    if inside:
        events.announce(Arrived(said.patient_id, said.session_id, said.received_at, arrived_at=said.occurred_at))


def _check_begun(here: place.Place, mark: str, at: datetime) -> None:
    if here.session.cancelled:
        raise SessionIsCancelled(here)
    if mark != "excused" and at < here.session.starts_at:
        raise SessionNotBegun

"""Will I come? The patient's answer to one session."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from api import db, events, phoneclock
from api.sessions import moving, place
from api.sessions.events import ReplyGiven
from api.sessions.models import Attendance, SessionReply

_notice = timedelta(hours=24)


class SessionHasChanged(place.SessionStands):
    title = "The session has changed"
    detail = "This session was moved or cancelled since you saw it. Please look at it again before you answer."
    title_es = "La sesión cambió"
    detail_es = "Esta sesión se movió o se canceló desde que la vio. Mírela de nuevo antes de responder."
    retry = "after_refresh"


class GroupIsNotMoved(place.SessionStands):
    title = "A group meets for everyone at once"
    detail = "A group cannot be moved for one person. You can look at make-up sessions for it instead."
    title_es = "Un grupo se reúne para todos a la vez"
    detail_es = "Un grupo no se puede mover para una persona. En su lugar, puede ver sesiones de recuperación."


def use(notice: timedelta) -> None:
    """Take a "no" that comes later than `notice` before the start for a late cancellation."""
    global _notice
    _notice = notice


def reply(
    *,
    patient_id: UUID,
    session_id: UUID,
    answer: str,
    starts_at: datetime,
    at: datetime,
    reason: str | None = None,
    asks_to_move: bool = False,
    occurred_at: datetime | None = None,
    sent_at: datetime | None = None,
) -> place.Place:
    """Record whether the patient will come to the session that, as they saw it, begins at ``starts_at``.

    A "no" holds whatever became of the session; a "yes", or a "no" that asks to move, to a session that has moved or
    is cancelled raises ``SessionHasChanged``. Of replies that come out of order the one made last stands. Never refused
    for being late. Raises ``GroupIsNotMoved``, ``errors.NotFound``.
    """
    here = place.locked(patient_id=patient_id, session_id=session_id)
    seen = starts_at.replace(microsecond=0)
    if asks_to_move and here.session.kind == "group":
        raise GroupIsNotMoved(here)
    if (answer == "attending" or asks_to_move) and (here.session.cancelled or seen != here.session.starts_at):
        raise SessionHasChanged(here)
    said = SessionReply(
        id=db.uuid7(),
        patient_id=patient_id,
        session_id=session_id,
        reply=answer,
        reason=reason,
        starts_at=seen,
        asks_to_move=asks_to_move,
        occurred_at=phoneclock.moment(occurred_at, sent_at=sent_at, received_at=at),
        received_at=at,
    )
    said.late_cancellation = _cancels_late(here, said)
    _take(here, said)
    return here


def _cancels_late(here: place.Place, said: SessionReply) -> bool:
    """Whether a "no" comes so late that nobody else can be given the time. One that only repeats a "no" is as late as
    that was; one to a session that the clinic has moved or cancelled cancels nothing, nor does one after the start."""
    if said.reply != "not_attending":
        return False
    if here.attendance.reply_holds and here.attendance.reply == "not_attending":
        return here.attendance.late_cancellation
    session = here.session
    stands = not session.cancelled and said.starts_at == session.starts_at
    return stands and session.starts_at - _notice < said.occurred_at < session.starts_at


def _take(here: place.Place, said: SessionReply) -> None:
    """Keep what was said, and let it stand if nothing later was. The same again is only said later, not anew."""
    latest = here.attendance.replied_at is None or said.occurred_at >= here.attendance.replied_at
    repeated = _stands_already(here.attendance, said)
    asked_before = here.attendance.asks_to_move
    if not repeated:
        db.session().add(said)
    if latest:
        here.write(_columns(said))
    if latest and not repeated:
        moving.replied(here, asked_before=asked_before, at=said.received_at)
        events.announce(ReplyGiven(said.patient_id, said.session_id, said.received_at, reply=said.reply))


def _stands_already(attendance: Attendance, said: SessionReply) -> bool:
    standing = attendance.reply, attendance.reply_reason, attendance.reply_starts_at, attendance.asks_to_move
    return standing == (said.reply, said.reason, said.starts_at, said.asks_to_move)


def _columns(said: SessionReply) -> dict[str, Any]:
    return {
        "reply": said.reply,
        "reply_reason": said.reason,
        "reply_starts_at": said.starts_at,
        "replied_at": said.occurred_at,
        "late_cancellation": said.late_cancellation,
        "asks_to_move": said.asks_to_move,
    }

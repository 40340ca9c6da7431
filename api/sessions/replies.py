"""Will I come? The patient's answer to one session."""

from datetime import datetime
from typing import Any
from uuid import UUID

from api import db, events
from api.sessions import phone, place
from api.sessions.events import ReplyGiven
from api.sessions.models import Attendance, SessionReply


class SessionHasChanged(place.SessionStands):
    title = "The session has changed"
    detail = "This session was moved or cancelled since you saw it. Please look at it again before you say yes."
    title_es = "La sesión cambió"
    detail_es = "Esta sesión se movió o se canceló desde que la vio. Mírela de nuevo antes de decir que sí."
    retry = "after_refresh"


def reply(
    *,
    patient_id: UUID,
    session_id: UUID,
    answer: str,
    starts_at: datetime,
    at: datetime,
    reason: str | None = None,
    occurred_at: datetime | None = None,
    sent_at: datetime | None = None,
) -> place.Place:
    """Record whether the patient will come to the session that, as they saw it, begins at ``starts_at``.

    A "no" holds whatever became of the session; a "yes" to a session that has moved or is cancelled raises
    ``SessionHasChanged``. Of replies that come out of order the one made last stands. Never refused for being late.
    Raises ``errors.NotFound``.
    """
    here = place.locked(patient_id=patient_id, session_id=session_id)
    seen = starts_at.replace(microsecond=0)
    if answer == "attending" and (here.session.cancelled or seen != here.session.starts_at):
        raise SessionHasChanged(here)
    made_at = phone.occurred(occurred_at, sent_at=sent_at, received_at=at)
    said = SessionReply(
        id=db.uuid7(),
        patient_id=patient_id,
        session_id=session_id,
        reply=answer,
        reason=reason,
        starts_at=seen,
        occurred_at=made_at,
        received_at=at,
    )
    _take(here, said)
    return here


def _take(here: place.Place, said: SessionReply) -> None:
    """Keep what was said, and let it stand if nothing later was. The same again is only said later, not anew."""
    latest = here.attendance.replied_at is None or said.occurred_at >= here.attendance.replied_at
    repeated = _stands_already(here.attendance, said)
    if not repeated:
        db.session().add(said)
    if latest:
        here.write(_columns(said))
    if latest and not repeated:
        events.announce(ReplyGiven(said.patient_id, said.session_id, said.received_at, reply=said.reply))


def _stands_already(attendance: Attendance, said: SessionReply) -> bool:
    standing = attendance.reply, attendance.reply_reason, attendance.reply_starts_at
    return standing == (said.reply, said.reason, said.starts_at)


def _columns(said: SessionReply) -> dict[str, Any]:
    return {
        "reply": said.reply,
        "reply_reason": said.reason,
        "reply_starts_at": said.starts_at,
        "replied_at": said.occurred_at,
    }

"""The patient's door to sessions: which are mine, will I come, and "I am here"."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any
from uuid import UUID

from flask import Response

from api import answering, clock, errors, language, pages
from api.blueprint import Door
from api.hotread import HotAnswer, HotRead
from api.sessions import attendance, listing, place, replies, showing
from schemas.sessions import (
    SessionAnswer,
    SessionCheckInAsk,
    SessionProblem,
    SessionReplyAsk,
    SessionsAnswer,
    SessionsQuery,
)

door = Door("sessions", kind="patient", tag="Sessions")


@door.get("/sessions", operation="listMySessions", scope="sessions:read", summary="My sessions", etag=True, hot=True)
@door.query(SessionsQuery)
@door.answers(SessionsAnswer)
def list_my_sessions(asked: dict[str, Any]) -> Response:
    """Sessions in a window over their starts, in order of time; cancelled ones too, and say so. Polled: send
    If-None-Match."""
    _check_window(asked)
    bound_to = (answering.patient_id(), "my-sessions", asked["since"], asked["until"])
    if asked["page_token"]:
        shown = listing.turned(asked["page_token"], bound_to=bound_to)
    else:
        shown = listing.window(since=asked["since"], until=asked["until"], at=clock.now())
    size = pages.size(asked["page_size"])

    def frame(found: HotAnswer) -> str:
        token = listing.next_token(found.more, shown, bound_to=bound_to) if found.more else None
        following = f',"next_page_token":"{token}"' if token else ""
        return f'{{"items":{found.body}{following}}}'

    asked_for = {"since": shown.since, "until": shown.until, "after": shown.after, "size": size}
    return _hot(listing.MINE, frame=frame, **asked_for)


@door.get(
    "/sessions/<uuid:session_id>",
    operation="getMySession",
    scope="sessions:read",
    summary="One of my sessions",
    refusals=[errors.NotFound],
    etag=True,
    hot=True,
)
@door.answers(SessionAnswer)
def get_my_session(session_id: UUID) -> Response:
    """One of the patient's own sessions, with reply, arrival and attendance."""
    return _hot(listing.ONE, session_id=session_id)


@door.put(
    "/sessions/<uuid:session_id>/reply",
    operation="putMySessionReply",
    scope="sessions:write",
    summary="Say whether I will come",
    refusals=[errors.NotFound, replies.SessionHasChanged],
    problems={409: SessionProblem},
)
@door.asks(SessionReplyAsk)
@door.answers(SessionAnswer)
def put_my_session_reply(said: dict[str, Any], session_id: UUID) -> dict[str, Any]:
    """`not_attending` holds even if the session has moved since. `attending` to a session that has moved or is
    cancelled is a 409 whose `current` is the session as it stands. Of replies that come out of order the one given
    last stands; none is refused for being late."""
    return _with_current(
        lambda: replies.reply(
            patient_id=answering.patient_id(),
            session_id=session_id,
            answer=said["reply"],
            starts_at=said["starts_at"],
            reason=said["reason"],
            occurred_at=said["occurred_at"],
            sent_at=said["sent_at"],
            at=clock.now(),
        )
    )


@door.post(
    "/sessions/<uuid:session_id>/check-in",
    operation="checkInToMySession",
    scope="sessions:write",
    summary="I am here",
    refusals=[errors.NotFound, attendance.NotOpenForCheckIn, attendance.SessionIsCancelled],
    problems={409: SessionProblem},
)
@door.asks(SessionCheckInAsk)
@door.answers(SessionAnswer)
def check_in_to_my_session(said: dict[str, Any], session_id: UUID) -> dict[str, Any]:
    """Open from 30 minutes before the start to the end; twice is once. An arrival that by the corrected clock lies
    outside of that is kept as `outside_window` and is no attendance; it is refused only while it is still too early
    now. Needs no Idempotency-Key: the act converges. The clinic's own record is a separate fact."""
    return _with_current(
        lambda: attendance.check_in(
            patient_id=answering.patient_id(),
            session_id=session_id,
            arrival_id=said["id"],
            occurred_at=said["occurred_at"],
            sent_at=said["sent_at"],
            at=clock.now(),
        )
    )


def _with_current(act: Callable[[], place.Place]) -> dict[str, Any]:
    """What the act leaves; a refusal because of the session as it stands carries that session as ``current``."""
    try:
        return showing.place(act(), language=language.chosen())
    except place.SessionStands as refused:
        refused.extra["current"] = SessionAnswer().dump(showing.place(refused.place, language=language.chosen()))
        raise


def _check_window(asked: dict[str, Any]) -> None:
    since, until = asked["since"], asked["until"]
    if since and until and not since < until <= since + listing.LONGEST:
        raise errors.BadRequest("`to` must lie after `from`, by a year at most.")


def _hot(read: HotRead, *, frame: Callable[[HotAnswer], str] | None = None, **asked: Any) -> Response:
    """The hot answer, in the language that its own tag names; what was asked is the rest of its ETag."""
    variant = blake2b(repr(asked).encode(), digest_size=8).hexdigest()
    return answering.hot(
        read, variant=variant, frame=frame, spoken=listing.language_of, language=language.accepted(), **asked
    )

"""The patient's door to sessions: which are mine, will I come, and "I am here"."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any
from uuid import UUID

from flask import Response

from api import answering, clock, errors, language, pages
from api.blueprint import Door
from api.hotread import HotAnswer, HotRead
from api.sessions import attendance, joining, listing, makeup, place, replies, showing
from schemas.sessions import (
    MakeUpAsk,
    MakeUpOffersAnswer,
    SessionAnswer,
    SessionCheckInAsk,
    SessionJoinAnswer,
    SessionJoinAsk,
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
    refusals=[errors.NotFound, replies.SessionHasChanged, replies.GroupIsNotMoved],
    problems={409: SessionProblem},
)
@door.asks(SessionReplyAsk)
@door.answers(SessionAnswer)
def put_my_session_reply(said: dict[str, Any], session_id: UUID) -> dict[str, Any]:
    """`not_attending` holds even if the session has moved since. `attending` to a session that has moved or is
    cancelled is a 409 whose `current` is the session as it stands. Of replies that come out of order the one given
    last stands; none is refused for being late. With `asks_to_move`, staff looks for another time for an individual
    session, until it is moved, cancelled or begins, or another reply takes the request back; a group is a 409, and has
    make-up sessions instead."""
    return _with_current(
        lambda: replies.reply(
            patient_id=answering.patient_id(),
            session_id=session_id,
            answer=said["reply"],
            starts_at=said["starts_at"],
            reason=said["reason"],
            asks_to_move=said["asks_to_move"],
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
    now. A `room_code` that was shown then makes it `confirmed`; a wrong one or none loses nothing, and the right one
    may follow. Needs no Idempotency-Key: the act converges. The clinic's own record is a separate fact."""
    return _with_current(
        lambda: attendance.check_in(
            patient_id=answering.patient_id(),
            session_id=session_id,
            arrival_id=said["id"],
            room_code=said["room_code"],
            occurred_at=said["occurred_at"],
            sent_at=said["sent_at"],
            at=clock.now(),
        )
    )


@door.post(
    "/sessions/<uuid:session_id>/join",
    operation="joinMySession",
    scope="sessions:write",
    summary="Join by the link",
    refusals=[errors.NotFound, attendance.SessionIsCancelled, *joining.REFUSALS],
    problems={409: SessionProblem},
)
@door.asks(SessionJoinAsk)
@door.answers(SessionJoinAnswer)
def join_my_session(said: dict[str, Any], session_id: UUID) -> dict[str, Any]:
    """Gives the link of a telehealth or hybrid session from 15 minutes before the start to the end, and keeps an
    arrival by the app's own word; nothing else tells the link. Twice is once. Needs no Idempotency-Key: the act
    converges."""
    joined: list[place.Place] = []

    def act() -> place.Place:
        joined.append(
            attendance.join(
                patient_id=answering.patient_id(),
                session_id=session_id,
                arrival_id=said["id"],
                occurred_at=said["occurred_at"],
                sent_at=said["sent_at"],
                at=clock.now(),
            )
        )
        return joined[0]

    return {"session": _with_current(act), "join_url": joined[0].session.join_url}


@door.get(
    "/sessions/<uuid:session_id>/make-up-sessions",
    operation="listMyMakeUpSessions",
    scope="sessions:read",
    summary="What could make up for one of my sessions",
    refusals=[errors.NotFound],
)
@door.answers(MakeUpOffersAnswer)
def list_my_make_up_sessions(session_id: UUID) -> dict[str, Any]:
    """Meetings of the same program in the next four weeks that have a free place and lie beside the patient's other
    sessions; none for an individual session, one that was attended, or one that is made up for already."""
    found = makeup.offered(patient_id=answering.patient_id(), session_id=session_id, at=clock.now())
    spoken = language.chosen()
    return {"items": [showing.offer(one, language=spoken) for one in found]}


def _place(session_id: UUID) -> dict[str, Any]:
    here = place.of_patient(patient_id=answering.patient_id(), session_id=session_id)
    return showing.place(here, language=language.chosen())


@door.post(
    "/sessions/<uuid:session_id>/make-up",
    operation="bookMyMakeUpSession",
    scope="sessions:write",
    summary="Take part in another session instead",
    refusals=[errors.NotFound, makeup.PlaceStillKept, makeup.MakeUpNotOffered],
    problems={409: SessionProblem},
    idempotent=True,
    replay=_place,
)
@door.asks(MakeUpAsk)
@door.answers(SessionAnswer, status=201)
def book_my_make_up_session(asked: dict[str, Any], session_id: UUID) -> dict[str, Any]:
    """A place in one of the sessions that are offered. The missed session must have begun, be cancelled, or have been
    answered with `not_attending`. A make-up that is cancelled or answered with `not_attending` makes way for another.
    """
    chosen = asked["make_up_session_id"]
    booked = _with_current(
        lambda: makeup.book(
            patient_id=answering.patient_id(), session_id=session_id, make_up_session_id=chosen, at=clock.now()
        )
    )
    answering.made(chosen, location=f"/v1/me/sessions/{chosen}")
    return booked


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

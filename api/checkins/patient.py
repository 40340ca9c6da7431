"""The patient's door to check-ins. Crisis help stands beside everything that it answers, refusals included."""

import hashlib
from typing import Any
from uuid import UUID

import marshmallow as ma
from flask import Response, request

from api import answering, body, clock, db, errors, language, observe
from api.blueprint import Door
from api.checkins import help as crisis_help
from api.checkins import keeping, mine, safety, showing, words
from api.checkins import service as checkins
from api.checkins.models import Kept
from schemas.checkins import (
    CheckInAnswer,
    CheckInAsk,
    CheckInProblem,
    CheckInsAnswer,
    CheckInsQuery,
    DueCheckInsAnswer,
    TrendsAnswer,
    TrendsQuery,
)

door = Door("checkins", kind="patient", tag="Check-ins")

SUBMIT = "submitCheckIn"
LONGEST_PLAIN = 65_536
_CHECK_IN = CheckInAsk()


def look_first(caller: db.Caller, raw: bytes) -> None:
    """Before anything may refuse the body: are there safety answers in it? Then the alert outlives the refusal,
    and the refusal carries the help."""
    seen, patient_id, at = safety.read(raw), answering.patient_id(), clock.now()
    hits = safety.hits(seen)
    answering.add_to_refusal(help_first=bool(hits), help=_help(language.accepted()))
    if hits:
        source = _source(seen, raw)
        db.after_rollback(lambda: checkins.alert(patient_id=patient_id, hits=hits, source=source, at=at))


def refusals_carry() -> dict[str, Any]:
    """Help stands in every refusal, also where nobody is signed in, the body is too long or the database is away. An
    alert needs a sign-in that stands: an ended one no longer says who holds the phone."""
    return {"help": crisis_help.without_asking(at=clock.now(), language=language.accepted())}


def at_once(caller: db.Caller) -> Response | None:
    """A check-in with nothing unusual about it, which asks nothing further of anybody, is kept in one statement. All
    others, the refused ones too, are for the transaction: it alone looks first, alerts and opens tasks."""
    plain = request.mimetype == body.JSON and not request.query_string and "Content-Encoding" not in request.headers
    if not plain or "checkins:write" not in caller.scopes or len(request.get_data()) > LONGEST_PLAIN:
        return None
    at = clock.now()
    try:
        row = checkins.read(_CHECK_IN.load(body.parse(request.get_data())), at)
    except (errors.Refusal, ma.ValidationError):
        return None
    if row["safety"] or row["total"] is not None:
        return None
    note = observe.note()
    outcome = keeping.keep_at_once(caller=caller, row=row, operation=SUBMIT, request_id=note.request_id)
    if outcome is None or caller.patient_id is None:
        return None
    spoken = outcome.language or language.accepted()
    kept = keeping.answered(patient_id=caller.patient_id, row=row, outcome=outcome)
    return _answer(kept, help=crisis_help.in_public(at=at, language=spoken), spoken=spoken)


@door.post(
    "/check-ins",
    operation=SUBMIT,
    scope="checkins:write",
    summary="Answer a questionnaire",
    refusals=[checkins.UnknownInstrument],
    problems={"any": CheckInProblem},
    throttled=False,
    looks_first=look_first,
    refusals_carry=refusals_carry,
    at_once=at_once,
)
@door.asks(CheckInAsk)
@door.answers(CheckInAnswer, status=201)
def submit_check_in(asked: dict[str, Any]) -> Response:
    """Late, partial, outside a window, from an older version or after discharge: it is kept, and flagged. Without an
    answer to every scored item there is no total. `help` stands beside every answer, and first where an answer
    says that somebody may be in danger; then the clinic's duty staff is told, if it has named anybody, even if the
    request is refused. The same `id` again is the same check-in. This operation is never refused for asking too
    often."""
    patient_id, at = answering.patient_id(), clock.now()
    done = checkins.submit(patient_id=patient_id, asked=asked, at=at)
    spoken = done.language or language.accepted()
    answering.made(done.kept.id)
    return _answer(done.kept, help=_help(spoken), spoken=spoken, asks_for_help=done.asks_for_help, told=done.told)


@door.get("/check-ins/due", operation="listMyDueCheckIns", scope="checkins:read", summary="What is due")
@door.answers(DueCheckInsAnswer)
def list_my_due_check_ins() -> dict[str, Any]:
    """What the patient's level of care asks now and is not answered yet: `start` until `overdue_at`, then `overdue`
    until `closes_at`. `who_sees` is to be shown before the first question."""
    patient_id, at, spoken = answering.patient_id(), clock.now(), language.chosen()
    return {
        "help": _help(spoken),
        "who_sees": showing.said(words.WHO_SEES, spoken),
        "items": mine.due_now(patient_id=patient_id, at=at, language=spoken),
        "next_change_at": mine.next_change(patient_id=patient_id, at=at),
    }


@door.get("/check-ins", operation="listMyCheckIns", scope="checkins:read", summary="My check-ins, newest first")
@door.query(CheckInsQuery)
@door.answers(CheckInsAnswer)
def list_my_check_ins(query: dict[str, Any]) -> dict[str, Any]:
    """Everything that the patient ever answered, with the numbers and without bands."""
    items, more = mine.listed(
        patient_id=answering.patient_id(),
        instrument=query["instrument"],
        asked=query["page_size"],
        page_token=query["page_token"],
        bound_to=("my-check-ins",),
    )
    return {
        "help": _help(language.chosen()),
        "items": [showing.summary(one) for one in items],
        "next_page_token": more,
    }


@door.get("/check-ins/trends", operation="getMyCheckInTrends", scope="checkins:read", summary="My numbers over time")
@door.query(TrendsQuery)
@door.answers(TrendsAnswer)
def get_my_check_in_trends(query: dict[str, Any]) -> dict[str, Any]:
    """One line per number, the oldest first. Nothing here judges them, and a day without a check-in takes nothing
    away."""
    found = mine.trends(patient_id=answering.patient_id(), at=clock.now(), **query)
    return {"help": _help(language.chosen()), **found}


@door.get(
    "/check-ins/<uuid:check_in_id>",
    operation="getMyCheckIn",
    scope="checkins:read",
    summary="One of my check-ins",
    refusals=[errors.NotFound],
)
@door.answers(CheckInAnswer)
def get_my_check_in(check_in_id: UUID) -> dict[str, Any]:
    """By the id that the phone gave it."""
    kept = checkins.one(patient_id=answering.patient_id(), check_in_id=check_in_id)
    spoken = language.chosen()
    return showing.one(kept, help=_help(spoken), language=spoken)


def _answer(kept: Kept, *, help: dict[str, Any], spoken: str, **of_request: bool) -> Response:
    headers = {"Location": f"/v1/me/check-ins/{kept.id}", "Content-Language": spoken}
    return Response(showing.as_json(kept, help=help, language=spoken, **of_request), 201, headers, mimetype=body.JSON)


def _help(spoken: str) -> dict[str, Any]:
    return crisis_help.beside(at=clock.now(), language=spoken)


def _source(seen: object, raw: bytes) -> str:
    """Names the body: by its own id if it has a readable one, so that a corrected body is the same hit."""
    sent = seen.get("id") if isinstance(seen, dict) else None
    try:
        return checkins.source(UUID(str(sent)))
    except ValueError:
        return f"body:{hashlib.sha256(raw).hexdigest()}"

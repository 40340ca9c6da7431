"""The clinic's door to what patients asked not to be told."""

from typing import Any
from uuid import UUID

from api import answering, clock
from api.blueprint import Door
from api.privacy import restrictions
from api.privacy.models import Restriction
from schemas.restrictions import (
    RestrictionAnswer,
    RestrictionAnswerAsk,
    RestrictionEndAsk,
    RestrictionsAnswer,
    RestrictionsQuery,
)

door = Door("restrictions", kind="clinic", tag="Privacy")


@door.get(
    "/restriction-requests",
    operation="listRestrictions",
    scope="privacy:read",
    summary="What patients asked not to be told, the longest waiting first",
)
@door.query(RestrictionsQuery)
@door.answers(RestrictionsAnswer)
def list_restrictions(query: dict[str, Any]) -> dict[str, Any]:
    """Those of all patients; `status=requested` are the ones that wait for an answer."""
    items, more = restrictions.page(
        status=query["status"],
        asked=query["page_size"],
        page_token=query["page_token"],
        bound_to=("restrictions", answering.caller().client_id),
    )
    answering.about_each(one.patient_id for one in items)
    return {"items": items, "next_page_token": more}


@door.post(
    "/restriction-requests/<uuid:restriction_id>/answer",
    operation="answerRestriction",
    scope="privacy:write",
    summary="Agree or decline",
    refusals=[restrictions.AlreadyAnswered, restrictions.TakenBack],
)
@door.asks(RestrictionAnswerAsk)
@door.answers(RestrictionAnswer)
def answer_restriction(asked: dict[str, Any], restriction_id: UUID) -> Restriction:
    """Agreed: the gate tells none of it from the next read on, whatever a consent allows. The same again is once."""
    by, role = _acting()
    return _about(
        restrictions.answer(
            restriction_id=restriction_id,
            agreed=asked["agreed"],
            words=asked["answer"],
            by=by,
            role=role,
            at=clock.now(),
        )
    )


@door.post(
    "/restriction-requests/<uuid:restriction_id>/end",
    operation="endRestriction",
    scope="privacy:write",
    summary="End what was agreed to",
    refusals=[restrictions.NotAgreedTo, restrictions.TakenBack],
)
@door.asks(RestrictionEndAsk)
@door.answers(RestrictionAnswer)
def end_restriction(asked: dict[str, Any], restriction_id: UUID) -> Restriction:
    """The patient said so by other ways than the app, or was told why it ends (45 CFR 164.522(a)(2)). Again is once."""
    by, role = _acting()
    return _about(
        restrictions.end(restriction_id=restriction_id, reason=asked["reason"], by=by, role=role, at=clock.now())
    )


def _about(found: Restriction) -> Restriction:
    answering.about(found.patient_id)
    return found


def _acting() -> tuple[str, str]:
    caller = answering.caller()
    return caller.acting_user or "", caller.acting_role or ""

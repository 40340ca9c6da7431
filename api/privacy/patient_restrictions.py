"""The patient's door to asking that something not be told, and to taking that back. Taking back lets more be told, as
giving a consent does, and needs a fresh sign-in as that does; asking needs none."""

from typing import Any
from uuid import UUID

from api import answering, clock
from api.blueprint import Door
from api.privacy import drafts, restrictions
from api.privacy.models import Restriction
from schemas.restrictions import MyRestrictionAnswer, MyRestrictionsAnswer, MyRestrictionsQuery, RestrictionAsk

door = Door("restrictions", kind="patient", tag="Privacy")


def replayed_restriction(restriction_id: UUID) -> Restriction:
    return restrictions.one(restriction_id=restriction_id, patient_id=answering.patient_id())


@door.get(
    "/restriction-requests",
    operation="listMyRestrictions",
    scope="privacy:read",
    summary="What I asked not to be told",
)
@door.query(MyRestrictionsQuery)
@door.answers(MyRestrictionsAnswer)
def list_my_restrictions(query: dict[str, Any]) -> dict[str, Any]:
    """The latest first, each with the clinic's answer."""
    patient_id = answering.patient_id()
    items, more = restrictions.page(
        patient_id=patient_id,
        asked=query["page_size"],
        page_token=query["page_token"],
        bound_to=("my restrictions", patient_id),
    )
    return {"items": items, "next_page_token": more}


@door.post(
    "/restriction-requests",
    operation="askForMyRestriction",
    scope="privacy:write",
    summary="Ask that something not be told",
    idempotent=True,
    replay=replayed_restriction,
    refusals=[drafts.UnknownRecipient],
)
@door.asks(RestrictionAsk)
@door.answers(MyRestrictionAnswer, status=201)
def ask_for_my_restriction(asked: dict[str, Any]) -> Restriction:
    """The clinic answers; until it has agreed, nothing changes. What must not be told at once is done by taking a
    consent back."""
    made = restrictions.ask(patient_id=answering.patient_id(), at=clock.now(), **asked)
    answering.made(made.id)
    return made


@door.post(
    "/restriction-requests/<uuid:restriction_id>/withdrawal",
    operation="withdrawMyRestriction",
    scope="privacy:write",
    summary="Take back what I asked not to be told",
    refusals=[restrictions.NothingToTakeBack],
    steps_up=True,
)
@door.answers(MyRestrictionAnswer)
def withdraw_my_restriction(restriction_id: UUID) -> Restriction:
    """Whether it still waits or was agreed to. From the next read on it takes nothing away any more from what my
    permissions allow. Taking back again is taking back once."""
    return restrictions.withdraw(patient_id=answering.patient_id(), restriction_id=restriction_id, at=clock.now())

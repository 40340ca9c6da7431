"""The clinic's door to referrals: read them, take them on, and decide."""

from typing import Any
from uuid import UUID

from api import answering, clock
from api.blueprint import Door
from api.referrals import desk, states, triage
from schemas.triage import (
    DecisionAsk,
    ReferralClaimAsk,
    ReferralStandsProblem,
    TriagedReferralAnswer,
    TriagedReferralsAnswer,
    TriageQuery,
)

door = Door("referrals", kind="clinic", tag="Referrals")

FILTERS = ("state", "origin", "overdue", "withdrawn_late")
STANDS = {409: ReferralStandsProblem, 412: ReferralStandsProblem}


def shown(referral_id: UUID) -> dict[str, Any]:
    """The referral as it stands, for the answer, its tag and the audit."""
    answering.made(referral_id)
    told = desk.one(referral_id)
    if (patient_id := told["patient_id"]) is not None:
        answering.about(patient_id)
    answering.set_version(told["version"])
    return told


def acting() -> tuple[str, str]:
    """The person at the clinic for whom the system acts, and their role."""
    caller = answering.caller()
    return caller.acting_user or "", caller.acting_role or ""


@door.get(
    "/referrals",
    operation="listReferralsToTriage",
    scope="referrals:read",
    summary="Referrals that need a decision, the soonest and oldest first",
)
@door.query(TriageQuery)
@door.answers(TriagedReferralsAnswer)
def list_referrals(query: dict[str, Any]) -> dict[str, Any]:
    """From partners and from people who ask for themselves. There is no urgency of an emergency: those call 911."""
    items, more = desk.page(
        filters={name: query[name] for name in FILTERS},
        asked=query["page_size"],
        page_token=query["page_token"],
        bound_to=("triage", answering.caller().client_id),
    )
    answering.about_each(one["patient_id"] for one in items)
    return {"items": items, "next_page_token": more}


@door.get(
    "/referrals/<uuid:referral_id>",
    operation="getReferralToTriage",
    scope="referrals:read",
    summary="One referral with what happened to it",
    etag=True,
)
@door.answers(TriagedReferralAnswer)
def get_referral(referral_id: UUID) -> dict[str, Any]:
    """All that was sent, where it stands, and each step with who took it. Nothing of that is ever overwritten."""
    return shown(referral_id)


@door.post(
    "/referrals/<uuid:referral_id>/claim",
    operation="claimReferral",
    scope="referrals:write",
    summary="Take a referral on",
    refusals=[triage.ReferralTaken, states.StepNotAllowed],
    problems=STANDS,
)
@door.asks(ReferralClaimAsk)
@door.answers(TriagedReferralAnswer)
def claim_referral(asked: dict[str, Any], referral_id: UUID) -> dict[str, Any]:
    """Others see who has it. Claiming again by the same person is claiming once."""
    by, role = acting()
    triage.claim(referral_id=referral_id, by=by, role=role, at=clock.now(), **asked)
    return shown(referral_id)


@door.delete(
    "/referrals/<uuid:referral_id>/claim",
    operation="releaseReferral",
    scope="referrals:write",
    summary="Give a referral back",
)
@door.answers(None, status=204)
def release_referral(referral_id: UUID) -> None:
    """For somebody else to take on. Releasing what is not one's own changes nothing."""
    by, role = acting()
    answering.made(referral_id)
    triage.release(referral_id=referral_id, by=by, role=role, at=clock.now())


@door.post(
    "/referrals/<uuid:referral_id>/decisions",
    operation="decideReferral",
    scope="referrals:write",
    summary="Decide what becomes of a referral",
    idempotent=True,
    replay=shown,
    if_match=True,
    refusals=[triage.DecidedMeanwhile, states.StepNotAllowed, states.ReasonMissing, states.SubStatusDoesNotFit],
    problems=STANDS,
)
@door.asks(DecisionAsk)
@door.answers(TriagedReferralAnswer)
def decide_referral(asked: dict[str, Any], referral_id: UUID) -> dict[str, Any]:
    """Of two who decide at once one wins, and the other is told how it stands now. A partner reads of it only as far as
    a consent of the patient's allows."""
    by, role = acting()
    triage.decide(
        referral_id=referral_id,
        decision=triage.Decision(**asked),
        expected=answering.expected_version(),
        by=by,
        role=role,
        at=clock.now(),
    )
    return shown(referral_id)


@door.post(
    "/referrals/<uuid:referral_id>/withdrawal-note",
    operation="noteReferralWithdrawal",
    scope="referrals:write",
    summary="Say that a late withdrawal was looked at",
)
@door.answers(TriagedReferralAnswer)
def note_withdrawal(referral_id: UUID) -> dict[str, Any]:
    """A sender took the referral back when it had ended or led to an admission, which undid nothing. Again is once."""
    by, role = acting()
    triage.note_withdrawal(referral_id=referral_id, by=by, role=role, at=clock.now())
    return shown(referral_id)

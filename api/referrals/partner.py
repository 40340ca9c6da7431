"""A partner's door to its referrals: send somebody here, and see what became of it as far as they allow."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from flask import request

from api import answering, clock, errors, language, vocabulary
from api.blueprint import Door
from api.referrals import documents, intake, service, showing, snapshots, states
from api.referrals.visible import Visible
from schemas.base import Dumped
from schemas.referrals import (
    AboutReferralsAnswer,
    ReferralAnswer,
    ReferralAsk,
    ReferralCancellationAsk,
    ReferralPatch,
    ReferralsAnswer,
    ReferralsQuery,
    ReferralStandingProblem,
    ReferralWithdrawalAsk,
)

door = Door("referrals", kind="partner", tag="Referrals")
PDF = "application/pdf"
STANDS = {409: ReferralStandingProblem}
UNFIT = (snapshots.UnknownProgram, snapshots.NoWayToReach, snapshots.NotToBeContacted)


def _partner() -> UUID:
    found = answering.caller().client_id
    assert found is not None, "not a partner's door"
    return found


def _shown(seen: Visible) -> dict[str, Any]:
    """With its tag, and with what every answer says besides."""
    about = intake.beside(at=clock.now(), language=language.chosen())
    answering.set_version(seen.tag(about.mark))
    return showing.referral(seen, _dumped(about))


@lru_cache(maxsize=intake.MOST_KEPT)
def _dumped(about: intake.About) -> Dumped:
    """It is most of an answer, and the same in every one."""
    return Dumped(AboutReferralsAnswer().dump(about.words))


def _again(referral_id: UUID) -> dict[str, Any]:
    """A replay is a read of today: it shows what may be seen now."""
    return _shown(service.get(client_id=_partner(), referral_id=referral_id, at=clock.now()))


def _expected() -> service.Expected:
    marks = (intake.beside(at=clock.now(), language=one).mark for one in vocabulary.LANGUAGES)
    return service.Expected(answering.expected_version(), tuple(marks))


@door.post(
    "/referrals",
    operation="createReferral",
    scope="referrals:write",
    summary="Refer a person",
    idempotent=True,
    replay=_again,
    refusals=UNFIT,
)
@door.asks(ReferralAsk)
@door.answers(ReferralAnswer, status=201)
def create_referral(asked: dict[str, Any]) -> dict[str, Any]:
    """The answer is the same whether or not the clinic knows the person; matching is the clinic's act, later. A further
    referral of the same person by the same partner is taken, and `possible_duplicates` points it out."""
    seen = service.refer(client_id=_partner(), asked=asked, at=clock.now())
    answering.made(seen.referral.id, location=f"/v1/partner/referrals/{seen.referral.id}")
    return _shown(seen)


@door.get("/referrals", operation="listReferrals", scope="referrals:read", summary="The partner's own referrals")
@door.query(ReferralsQuery)
@door.answers(ReferralsAnswer)
def list_referrals(query: dict[str, Any]) -> dict[str, Any]:
    """In the order in which they were sent. Poll not more often than every 15 minutes, or let a webhook say when. One
    in which nothing was done for a long time leaves the list; what a consent still releases is read by its id."""
    at = clock.now()
    seen, more = service.page(client_id=_partner(), **query, at=at)
    about = intake.beside(at=at, language=language.chosen())
    return {"items": [showing.referral(one) for one in seen], "next_page_token": more, "about": _dumped(about)}


@door.get(
    "/referrals/<uuid:referral_id>",
    operation="getReferral",
    scope="referrals:read",
    summary="One referral",
    etag=True,
)
@door.answers(ReferralAnswer)
def get_referral(referral_id: UUID) -> dict[str, Any]:
    """Without the person's consent that names this partner, it says `received` and what the partner sent. What a
    consent releases comes with `release`: its scope, and the notice that must stay with it. Each such answer, a 304
    too, is written down for the person to read."""
    return _shown(service.get(client_id=_partner(), referral_id=referral_id, at=clock.now()))


@door.patch(
    "/referrals/<uuid:referral_id>",
    operation="amendReferral",
    scope="referrals:write",
    summary="Amend a referral",
    if_match=True,
    refusals=(*UNFIT, states.StepNotAllowed),
    problems=STANDS,
)
@door.asks(ReferralPatch)
@door.answers(ReferralAnswer)
def amend_referral(changes: dict[str, Any], referral_id: UUID) -> dict[str, Any]:
    """While it stands at `received`. Every change is kept with its time."""
    return _shown(
        service.amend(
            client_id=_partner(), referral_id=referral_id, changes=changes, expected=_expected(), at=clock.now()
        )
    )


@door.post(
    "/referrals/<uuid:referral_id>/cancellation",
    operation="cancelReferral",
    scope="referrals:write",
    summary="Cancel a referral",
    if_match=True,
    refusals=(states.StepNotAllowed,),
    problems=STANDS,
)
@door.asks(ReferralCancellationAsk)
@door.answers(ReferralAnswer)
def cancel_referral(asked: dict[str, Any], referral_id: UUID) -> dict[str, Any]:
    """It is not asked for any more. Care that has begun is not ended by it. The same again is done once."""
    return _shown(
        service.cancel(client_id=_partner(), referral_id=referral_id, **asked, expected=_expected(), at=clock.now())
    )


@door.post(
    "/referrals/<uuid:referral_id>/withdrawal",
    operation="withdrawReferral",
    scope="referrals:write",
    summary="Take back a referral sent in error",
    if_match=True,
    refusals=(states.StepNotAllowed,),
    problems=STANDS,
)
@door.asks(ReferralWithdrawalAsk)
@door.answers(ReferralAnswer)
def withdraw_referral(asked: dict[str, Any], referral_id: UUID) -> dict[str, Any]:
    """It should never have been sent: `entered_in_error`. The same again is done once."""
    return _shown(
        service.withdraw(client_id=_partner(), referral_id=referral_id, **asked, expected=_expected(), at=clock.now())
    )


@door.put(
    "/referrals/<uuid:referral_id>/document",
    operation="putReferralDocument",
    scope="referrals:write",
    summary="Send the signed form",
    takes=PDF,
    refusals=(documents.NotAPdf, documents.TooManyDocuments, states.StepNotAllowed),
    problems=STANDS,
)
@door.answers(ReferralAnswer)
def put_referral_document(referral_id: UUID) -> dict[str, Any]:
    """The clinic's consent form, signed at the partner: a PDF of at most 1 MB. It is encrypted at rest and opens
    nothing until staff have verified it. The same bytes again are once; other ones are kept beside the earlier ones."""
    if request.mimetype != PDF or request.content_encoding:
        raise errors.UnsupportedMediaType(headers={"Accept": PDF})
    content = request.get_data(cache=True)
    return _shown(documents.put(client_id=_partner(), referral_id=referral_id, content=content, at=clock.now()))

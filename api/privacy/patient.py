"""The patient's door to consents. Giving one asks for a fresh sign-in, taking one back does not: whoever wants less
told must not be held up."""

from typing import Any
from uuid import UUID

from flask import Response, make_response, render_template

from api import answering, clock, language
from api.blueprint import Door
from api.privacy import consents, document, drafts, forms, recipients, revoking, shared, showing
from api.privacy.models import Consent
from schemas.consents import (
    ConsentAsk,
    ConsentFormAnswer,
    ConsentFormAsk,
    ConsentsQuery,
    MyConsentAnswer,
    MyConsentsAnswer,
    RecipientsAnswer,
    RevokedConsentAnswer,
)

# The page loads nothing from anywhere, so opening it tells nobody.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
door = Door("consents", kind="patient", tag="Privacy")


@door.get("/consent-recipients", operation="listConsentRecipients", scope="privacy:read", summary="Who can be named")
@door.answers(RecipientsAnswer)
def list_consent_recipients() -> dict[str, Any]:
    """The partners who are registered with the clinic and active, by name. That one is listed says nothing of the
    patient."""
    return {"items": recipients.choices()}


@door.post(
    "/consent-form",
    operation="previewMyConsent",
    scope="privacy:read",
    summary="The text to be read before signing",
    refusals=drafts.REFUSALS,
)
@door.asks(ConsentFormAsk)
@door.answers(ConsentFormAnswer)
def preview_my_consent(asked: dict[str, Any]) -> forms.Form:
    """Signs and keeps nothing. It is asked in a body, since the name of a matter has no place in an address."""
    draft, spoken = forms.draft(asked), asked["language"] or language.chosen()
    return consents.form(draft=draft, language=spoken, at=clock.now())


def replayed_consent(consent_id: UUID) -> dict[str, Any]:
    return _shown(consents.one(consent_id=consent_id, patient_id=answering.patient_id()))


@door.post(
    "/consents",
    operation="giveMyConsent",
    scope="privacy:write",
    summary="Sign a consent",
    idempotent=True,
    replay=replayed_consent,
    refusals=[*drafts.REFUSALS, consents.FormTextChanged],
    steps_up=True,
)
@door.asks(ConsentAsk)
@door.answers(MyConsentAnswer, status=201)
def give_my_consent(asked: dict[str, Any]) -> dict[str, Any]:
    """Signs exactly the text whose hash is given, in words of now. It counts from the partner's next read on."""
    caller = answering.caller()
    signature = consents.InApp(name=asked["signature"], acr=caller.acr, app_session_id=caller.app_session_id)
    given = consents.give(
        patient_id=answering.patient_id(),
        draft=forms.draft(asked),
        language=asked["language"] or language.chosen(),
        shown=bytes.fromhex(asked["text_sha256"]),
        signature=signature,
        at=clock.now(),
    )
    answering.made(given.id)
    return _shown(given)


@door.get("/consents", operation="listMyConsents", scope="privacy:read", summary="What I have allowed")
@door.query(ConsentsQuery)
@door.answers(MyConsentsAnswer)
def list_my_consents(query: dict[str, Any]) -> dict[str, Any]:
    """The latest first, with what became of each by now."""
    patient_id, now = answering.patient_id(), clock.now()
    found, more = consents.page(
        patient_id=patient_id,
        asked=query["page_size"],
        page_token=query["page_token"],
        bound_to=("my consents", patient_id),
    )
    return {"items": [showing.consent(one, at=now) for one in found], "next_page_token": more}


@door.get("/consents/<uuid:consent_id>", operation="getMyConsent", scope="privacy:read", summary="One consent")
@door.answers(MyConsentAnswer)
def get_my_consent(consent_id: UUID) -> dict[str, Any]:
    """With the text word for word, and what was told under it so far."""
    return _shown(consents.one(consent_id=consent_id, patient_id=answering.patient_id()))


@door.get(
    "/consents/<uuid:consent_id>/document",
    operation="getMyConsentDocument",
    scope="privacy:read",
    summary="A consent to keep or print",
    gives="text/html",
)
def get_my_consent_document(consent_id: UUID) -> Response:
    """A page of HTML that loads nothing from anywhere: the text, the signature, the hashes, what became of it."""
    consent = consents.one(consent_id=consent_id, patient_id=answering.patient_id())
    page = make_response(render_template("consent.html", **document.shown(consent, at=clock.now())))
    page.headers["Content-Language"] = consent.language
    page.headers["Content-Security-Policy"] = POLICY
    return page


@door.post(
    "/consents/<uuid:consent_id>/revocation",
    operation="revokeMyConsent",
    scope="privacy:write",
    summary="Take a consent back",
    refusals=[revoking.NotRevocableYet],
)
@door.answers(RevokedConsentAnswer)
def revoke_my_consent(consent_id: UUID) -> dict[str, Any]:
    """From the partner's next read on nothing is told under it any more. The answer says what was told before. Taking
    back again is taking back once."""
    taken_back = revoking.revoke(patient_id=answering.patient_id(), consent_id=consent_id, at=clock.now())
    return _shown(taken_back) | {"note": showing.said_before(language.chosen())}


def _shown(consent: Consent) -> dict[str, Any]:
    told = shared.under(patient_id=consent.patient_id, consent_id=consent.id)
    return showing.consent(consent, at=clock.now()) | {"text": consent.text, "shared": told}

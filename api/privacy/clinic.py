"""The clinic's door to consents: what patients signed on paper, took back by letter or phone, and what ended."""

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from api import answering, clock
from api.blueprint import Door
from api.patients import service as patients
from api.privacy import consents, drafts, forms, revoking, showing
from api.privacy.models import Consent
from api.programs import about
from schemas.consents import (
    ClinicConsentAnswer,
    ClinicConsentsAnswer,
    ConsentEndAsk,
    ConsentFormAnswer,
    ConsentFormAsk,
    ConsentsQuery,
    PaperConsentAsk,
    RevocationAsk,
)

door = Door("consents", kind="clinic", tag="Privacy")


def replayed_consent(consent_id: UUID) -> dict[str, Any]:
    return _shown(consents.one(consent_id=consent_id))


@door.post(
    "/patients/<external_id>/consent-form",
    operation="previewConsent",
    scope="privacy:read",
    summary="The form to be printed and signed",
    refusals=drafts.REFUSALS,
)
@door.asks(ConsentFormAsk)
@door.answers(ConsentFormAnswer)
def preview_consent(asked: dict[str, Any], external_id: str) -> forms.Form:
    """The text for paper, in the language of the patient unless one is named. Nothing is kept."""
    patient = patients.by_external_id(external_id)
    answering.about(patient.id)
    spoken = asked["language"] or patient.language or "en"
    return consents.form(draft=forms.draft(asked), language=spoken, at=clock.now())


@door.post(
    "/patients/<external_id>/consents",
    operation="recordConsent",
    scope="privacy:write",
    summary="Record a consent signed on paper",
    idempotent=True,
    replay=replayed_consent,
    refusals=[*drafts.REFUSALS, forms.UnknownForm, consents.SignedInTheFuture],
)
@door.asks(PaperConsentAsk)
@door.answers(ClinicConsentAnswer, status=201)
def record_consent(asked: dict[str, Any], external_id: str) -> dict[str, Any]:
    """On the clinic's form in the version that was signed, with the hash of the document. It counts from now on."""
    patient = patients.by_external_id(external_id)
    answering.about(patient.id)
    recorded = consents.record(
        patient_id=patient.id,
        draft=forms.draft(asked),
        language=asked["language"],
        form_version=asked["form_version"],
        signature=_signature(asked),
        at=clock.now(),
    )
    answering.made(recorded.id)
    return _shown(recorded)


@door.get(
    "/patients/<external_id>/consents",
    operation="listConsents",
    scope="privacy:read",
    summary="A patient's consents, the latest first",
)
@door.query(ConsentsQuery)
@door.answers(ClinicConsentsAnswer)
def list_consents(query: dict[str, Any], external_id: str) -> dict[str, Any]:
    """Those that hold no longer stay listed, with who took down what."""
    patient, now = patients.by_external_id(external_id), clock.now()
    answering.about(patient.id)
    found, more = consents.page(
        patient_id=patient.id,
        asked=query["page_size"],
        page_token=query["page_token"],
        bound_to=("consents", answering.caller().client_id, patient.id),
    )
    return {"items": [showing.recorded(one, at=now) for one in found], "next_page_token": more}


@door.post(
    "/consents/<uuid:consent_id>/revocation",
    operation="recordRevocation",
    scope="privacy:write",
    summary="Record that a patient took a consent back",
    refusals=[revoking.NotRevocableYet],
)
@door.asks(RevocationAsk)
@door.answers(ClinicConsentAnswer)
def record_revocation(asked: dict[str, Any], consent_id: UUID) -> dict[str, Any]:
    """Names who took the patient's word. Nothing is told under it from the next read on. Again is once."""
    by, role = _acting()
    return _shown(revoking.take_revocation(consent_id=consent_id, how=asked["how"], by=by, role=role, at=clock.now()))


@door.post(
    "/consents/<uuid:consent_id>/end",
    operation="endConsent",
    scope="privacy:write",
    summary="State that a consent holds no longer",
    refusals=[revoking.NotItsEvent],
)
@door.asks(ConsentEndAsk)
@door.answers(ClinicConsentAnswer)
def end_consent(asked: dict[str, Any], consent_id: UUID) -> dict[str, Any]:
    """Its event came about, or it should not count (42 CFR 2.31(c)). Again is once, for the reason that stands."""
    by, role = _acting()
    return _shown(revoking.end(consent_id=consent_id, reason=asked["reason"], by=by, role=role, at=clock.now()))


def _signature(asked: dict[str, Any]) -> consents.OnPaper:
    """A day is all that a paper says: the signature is taken to be of its beginning, on the clinic's clock."""
    day = datetime.combine(asked["signed_on"], time(), ZoneInfo(about.clinic().time_zone)).astimezone(UTC)
    by, role = _acting()
    return consents.OnPaper(
        name=asked["signer_name"],
        signer=asked["signer"],
        signed_at=day,
        document_hash=bytes.fromhex(asked["document_sha256"]),
        by=by,
        role=role,
    )


def _shown(consent: Consent) -> dict[str, Any]:
    answering.about(consent.patient_id)
    return showing.recorded(consent, at=clock.now())


def _acting() -> tuple[str, str]:
    caller = answering.caller()
    return caller.acting_user or "", caller.acting_role or ""

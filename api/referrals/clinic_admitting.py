"""The clinic's door to whose referral it is: link, admit, and verify the consent form that came with it."""

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response

from api import answering, clock
from api.blueprint import Door
from api.enrollments import placement, recording
from api.privacy import consents, drafts, forms
from api.programs import about
from api.programs import service as programs
from api.referrals import admitting, clinic, states, triage, verifying
from schemas.consents import PaperConsentAsk
from schemas.triage import AdmissionAsk, ReferralPatientAsk, TriagedReferralAnswer

door = Door("admissions", kind="clinic", tag="Referrals")

PDF = "application/pdf"


@door.get(
    "/referrals/<uuid:referral_id>/document",
    operation="getReferralDocument",
    scope="referrals:read",
    summary="The consent form that came with a referral",
    gives=PDF,
)
@door.answers(None)
def get_document(referral_id: UUID) -> Response:
    """The newest one, as the partner sent it: kept encrypted, and checked by nobody. Open it with care."""
    answering.made(referral_id)
    document = Response(verifying.read(referral_id), mimetype=PDF)
    document.headers["Content-Disposition"] = "attachment"
    return document


@door.put(
    "/referrals/<uuid:referral_id>/patient",
    operation="linkReferral",
    scope="referrals:write",
    summary="Say whose referral this is",
    if_match=True,
    refusals=[admitting.LinkInUse, triage.DecidedMeanwhile],
    problems=clinic.STANDS,
)
@door.asks(ReferralPatientAsk)
@door.answers(TriagedReferralAnswer)
def link_referral(asked: dict[str, Any], referral_id: UUID) -> dict[str, Any]:
    """The patient of the record system's id, made here if the id is new. Until something rests on the link, it can be
    made anew. What a consent of that patient's allows is what the partner may read from here on."""
    by, role = clinic.acting()
    admitting.link(
        referral_id=referral_id,
        who=_who(asked),
        expected=answering.expected_version(),
        by=by,
        role=role,
        at=clock.now(),
    )
    return clinic.shown(referral_id)


@door.post(
    "/referrals/<uuid:referral_id>/admission",
    operation="admitReferral",
    scope="referrals:write",
    summary="Link or make the patient and place them",
    idempotent=True,
    replay=clinic.shown,
    if_match=True,
    refusals=[
        admitting.LinkedToAnother,
        triage.DecidedMeanwhile,
        states.StepNotAllowed,
        placement.PatientNotPlaceable,
        programs.UnknownProgram,
        programs.NotOfferedHere,
        recording.AlreadyEnrolled,
    ],
    problems=clinic.STANDS,
)
@door.asks(AdmissionAsk)
@door.answers(TriagedReferralAnswer)
def admit_referral(asked: dict[str, Any], referral_id: UUID) -> dict[str, Any]:
    """Writes down what was decided by assessment, all of it or nothing: the patient, the placement, and the end of a
    referral that was accepted before."""
    by, role = clinic.acting()
    placed = ("program", "focus", "starts_at")
    admitting.admit(
        referral_id=referral_id,
        who=_who(asked),
        into=admitting.Placement(**{name: asked[name] for name in placed}),
        expected=answering.expected_version(),
        by=by,
        role=role,
        at=clock.now(),
    )
    return clinic.shown(referral_id)


@door.post(
    "/referrals/<uuid:referral_id>/document-verification",
    operation="verifyReferralDocument",
    scope="referrals:write",
    summary="Record the consent that came with a referral",
    idempotent=True,
    replay=clinic.shown,
    refusals=[
        admitting.NotLinked,
        triage.DecidedMeanwhile,
        verifying.NoDocument,
        verifying.AnotherDocument,
        verifying.DocumentVerified,
        *drafts.REFUSALS,
        forms.UnknownForm,
        consents.SignedInTheFuture,
    ],
    problems=clinic.STANDS,
)
@door.asks(PaperConsentAsk)
@door.answers(TriagedReferralAnswer)
def verify_document(asked: dict[str, Any], referral_id: UUID) -> dict[str, Any]:
    """What staff read on the paper, once they know whose it is; the hash says which document they looked at. From here
    on the consent counts as any other, and before it the document opens nothing."""
    by, role = clinic.acting()
    paper = verifying.Paper(forms.draft(asked), asked["form_version"], asked["language"], _signature(asked))
    verifying.verify(referral_id=referral_id, paper=paper, by=by, role=role, at=clock.now())
    return clinic.shown(referral_id)


def _who(asked: dict[str, Any]) -> admitting.Who:
    return admitting.Who(asked["patient_external_id"], asked["preferred_name"], asked["language"])


def _signature(asked: dict[str, Any]) -> consents.OnPaper:
    """A day is all that a paper says: the signature is taken to be of its beginning, on the clinic's clock."""
    day = datetime.combine(asked["signed_on"], time(), ZoneInfo(about.clinic().time_zone)).astimezone(UTC)
    by, role = clinic.acting()
    return consents.OnPaper(
        name=asked["signer_name"],
        signer=asked["signer"],
        signed_at=day,
        document_hash=bytes.fromhex(asked["document_sha256"]),
        by=by,
        role=role,
    )

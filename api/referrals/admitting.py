"""From a referral to a patient: linking is the clinic's act, never a machine's, and placing makes it an admission.

The record system's id says who it is. Patient, placement and the referral's end are one transaction: none of them is
there without the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api import errors
from api.enrollments import placement
from api.patients import service as patients
from api.patients.models import Patient
from api.referrals import states, triage
from api.referrals.models import ReferralTriage
from api.referrals.triage import Move


class NotLinked(errors.Conflict):
    title = "This referral is not linked to a patient yet"
    detail = "Say first which patient this referral is of."
    title_es = "Esta derivación aún no está vinculada a un paciente"
    detail_es = "Indique primero de qué paciente es esta derivación."


class LinkedToAnother(errors.Conflict):
    title = "This referral is linked to another patient"
    detail = "The referral was linked to another patient before. Link it anew first, if that was a mistake."
    title_es = "Esta derivación está vinculada a otro paciente"
    detail_es = "La derivación ya se vinculó a otro paciente. Si fue un error, vincúlela de nuevo primero."


class LinkInUse(errors.Conflict):
    title = "This link holds by now"
    detail = "The person was admitted, or a consent was recorded, on this link: correct those in the patient's record."
    title_es = "Este vínculo ya está en uso"
    detail_es = "La persona fue admitida, o se registró un consentimiento, así: corríjalo en su expediente."
    retry = "never"


@dataclass(frozen=True, slots=True)
class Who:
    """The patient by the record system's id, who is made if the id is new."""

    external_id: str
    preferred_name: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the assessment places the patient; without `starts_at`, from now on."""

    program: str
    focus: Sequence[str]
    starts_at: datetime | None = None


def link(*, referral_id: UUID, who: Who, expected: int | None, by: str, role: str, at: datetime) -> UUID:
    """Say whose referral this is; a mistaken link can be made anew until something rests on it. Linking again to the
    same patient is linking once. Raises `LinkInUse`, `triage.DecidedMeanwhile`, `errors.NotFound`."""
    before = triage.row(referral_id)
    patient = _patient(who, at)
    if before.patient_id == patient.id:
        return patient.id
    triage.refuse_other_version(before, expected)
    if before.admitted_at or before.document_verified_at:
        raise LinkInUse
    triage.write(before, "linked", {"patient_id": patient.id}, by=by, role=role, at=at)
    return patient.id


def admit(
    *, referral_id: UUID, who: Who, into: Placement, expected: int | None, by: str, role: str, at: datetime
) -> UUID:
    """Link or make the patient, place them, and complete the referral, which was accepted before.

    Raises `LinkedToAnother`, `states.StepNotAllowed`, `triage.DecidedMeanwhile`, `errors.NotFound` and what
    `placement.place` does.
    """
    before = triage.row(referral_id)
    triage.refuse_other_version(before, expected)
    moves = _moves(before.state)
    patient = _patient(who, at)
    if before.patient_id not in (None, patient.id):
        raise LinkedToAnother
    placed = placement.place(
        patient_id=patient.id, program=into.program, focus=into.focus, starts_at=into.starts_at, at=at
    )
    written = {"patient_id": patient.id, "enrollment_id": placed.id, "admitted_at": at}
    triage.move(before, moves, with_them=written, by=by, role=role, at=at)
    return patient.id


def _patient(who: Who, at: datetime) -> Patient:
    return patients.upsert(external_id=who.external_id, at=at, preferred_name=who.preferred_name, language=who.language)


def _moves(state: str) -> list[Move]:
    """The steps to an admission: on the way there a referral is in progress, if only for this instant."""
    between = [] if state == "in_progress" else [Move("in_progress", None)]
    for one in (*between, Move("completed", "admitted")):
        states.refuse_step(state, one.state, actor=states.CLINIC)
        state = one.state
    return [*between, Move("completed", "admitted")]


def linked(before: ReferralTriage) -> UUID:
    """The patient whose referral it is. Raises `NotLinked`."""
    if before.patient_id is None:
        raise NotLinked
    return before.patient_id

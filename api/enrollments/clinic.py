"""The clinic's door to enrollments: place, decide, and read all that is on record."""

from typing import Any
from uuid import UUID

from api import answering, clock, db
from api.blueprint import Door
from api.enrollments import correction, placement, recording, records, transitions
from api.patients import service as patients
from api.programs import service as programs
from schemas.enrollments import (
    EnrollmentAnswer,
    EnrollmentAsk,
    EnrollmentsAnswer,
    EnrollmentsQuery,
    TransitionAnswer,
    TransitionAsk,
)

door = Door("enrollments", kind="clinic", tag="Enrollments")
PLACING = [programs.UnknownProgram, programs.NotOfferedHere, recording.AlreadyEnrolled]


def replayed_enrollment(enrollment_id: UUID) -> dict[str, Any]:
    return records.shown(enrollment_id, at=clock.now())


def replayed_transition(fact_id: UUID) -> dict[str, Any]:
    return records.outcome(fact_id, at=clock.now())


@door.post(
    "/patients/<external_id>/enrollments",
    operation="createEnrollment",
    scope="enrollments:write",
    summary="Place a patient in a program",
    idempotent=True,
    replay=replayed_enrollment,
    refusals=[*PLACING, placement.PatientNotPlaceable],
)
@door.asks(EnrollmentAsk)
@door.answers(EnrollmentAnswer, status=201)
def create_enrollment(asked: dict[str, Any], external_id: str) -> dict[str, Any]:
    """Writes down what was decided by assessment. A patient is in one program at a time, and only in one that the
    clinic offers."""
    patient = patients.by_external_id(external_id)
    answering.about(patient.id)
    now = clock.now()
    placed = placement.place(patient_id=patient.id, at=now, **asked)
    answering.made(placed.id)
    return records.shown(placed.id, at=now)


@door.get(
    "/patients/<external_id>/enrollments",
    operation="listEnrollments",
    scope="enrollments:read",
    summary="A patient's enrollments with all that is on record",
)
@door.query(EnrollmentsQuery)
@door.answers(EnrollmentsAnswer)
def list_enrollments(asked: dict[str, Any], external_id: str) -> dict[str, Any]:
    """From the first to the last or coming one, with the clinic's reasons. What was entered in error stays listed."""
    patient = patients.by_external_id(external_id)
    answering.about(patient.id)
    items, more = records.page(
        patient_id=patient.id,
        asked=asked["page_size"],
        page_token=asked["page_token"],
        bound_to=("enrollments", answering.caller().client_id, patient.id),
        at=clock.now(),
    )
    return {"items": items, "next_page_token": more}


@door.post(
    "/enrollments/<uuid:enrollment_id>/transitions",
    operation="createTransition",
    scope="enrollments:write",
    summary="Step up or down, pause, resume, discharge, correct",
    idempotent=True,
    replay=replayed_transition,
    refusals=[
        *PLACING,
        recording.ChangedMeanwhile,
        transitions.TransitionDoesNotFit,
        transitions.UntypicalStep,
        correction.FollowedByAnother,
    ],
)
@door.asks(TransitionAsk)
@door.answers(TransitionAnswer)
def create_transition(asked: dict[str, Any], enrollment_id: UUID) -> dict[str, Any]:
    """Records the decision with its reason and date, and answers which sessions, reminders and check-ins it changed.
    Sends no message. Of two at once one wins. A preview runs the same code and is rolled back."""
    if asked.pop("dry_run"):
        db.preview()
    answering.about(records.patient_of(enrollment_id))
    now = clock.now()
    decided = transitions.decide(enrollment_id=enrollment_id, decision=transitions.Decision(**asked), at=now)
    if not db.previewing():
        answering.made(decided.id)
    return records.outcome(decided.id, at=now)

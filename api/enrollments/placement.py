"""Placing a patient in a program: the clinic's decision, written down."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from api import db, errors, events
from api.enrollments import recording
from api.enrollments.events import EnrollmentStarted
from api.enrollments.models import Enrollment
from api.patients import versions
from api.patients.models import Patient
from api.programs import service as programs

AHEAD = timedelta(days=365)


class PatientNotPlaceable(errors.Conflict):
    title = "This patient cannot be placed"
    detail = "A patient who has died, or whose record was merged into another, cannot be placed in a program."
    title_es = "No se puede inscribir a este paciente"
    detail_es = "No se puede inscribir a un paciente que falleció o cuyo expediente se unió a otro."
    retry = "never"


def place(
    *, patient_id: UUID, program: str, focus: Sequence[str], starts_at: datetime | None, at: datetime
) -> Enrollment:
    """Place the patient from `starts_at` on (None is now), at most a year ahead.

    Raises `programs.UnknownProgram`, `programs.NotOfferedHere`, `PatientNotPlaceable`, `recording.AlreadyEnrolled`,
    `errors.Invalid`.
    """
    stamp = versions.touch([patient_id])[patient_id]
    _check_placeable(patient_id)
    begins = (starts_at or at).replace(microsecond=0)
    if begins > at + AHEAD:
        raise errors.Invalid([("/starts_at", "Must not lie more than a year ahead.")])
    with events.recorded() as heard:
        placed = begin(patient_id=patient_id, program=program, focus=focus, starts_at=begins, at=at, version=stamp)
    recording.keep([recording.fact(placed, "started", effective_at=begins, at=at)], heard)
    return placed


def begin(
    *,
    patient_id: UUID,
    program: str,
    focus: Sequence[str],
    starts_at: datetime,
    at: datetime,
    version: int,
    stepped_from_id: UUID | None = None,
) -> Enrollment:
    """An enrollment that holds from `starts_at` on, announced but not yet a fact on record.

    Raises `programs.UnknownProgram`, `programs.NotOfferedHere`, `recording.AlreadyEnrolled`.
    """
    programs.offered(program)
    begun = Enrollment(
        id=db.uuid7(),
        patient_id=patient_id,
        program_slug=program,
        status="active",
        status_since=starts_at,
        starts_at=starts_at,
        focus=sorted(set(focus)),
        stepped_from_id=stepped_from_id,
        version=version,
    )
    db.session().add(begun)
    recording.flush()
    events.announce(
        EnrollmentStarted(patient_id, begun.id, program, starts_at, at, tuple(begun.focus), stepped_from_id)
    )
    return begun


def _check_placeable(patient_id: UUID) -> None:
    """Asks the row anew: the status may have changed while this transaction waited for the lock."""
    patient = db.session().get(Patient, patient_id, populate_existing=True)
    if patient is None or patient.status in ("deceased", "merged"):
        raise PatientNotPlaceable

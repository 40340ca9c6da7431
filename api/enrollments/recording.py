"""How a fact gets on record: under the patient's lock, never changed afterwards, and with what it changed."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import psycopg
import sqlalchemy as sa
from sqlalchemy import exc

from api import db, errors
from api.enrollments import changes
from api.enrollments.models import Enrollment, EnrollmentEvent
from api.events import Event
from api.patients import versions


class AlreadyEnrolled(errors.Conflict):
    title = "Already in a program at that time"
    detail = "A patient is in one program at a time. End or step the other enrollment first."
    title_es = "Ya está en un programa en ese momento"
    detail_es = "Un paciente está en un solo programa a la vez. Termine o cambie antes la otra inscripción."
    retry = "after_refresh"


class ChangedMeanwhile(errors.Conflict):
    title = "Somebody else was faster"
    detail = "Something else was recorded about this enrollment at the same moment. Read it again, then decide."
    title_es = "Alguien se adelantó"
    detail_es = "En el mismo momento se registró otra cosa sobre esta inscripción. Léala de nuevo y luego decida."
    retry = "after_refresh"


def locked(enrollment_id: UUID) -> Enrollment:
    """The enrollment, stamped, with its patient locked. Raises `errors.NotFound`, and `ChangedMeanwhile` when
    something was recorded about it while this transaction waited."""
    session = db.session()
    if (enrollment := session.get(Enrollment, enrollment_id)) is None:
        raise errors.NotFound
    before = enrollment.version
    stamp = versions.touch([enrollment.patient_id])[enrollment.patient_id]
    session.refresh(enrollment)
    if enrollment.version != before:
        raise ChangedMeanwhile
    enrollment.version = stamp
    return enrollment


def flush() -> None:
    """Write what was changed. Raises `AlreadyEnrolled` when the database finds two enrollments at one instant."""
    try:
        db.session().flush()
    except exc.IntegrityError as error:
        if isinstance(error.orig, psycopg.errors.ExclusionViolation):
            raise AlreadyEnrolled from error
        raise


def fact(
    about: Enrollment,
    kind: str,
    *,
    effective_at: datetime,
    at: datetime,
    reason: str | None = None,
    corrects_id: UUID | None = None,
) -> EnrollmentEvent:
    """A fact that is not on record yet, stamped as its enrollment is."""
    return EnrollmentEvent(
        id=db.uuid7(),
        patient_id=about.patient_id,
        enrollment_id=about.id,
        kind=kind,
        reason=reason,
        effective_at=effective_at,
        recorded_at=at,
        corrects_id=corrects_id,
        changes=[],
        version=about.version,
    )


def keep(facts: Sequence[EnrollmentEvent], heard: Sequence[Event]) -> EnrollmentEvent:
    """Put facts of one decision on record; the first one is answered and keeps what was `heard` to change."""
    decided = facts[0]
    decided.changes = changes.as_json(heard)
    db.session().add_all(facts)
    db.session().flush()
    return decided


def standing(enrollment_id: UUID) -> list[EnrollmentEvent]:
    """The facts that were not taken back, in the order in which they were recorded."""
    corrected = sa.select(EnrollmentEvent.corrects_id).where(EnrollmentEvent.corrects_id.is_not(None))
    found = sa.select(EnrollmentEvent).where(
        EnrollmentEvent.enrollment_id == enrollment_id,
        EnrollmentEvent.kind != "corrected",
        EnrollmentEvent.id.not_in(corrected),
    )
    return list(db.session().scalars(found.order_by(EnrollmentEvent.version)))

"""Taking back the latest fact about an enrollment by a further one. Nothing recorded is changed or removed."""

from datetime import datetime

import sqlalchemy as sa

from api import db, errors, events
from api.enrollments import recording
from api.enrollments.events import EnrollmentEnded, EnrollmentPaused, EnrollmentResumed
from api.enrollments.models import Enrollment, EnrollmentEvent
from api.enrollments.service import held

IN_ERROR = "entered_in_error"


class FollowedByAnother(errors.Conflict):
    title = "Another enrollment followed by a step"
    detail = "This enrollment ended by a step. Correct the enrollment that followed: that takes the step back."
    title_es = "Otra inscripción siguió a esta"
    detail_es = "Esta inscripción terminó con un cambio de nivel. Corrija la que siguió: eso deshace el cambio."
    retry = "never"


def take_back(enrollment: Enrollment, *, at: datetime) -> list[EnrollmentEvent]:
    """Take back the latest fact that stands, with effect from now: a pause, a resumption, an end, or the beginning
    itself. An enrollment whose beginning is taken back never held; if a step began it, the one before goes on.

    Raises `FollowedByAnother`, `recording.AlreadyEnrolled`.
    """
    *before, latest = recording.standing(enrollment.id)
    if before:
        return [_go_back(enrollment, latest, before[-1], at)]
    enrollment.status, enrollment.status_since = IN_ERROR, at
    recording.flush()
    events.announce(
        EnrollmentEnded(enrollment.patient_id, enrollment.id, enrollment.program_slug, at, at, reason=IN_ERROR)
    )
    return [_correction(enrollment, latest, at), *_unstep(enrollment, at)]


def _unstep(enrollment: Enrollment, at: datetime) -> list[EnrollmentEvent]:
    if enrollment.stepped_from_id is None:
        return []
    origin = db.session().get_one(Enrollment, enrollment.stepped_from_id)
    origin.version = enrollment.version
    *_, before, ended = recording.standing(origin.id)
    return [_go_back(origin, ended, before, at)]


def _go_back(enrollment: Enrollment, latest: EnrollmentEvent, before: EnrollmentEvent, at: datetime) -> EnrollmentEvent:
    """To the state in which the fact before the latest one had put it."""
    if _followed(enrollment):
        raise FollowedByAnother
    enrollment.status = "paused" if before.kind == "paused" else "active"
    enrollment.status_since, enrollment.ended_at = before.effective_at, None
    recording.flush()
    again = EnrollmentPaused if enrollment.paused else EnrollmentResumed
    events.announce(again(enrollment.patient_id, enrollment.id, enrollment.program_slug, at, at, reason=IN_ERROR))
    return _correction(enrollment, latest, at)


def _followed(enrollment: Enrollment) -> bool:
    following = sa.select(Enrollment.id).where(Enrollment.stepped_from_id == enrollment.id, held())
    return db.session().scalar(following.limit(1)) is not None


def _correction(enrollment: Enrollment, latest: EnrollmentEvent, at: datetime) -> EnrollmentEvent:
    return recording.fact(enrollment, "corrected", effective_at=at, at=at, reason=IN_ERROR, corrects_id=latest.id)

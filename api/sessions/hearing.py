"""What sessions hear, and do about it before the commit. ``SUBSCRIPTIONS`` is for ``app.py``."""

from collections.abc import Callable
from typing import Any

from api.enrollments import events as enrollments
from api.programs import events as programs
from api.sessions import closures, makeup, members, moving
from api.sessions import events as sessions

IN_ERROR = "entered_in_error"


def on_ended(fact: enrollments.EnrollmentEnded) -> None:
    """What begins after the end, and after now, is no longer the patient's: what has been never changes."""
    members.leave_program(
        patient_id=fact.patient_id,
        program_slug=fact.program_slug,
        enrollment_id=fact.enrollment_id,
        since=max(fact.at, fact.recorded_at),
        at=fact.recorded_at,
    )


def on_running_again(fact: enrollments.EnrollmentResumed | enrollments.EnrollmentPaused) -> None:
    """An end that was recorded in error is taken back by one of these."""
    if fact.reason == IN_ERROR:
        members.come_back(patient_id=fact.patient_id, enrollment_id=fact.enrollment_id, at=fact.recorded_at)


SUBSCRIPTIONS: tuple[tuple[type[Any], Callable[[Any], None]], ...] = (
    (enrollments.EnrollmentEnded, on_ended),
    (enrollments.EnrollmentEnded, makeup.on_ended),
    (enrollments.EnrollmentResumed, on_running_again),
    (enrollments.EnrollmentPaused, on_running_again),
    (programs.LocationClosed, closures.close),
    (programs.LocationOpened, closures.open_again),
    (sessions.SessionMoved, moving.on_changed),
    (sessions.SessionMoved, moving.on_back),
    (sessions.SessionRestored, moving.on_back),
    (sessions.SessionCancelled, moving.on_changed),
    (sessions.MembershipEnded, moving.on_changed),
)

"""What this slice announces, and the base of what a preview of a transition answers."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.events import Event


@dataclass(frozen=True)
class EnrollmentFact(Event):
    """Something happened to a patient's enrollment.

    `at` is when it takes effect, which may lie before `recorded_at`, the present of the transaction; a placement's
    may lie after it. The tables say what holds already when a fact is announced, and the patient's version is locked.
    """

    patient_id: UUID
    enrollment_id: UUID
    program_slug: str
    at: datetime
    recorded_at: datetime


@dataclass(frozen=True)
class EnrollmentStarted(EnrollmentFact):
    """The patient is placed in the program from `at` on; by a step if `stepped_from_id` is another enrollment."""

    focus: tuple[str, ...]
    stepped_from_id: UUID | None = None


@dataclass(frozen=True)
class EnrollmentEnded(EnrollmentFact):
    """The enrollment no longer holds from `at` on. Reason `entered_in_error`: it never held, and `at` is now."""

    reason: str


@dataclass(frozen=True)
class EnrollmentPaused(EnrollmentFact):
    """The enrollment holds, and nothing is asked of the patient until it resumes."""

    reason: str


@dataclass(frozen=True)
class EnrollmentResumed(EnrollmentFact):
    """The enrollment runs again: after a pause, or, with reason `entered_in_error`, because its end was a mistake."""

    reason: str | None


@dataclass(frozen=True)
class PreviewableChange(Event):
    """One thing that the running transaction changes for a patient, as previews and transitions list it.

    Announced by the slices above, besides the facts they act upon, once for each session, reminder or check-in that
    they change while they hear an `EnrollmentFact`; nobody subscribes to it. The real transition and its preview
    must announce equal changes, so an id that is made anew each time does not belong here:

    `kind` is `session`, `reminder` or `check_in`; `action` is one of `vocabulary.CHANGE_ACTIONS`. `subject_id` is the
    session's id; for a reminder the id of the session it speaks of; None for a check-in. `what` tells apart what
    has one subject and instant: a reminder's lead, a check-in's instrument. `at` is when the session starts, the
    reminder is due, the check-in opens.
    """

    patient_id: UUID
    kind: str
    action: str
    at: datetime
    subject_id: UUID | None = None
    what: str | None = None

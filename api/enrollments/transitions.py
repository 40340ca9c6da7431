"""What becomes of an enrollment: steps, pauses, discharge. `correction` takes back what was a mistake."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from api import db, errors, events
from api.enrollments import correction, placement, recording
from api.enrollments.events import EnrollmentEnded, EnrollmentPaused, EnrollmentResumed
from api.enrollments.models import Enrollment, EnrollmentEvent
from api.enrollments.service import open_of
from api.patients import versions
from api.patients.events import PatientStatusChanged
from api.programs import service as programs

# A sender's clock may run ahead of ours by this much; it then means now.
CLOCK_SKEW = timedelta(minutes=5)
FITS = {
    "step_up": ("active", "paused"),
    "step_down": ("active", "paused"),
    "pause": ("active",),
    "resume": ("paused",),
    "discharge": ("active", "paused"),
    "correct": ("active", "paused", "ended"),
}


class TransitionDoesNotFit(errors.Conflict):
    title = "This does not fit what is recorded"
    detail = "The enrollment is not in a state in which this can happen. Read it again."
    title_es = "Esto no encaja con lo registrado"
    detail_es = "La inscripción no está en un estado en el que esto pueda ocurrir. Léala de nuevo."
    retry = "after_refresh"


class UntypicalStep(errors.Unprocessable):
    title = "This is not a step in that direction"
    detail = (
        "A step down follows the steps of the catalogue, and a step up leads to a program that none of them leads to. "
        "Anything else is a discharge and a new placement."
    )
    title_es = "No es un paso en esa dirección"
    detail_es = (
        "Un paso a menor intensidad sigue los pasos del catálogo, y uno a mayor intensidad lleva a un programa al que "
        "ninguno de ellos lleva. Lo demás es un alta y una nueva inscripción."
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """What the clinic decided. `effective_at` None is now; `program` and `focus` are for steps, `focus` None keeps
    what the stay was about."""

    kind: str
    reason: str | None = None
    effective_at: datetime | None = None
    program: str | None = None
    focus: Sequence[str] | None = None


def decide(*, enrollment_id: UUID, decision: Decision, at: datetime) -> EnrollmentEvent:
    """Put the decision on record, with all that follows from it. Of two at once one wins.

    Raises `errors.NotFound`, `errors.Invalid`, `TransitionDoesNotFit`, `UntypicalStep`, `programs.UnknownProgram`,
    `programs.NotOfferedHere`, `recording.AlreadyEnrolled`, `recording.ChangedMeanwhile`,
    `correction.FollowedByAnother`.
    """
    enrollment = recording.locked(enrollment_id)
    if enrollment.status not in FITS[decision.kind]:
        raise TransitionDoesNotFit
    with events.recorded() as heard:
        if decision.kind == "correct":
            facts = correction.take_back(enrollment, at=at)
        else:
            facts = _VERBS[decision.kind](enrollment, decision, _effective(enrollment, decision, at), at)
    return recording.keep(facts, heard)


def on_status_changed(change: PatientStatusChanged) -> None:
    """A death ends the enrollment in the same transaction; one that lies ahead ends as it would have begun."""
    if change.status != "deceased" or (enrollment := open_of(change.patient_id)) is None:
        return
    enrollment.version = versions.touch([change.patient_id])[change.patient_id]
    ends_at = max(change.at, enrollment.starts_at)
    with events.recorded() as heard:
        ended = _end(enrollment, "deceased", ends_at, change.at)
    recording.keep([ended], heard)


def _effective(enrollment: Enrollment, decision: Decision, at: datetime) -> datetime:
    """Raises `errors.Invalid` for what lies ahead, or before the latest fact of the enrollment."""
    asked = (decision.effective_at or at).replace(microsecond=0)
    if asked > at + CLOCK_SKEW:
        raise errors.Invalid([("/effective_at", "Must not lie ahead: record it when it takes effect.")])
    effective = min(asked, at)
    if effective < enrollment.status_since:
        raise errors.Invalid([("/effective_at", "Must not lie before what was last recorded about the enrollment.")])
    return effective


def _step(enrollment: Enrollment, decision: Decision, effective_at: datetime, at: datetime) -> list[EnrollmentEvent]:
    assert decision.program is not None and decision.reason is not None
    programs.one(decision.program)
    _check_direction(enrollment.program_slug, decision.program, down=decision.kind == "step_down")
    ended = _end(enrollment, decision.reason, effective_at, at)
    begun = placement.begin(
        patient_id=enrollment.patient_id,
        program=decision.program,
        focus=enrollment.focus if decision.focus is None else decision.focus,
        starts_at=effective_at,
        at=at,
        version=enrollment.version,
        stepped_from_id=enrollment.id,
    )
    return [ended, recording.fact(begun, "started", effective_at=effective_at, at=at)]


def _pause(enrollment: Enrollment, decision: Decision, effective_at: datetime, at: datetime) -> list[EnrollmentEvent]:
    assert decision.reason is not None
    _turn(enrollment, "paused", effective_at)
    events.announce(EnrollmentPaused(*_who(enrollment), effective_at, at, decision.reason))
    return [recording.fact(enrollment, "paused", effective_at=effective_at, at=at, reason=decision.reason)]


def _resume(enrollment: Enrollment, decision: Decision, effective_at: datetime, at: datetime) -> list[EnrollmentEvent]:
    _turn(enrollment, "active", effective_at)
    events.announce(EnrollmentResumed(*_who(enrollment), effective_at, at, decision.reason))
    return [recording.fact(enrollment, "resumed", effective_at=effective_at, at=at, reason=decision.reason)]


def _discharge(
    enrollment: Enrollment, decision: Decision, effective_at: datetime, at: datetime
) -> list[EnrollmentEvent]:
    assert decision.reason is not None
    return [_end(enrollment, decision.reason, effective_at, at)]


_VERBS: dict[str, Callable[[Enrollment, Decision, datetime, datetime], list[EnrollmentEvent]]] = {
    "step_up": _step,
    "step_down": _step,
    "pause": _pause,
    "resume": _resume,
    "discharge": _discharge,
}


def _end(enrollment: Enrollment, reason: str, effective_at: datetime, at: datetime) -> EnrollmentEvent:
    enrollment.ended_at = effective_at
    _turn(enrollment, "ended", effective_at)
    events.announce(EnrollmentEnded(*_who(enrollment), effective_at, at, reason))
    return recording.fact(enrollment, "ended", effective_at=effective_at, at=at, reason=reason)


def _turn(enrollment: Enrollment, status: str, since: datetime) -> None:
    enrollment.status, enrollment.status_since = status, since
    db.session().flush()


def _who(enrollment: Enrollment) -> tuple[UUID, UUID, str]:
    return enrollment.patient_id, enrollment.id, enrollment.program_slug


def _check_direction(origin: str, target: str, *, down: bool) -> None:
    """Levels have no rank here, only the catalogue's edges: what they do not lead down to is up (domain.md §0)."""
    typical = {one.slug for one in programs.typically_next(origin)}
    if origin == target or (target in typical) != down:
        raise UntypicalStep

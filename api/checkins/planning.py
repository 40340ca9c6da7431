"""What a change of enrollment changes about check-ins, announced for previews.

Nothing is stored ahead: what is due follows from the enrollment, the schedule and the clock. So the change is told
as the windows that it touches: the one that is open and not answered, and the next one to open.
"""

from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from api import db, events
from api.checkins import due, instruments, offering
from api.checkins.models import CheckIn, CheckInSchedule, CheckInSwitch
from api.checkins.windows import Window, next_window, window_at
from api.enrollments.events import (
    EnrollmentEnded,
    EnrollmentFact,
    EnrollmentPaused,
    EnrollmentResumed,
    EnrollmentStarted,
    PreviewableChange,
)
from api.enrollments.models import Enrollment
from api.patients.models import Patient


def on_started(fact: EnrollmentStarted) -> None:
    _announce(fact, "added")


def on_ended(fact: EnrollmentEnded) -> None:
    _announce(fact, "removed")


def on_paused(fact: EnrollmentPaused) -> None:
    _announce(fact, "held")


def on_resumed(fact: EnrollmentResumed) -> None:
    _announce(fact, "added" if fact.reason == "entered_in_error" else "released")


def _announce(fact: EnrollmentFact, action: str) -> None:
    for window in _touched(fact):
        events.announce(
            PreviewableChange(
                patient_id=fact.patient_id,
                kind="check_in",
                action=action,
                at=window.opens_at,
                what=window.instrument,
            )
        )


def _touched(fact: EnrollmentFact) -> Iterator[Window]:
    now = max(fact.at, fact.recorded_at)
    rows = db.session().execute(
        sa.select(CheckInSchedule, Enrollment.starts_at, due.zone().label("zone"))
        .select_from(Enrollment)
        .join(Patient, Patient.id == Enrollment.patient_id)
        .join(CheckInSchedule, CheckInSchedule.program_slug == Enrollment.program_slug)
        .where(Enrollment.id == fact.enrollment_id, CheckInSchedule.instrument.not_in(_off(fact)))
        .order_by(CheckInSchedule.instrument)
    )
    for rule, began_at, zone in rows.all():
        instrument = instruments.current(rule.instrument)
        if instrument is None or not offering.is_offered(instrument):
            continue
        schedule = rule.schedule()
        last = window_at(schedule, began_at=began_at, zone=ZoneInfo(zone), at=now)
        if last and last.covers(now) and not _answered(fact, last):
            yield last
        yield next_window(schedule, began_at=began_at, zone=ZoneInfo(zone), at=now)


def _off(fact: EnrollmentFact) -> sa.Select[str]:
    return sa.select(CheckInSwitch.instrument).where(
        CheckInSwitch.patient_id == fact.patient_id, ~CheckInSwitch.offered
    )


def _answered(fact: EnrollmentFact, window: Window) -> bool:
    given = sa.exists().where(
        CheckIn.patient_id == fact.patient_id,
        CheckIn.instrument == window.instrument,
        CheckIn.complete,
        CheckIn.occurred_at >= window.opens_at,
        CheckIn.occurred_at < window.closes_at,
    )
    return bool(db.session().scalar(sa.select(given)))


SUBSCRIPTIONS: tuple[tuple[type[EnrollmentFact], Callable[[Any], None]], ...] = (
    (EnrollmentStarted, on_started),
    (EnrollmentEnded, on_ended),
    (EnrollmentPaused, on_paused),
    (EnrollmentResumed, on_resumed),
)

"""What reminders hear, and do about it before the commit. `SUBSCRIPTIONS` is for `app.py`.

Changes of sessions are something new to say; everything else only rewrites the plan. A step from one level of care to
the next says nothing by itself. Facts whose `at` may lie back (a reply that was given offline, a membership that ended
with a step recorded late) are planned by the present, which is the clock's.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from api import clock, db
from api.checkins import events as checkins
from api.enrollments import events as enrollments
from api.patients import events as patients
from api.reminders import ahead, ledger
from api.reminders.situation import Change
from api.sessions import events as sessions
from api.sessions.models import CareSession


def on_scheduled(fact: sessions.SessionScheduled) -> None:
    ledger.rewrite(patient_ids=fact.patient_ids, at=fact.at)


def on_moved(fact: sessions.SessionMoved) -> None:
    _tell(fact, "moved")


def on_cancelled(fact: sessions.SessionCancelled) -> None:
    _tell(fact, "cancelled")


def on_restored(fact: sessions.SessionRestored) -> None:
    _tell(fact, "restored")


def on_late_fact(fact: sessions.ReplyGiven | sessions.MembershipEnded) -> None:
    ledger.rewrite(patient_ids=fact.patient_ids, at=max(fact.at, clock.now()))


def on_enrollment(fact: enrollments.EnrollmentFact) -> None:
    ledger.rewrite(patient_ids=(fact.patient_id,), at=fact.recorded_at)


def on_check_in(fact: checkins.CheckInSwitched) -> None:
    ledger.rewrite(patient_ids=(fact.patient_id,), at=fact.at)


def on_schedules(fact: checkins.SchedulesChanged) -> None:
    ahead.plan_all_in(fact.program_slugs, at=clock.now())


def on_patient(fact: patients.PatientStatusChanged | patients.PreferencesChanged) -> None:
    ledger.rewrite(patient_ids=(fact.patient_id,), at=fact.at)


SUBSCRIPTIONS: tuple[tuple[type[Any], Callable[[Any], None]], ...] = (
    (sessions.SessionScheduled, on_scheduled),
    (sessions.MembershipEnded, on_late_fact),
    (sessions.SessionMoved, on_moved),
    (sessions.SessionCancelled, on_cancelled),
    (sessions.SessionRestored, on_restored),
    (sessions.ReplyGiven, on_late_fact),
    (enrollments.EnrollmentStarted, on_enrollment),
    (enrollments.EnrollmentEnded, on_enrollment),
    (enrollments.EnrollmentPaused, on_enrollment),
    (enrollments.EnrollmentResumed, on_enrollment),
    (checkins.CheckInSwitched, on_check_in),
    (checkins.SchedulesChanged, on_schedules),
    (patients.PatientStatusChanged, on_patient),
    (patients.PreferencesChanged, on_patient),
)


def _tell(fact: sessions.SessionFact, kind: str) -> None:
    if not fact.patient_ids:
        return
    db.session().flush()
    found = sa.select(CareSession.id, CareSession.revision).where(CareSession.id.in_(fact.session_ids))
    news = [Change(row.id, row.revision, kind, fact.at) for row in db.session().execute(found)]
    ledger.rewrite(patient_ids=fact.patient_ids, at=fact.at, news=news)

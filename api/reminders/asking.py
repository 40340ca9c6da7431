"""What patients are asked, now and in the days ahead: the windows of check-ins, as `api.checkins.due` has them.

Nothing of it is stored by check-ins. A plan looks `AHEAD`, so that an app knows a week of reminders, and is made anew
as the days pass (`ahead`).
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from api import db
from api.checkins import offering
from api.checkins.models import CheckIn, CheckInSchedule, CheckInSwitch
from api.checkins.windows import Schedule, Window, next_window, window_at
from api.enrollments.models import Enrollment
from api.patients import zones
from api.patients.models import Patient
from api.prepared import Prepared
from api.reminders.situation import Asked
from api.sessions import localtime

AHEAD = timedelta(days=8)

Windows = Mapping[UUID, tuple[Asked, ...]]


def windows(patient_ids: Collection[UUID], *, at: datetime, until: datetime) -> Windows:
    """Each patient's windows that have not closed, as far as they open before `until` (those open at `at` in any
    case), answered or not. During a step to another level of care, a day is asked once."""
    found: dict[UUID, dict[tuple[str, Any], Asked]] = {}
    for row in _schedules(patient_ids, at) if patient_ids else ():
        theirs = found.setdefault(row.patient_id, {})
        theirs.update(((one.instrument, one.opens_on), one) for one in _asked(row, at, until))
    answered = _answered(found, at)
    return {
        patient_id: tuple(_marked(one, (patient_id, *key) in answered) for key, one in theirs.items())
        for patient_id, theirs in found.items()
    }


def _asked(row: Any, at: datetime, until: datetime) -> Iterator[Asked]:
    zone, schedule = ZoneInfo(row.time_zone or zones.clinic()), _schedule(row)
    for one in _windows(schedule, row.starts_at, zone, at, until):
        if row.ended_at is None or one.opens_at < row.ended_at:
            opens_on = localtime.day_of(one.opens_at, zone)
            yield Asked(one.instrument, opens_on, one.opens_at, one.closes_at, paused=row.paused)


def _windows(schedule: Schedule, began_at: datetime, zone: ZoneInfo, at: datetime, until: datetime) -> Iterator[Window]:
    last = window_at(schedule, began_at=began_at, zone=zone, at=at)
    if last and at < last.closes_at:
        yield last
    one = next_window(schedule, began_at=began_at, zone=zone, at=at)
    while one.opens_at < until:
        yield one
        one = next_window(schedule, began_at=began_at, zone=zone, at=one.opens_at)


def _schedule(row: Any) -> Schedule:
    return Schedule(row.instrument, row.every_days, row.opens_local, row.overdue_after_hours, row.closes_after_hours)


def _marked(one: Asked, answered: bool) -> Asked:
    if not answered:
        return one
    return Asked(one.instrument, one.opens_on, one.opens_at, one.closes_at, paused=one.paused, answered=True)


def _schedules(patient_ids: Collection[UUID], at: datetime) -> Iterable[Any]:
    """What the levels of care of these patients ask of them, the later enrollment last."""
    asked = [one.key for one in offering.offered()]
    return _SCHEDULES.run(patient_ids=list(patient_ids), instruments=asked, at=at)


def _scheduled() -> sa.Select[*tuple[Any, ...]]:
    rule = CheckInSchedule
    off = sa.exists().where(
        CheckInSwitch.patient_id == Enrollment.patient_id,
        CheckInSwitch.instrument == rule.instrument,
        ~CheckInSwitch.offered,
    )
    return (
        sa.select(
            Enrollment.patient_id, Enrollment.starts_at, Enrollment.ended_at,
            (Enrollment.status == "paused").label("paused"), Patient.time_zone,
            rule.instrument, rule.every_days, rule.opens_local, rule.overdue_after_hours, rule.closes_after_hours,
        )
        .join(Patient, Patient.id == Enrollment.patient_id)
        .join(rule, rule.program_slug == Enrollment.program_slug)
        .where(
            Enrollment.patient_id == sa.any_(sa.bindparam("patient_ids", type_=ARRAY(sa.Uuid))),
            Enrollment.status != "entered_in_error",
            sa.or_(Enrollment.ended_at.is_(None), Enrollment.ended_at > sa.bindparam("at", type_=sa.DateTime(True))),
            rule.instrument == sa.any_(sa.bindparam("instruments", type_=ARRAY(sa.Text))),
            ~off,
        )
        .order_by(Enrollment.starts_at)
    )  # fmt: skip


# A moved session asks for its whole group.
_SCHEDULES = Prepared(_scheduled())


def _answered(found: Mapping[UUID, Mapping[Any, Asked]], at: datetime) -> set[tuple[UUID, str, Any]]:
    """Which of the windows that have opened hold a complete check-in."""
    opened = [(whose, one) for whose, theirs in found.items() for one in theirs.values() if one.opens_at <= at]
    if not opened:
        return set()
    given = (
        sa.func.unnest(
            sa.cast([whose for whose, _ in opened], ARRAY(sa.Uuid)),
            sa.cast([one.instrument for _, one in opened], ARRAY(sa.Text)),
            sa.cast([one.opens_at for _, one in opened], ARRAY(sa.DateTime(timezone=True))),
            sa.cast([one.closes_at for _, one in opened], ARRAY(sa.DateTime(timezone=True))),
        )
        .table_valued("patient_id", "instrument", "opens_at", "closes_at", with_ordinality="number")
        .render_derived("opened")
    )
    of_window = sa.exists().where(
        CheckIn.patient_id == given.c.patient_id,
        CheckIn.instrument == given.c.instrument,
        CheckIn.complete,
        CheckIn.occurred_at >= given.c.opens_at,
        CheckIn.occurred_at < given.c.closes_at,
    )
    numbers = db.session().scalars(sa.select(given.c.number).where(of_window))
    return {(opened[n - 1][0], opened[n - 1][1].instrument, opened[n - 1][1].opens_on) for n in numbers}

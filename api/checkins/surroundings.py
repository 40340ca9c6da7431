"""What held for a patient around a check-in: everything that it is judged by, in one statement, which also locks the
patient's version and raises it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from api.checkins.models import CheckInSchedule, CheckInSwitch, InstrumentSettings
from api.checkins.windows import Schedule, window_at
from api.enrollments import service as enrollments
from api.enrollments.models import Enrollment
from api.patients import versions, zones
from api.patients.models import Patient
from api.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Surroundings:
    """As of receipt, but the schedule and the enrollment's beginning as of when the check-in was given. `stamp` is the
    patient's new version."""

    stamp: int
    language: str | None
    enrolled: bool
    offered: bool
    task_over_total: int | None
    zone: ZoneInfo
    began_at: datetime | None
    schedule: Schedule | None

    def asked_at(self, at: datetime) -> bool:
        """Whether a window of the instrument was open."""
        if self.schedule is None or self.began_at is None:
            return False
        window = window_at(self.schedule, began_at=self.began_at, zone=self.zone, at=at)
        return window is not None and window.covers(at)


def of(*, patient_id: UUID, instrument: str, given_at: datetime, at: datetime) -> Surroundings:
    row = _READ.one(patient_id=patient_id, instrument=instrument, given_at=given_at, at=at)
    versions.remember(patient_id, row.stamp)
    return Surroundings(
        stamp=row.stamp,
        language=row.language,
        enrolled=row.enrolled,
        offered=row.offered is not False,
        task_over_total=row.task_over_total,
        zone=ZoneInfo(row.time_zone or zones.clinic()),
        began_at=row.starts_at,
        schedule=_schedule(instrument, row),
    )


def _schedule(instrument: str, row: Any) -> Schedule | None:
    if row.every_days is None:
        return None
    return Schedule(instrument, row.every_days, row.opens_local, row.overdue_after_hours, row.closes_after_hours)


_PATIENT = sa.bindparam("patient_id", type_=sa.Uuid)
_INSTRUMENT = sa.bindparam("instrument", type_=sa.Text)
_GIVEN_AT = sa.bindparam("given_at", type_=sa.DateTime(timezone=True))
_AT = sa.bindparam("at", type_=sa.DateTime(timezone=True))

_RAISED = versions.raised(_PATIENT)

_READ = Prepared(
    sa.select(
        _RAISED.c.version.label("stamp"),
        Patient.language,
        Patient.time_zone,
        sa.exists()
        .where(Enrollment.patient_id == _PATIENT, enrollments.holds_at(_AT))
        .correlate(Patient)
        .label("enrolled"),
        CheckInSwitch.offered,
        InstrumentSettings.task_over_total,
        Enrollment.starts_at,
        CheckInSchedule.every_days,
        CheckInSchedule.opens_local,
        CheckInSchedule.overdue_after_hours,
        CheckInSchedule.closes_after_hours,
    )
    .select_from(Patient)
    .join(_RAISED, sa.true())
    .outerjoin(Enrollment, sa.and_(Enrollment.patient_id == _PATIENT, enrollments.holds_at(_GIVEN_AT)))
    .outerjoin(
        CheckInSchedule,
        sa.and_(CheckInSchedule.program_slug == Enrollment.program_slug, CheckInSchedule.instrument == _INSTRUMENT),
    )
    .outerjoin(CheckInSwitch, sa.and_(CheckInSwitch.patient_id == _PATIENT, CheckInSwitch.instrument == _INSTRUMENT))
    .outerjoin(InstrumentSettings, InstrumentSettings.instrument == _INSTRUMENT)
    .where(Patient.id == _PATIENT)
)

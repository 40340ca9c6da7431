"""What is due for a patient now: `windows` said in SQL, so that one statement can answer it.

`today` takes `due_now` and `windows_at` into its own statement. A window is answered by a complete check-in that
was given inside it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api.checkins import offering
from api.checkins.models import CheckIn, CheckInSchedule, CheckInSwitch
from api.enrollments.models import Enrollment
from api.patients import zones
from api.patients.models import Patient

WhoseId = UUID | sa.ColumnElement[UUID]
When = datetime | sa.ColumnElement[datetime]

_LOCAL = sa.DateTime(timezone=False)
_UTC = sa.DateTime(timezone=True)


@dataclass(frozen=True, slots=True)
class _Window:
    """The window that opened last before an instant, for a joined enrollment, patient and schedule."""

    begun: sa.ColumnElement[bool]
    opens_at: sa.ColumnElement[datetime]
    overdue_at: sa.ColumnElement[datetime]
    closes_at: sa.ColumnElement[datetime]
    next_opens_at: sa.ColumnElement[datetime]


def due_now(patient_id: WhoseId, at: When) -> sa.Select[Any]:
    """What is asked at `at` and not answered yet, in order of closing.

    Columns: `instrument`, `focus` (of the enrollment), `time_zone`, `state` (`start` or `overdue`), `opens_at`,
    `overdue_at`, `closes_at`.
    """
    window = _window(at)
    return (
        sa.select(
            CheckInSchedule.instrument,
            Enrollment.focus,
            zone().label("time_zone"),
            sa.case((window.overdue_at > at, "start"), else_="overdue").label("state"),
            window.opens_at.label("opens_at"),
            window.overdue_at.label("overdue_at"),
            window.closes_at.label("closes_at"),
        )
        .select_from(*_ASKED)
        .where(*_asked(patient_id, at), window.begun, window.closes_at > at, ~_answered(window))
        .order_by("closes_at", CheckInSchedule.instrument)
    )


def windows_at(patient_id: WhoseId, at: When) -> sa.Select[str, datetime, datetime, datetime, datetime]:
    """For every instrument that is asked of the patient, the window that opened last (or the first one, before it
    has opened), answered or not, closed or not: its edges are when the clock alone may change what is due.

    Columns: `instrument`, `opens_at`, `overdue_at`, `closes_at`, `next_opens_at`.
    """
    window = _window(at)
    return (
        sa.select(
            CheckInSchedule.instrument,
            window.opens_at.label("opens_at"),
            window.overdue_at.label("overdue_at"),
            window.closes_at.label("closes_at"),
            window.next_opens_at.label("next_opens_at"),
        )
        .select_from(*_ASKED)
        .where(*_asked(patient_id, at))
    )


def zone() -> sa.ColumnElement[str]:
    """The zone in force for the joined `Patient`."""
    return sa.func.coalesce(Patient.time_zone, zones.clinic())


_ASKED = (
    sa.join(
        sa.join(Enrollment, Patient, Patient.id == Enrollment.patient_id),
        CheckInSchedule,
        CheckInSchedule.program_slug == Enrollment.program_slug,
    ),
)


def _asked(patient_id: WhoseId, at: When) -> tuple[sa.ColumnElement[bool], ...]:
    """The patient's enrollment runs, the instrument is offered, and the clinic has not switched it off."""
    offered = sa.or_(sa.false(), *(CheckInSchedule.instrument == one.key for one in offering.offered()))
    off = sa.exists().where(
        CheckInSwitch.patient_id == Enrollment.patient_id,
        CheckInSwitch.instrument == CheckInSchedule.instrument,
        ~CheckInSwitch.offered,
    )
    running = sa.and_(Enrollment.status == "active", Enrollment.starts_at <= at)
    return Enrollment.patient_id == patient_id, running, offered, ~off


def _answered(window: _Window) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        CheckIn.patient_id == Enrollment.patient_id,
        CheckIn.instrument == CheckInSchedule.instrument,
        CheckIn.complete,
        CheckIn.occurred_at >= window.opens_at,
        CheckIn.occurred_at < window.closes_at,
    )


def _window(at: When) -> _Window:
    began_on = sa.cast(_local(Enrollment.starts_at), sa.Date)
    first = began_on.op("+", return_type=_LOCAL)(CheckInSchedule.opens_local)
    passed = sa.func.extract("epoch", _local(at) - first)
    days = (
        sa.cast(sa.func.floor(passed / (86400 * CheckInSchedule.every_days)), sa.Integer) * CheckInSchedule.every_days
    )
    opens = _plus(first, days=sa.func.greatest(days, 0))
    return _Window(
        begun=passed >= 0,
        opens_at=_instant(opens),
        overdue_at=_instant(_plus(opens, hours=CheckInSchedule.overdue_after_hours)),
        closes_at=_instant(_plus(opens, hours=CheckInSchedule.closes_after_hours)),
        next_opens_at=_instant(sa.case((passed < 0, first), else_=_plus(opens, days=CheckInSchedule.every_days))),
    )


def _local(instant: Any) -> sa.ColumnElement[datetime]:
    """Wall time in the patient's zone."""
    return sa.func.timezone(zone(), sa.cast(instant, _UTC), type_=_LOCAL)


def _instant(local: sa.ColumnElement[datetime]) -> sa.ColumnElement[datetime]:
    """PostgreSQL moves a skipped local time forward and takes the later of a repeated one; `windows` does the same."""
    return sa.func.timezone(zone(), local, type_=_UTC)


def _plus(local: sa.ColumnElement[datetime], *, days: Any = 0, hours: Any = 0) -> sa.ColumnElement[datetime]:
    return local.op("+", return_type=_LOCAL)(sa.func.make_interval(0, 0, 0, days, hours))

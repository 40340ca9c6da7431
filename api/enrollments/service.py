"""What may be asked about enrollments. The verbs stand in `placement`, `transitions` and `correction`."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.enrollments.models import Enrollment


def current(*, patient_id: UUID, at: datetime) -> Enrollment | None:
    """The enrollment that holds at the instant, paused or not; None without one."""
    return current_of([patient_id], at).get(patient_id)


def current_of(patient_ids: Iterable[UUID], at: datetime) -> dict[UUID, Enrollment]:
    """The enrollments that hold at the instant, paused or not, by patient; in one statement."""
    found = db.session().scalars(_of(patient_ids).where(holds_at(at)))
    return {one.patient_id: one for one in found}


def history_of(patient_ids: Iterable[UUID]) -> dict[UUID, list[Enrollment]]:
    """All enrollments but those entered in error, by patient, each list from the first to the last or coming one."""
    histories: dict[UUID, list[Enrollment]] = {}
    for one in db.session().scalars(_of(patient_ids).where(held()).order_by(Enrollment.starts_at, Enrollment.id)):
        histories.setdefault(one.patient_id, []).append(one)
    return histories


def history(*, patient_id: UUID) -> Sequence[Enrollment]:
    """All of the patient's enrollments but those entered in error, the first one first."""
    return history_of([patient_id]).get(patient_id, [])


def open_of(patient_id: UUID) -> Enrollment | None:
    """The enrollment that goes on until something further is recorded, begun or not: ranges without an end overlap,
    so there is one at most."""
    found = sa.select(Enrollment).where(
        Enrollment.patient_id == patient_id, Enrollment.status.in_(("active", "paused"))
    )
    return db.session().scalar(found.execution_options(populate_existing=True))


def held() -> sa.ColumnElement[bool]:
    """Whether an enrollment is one that was meant, for any statement's WHERE."""
    return Enrollment.status != "entered_in_error"


def holds_at(at: datetime | sa.ColumnElement[datetime]) -> sa.ColumnElement[bool]:
    """Whether the enrollment holds at the instant, for any statement's WHERE."""
    return sa.and_(held(), Enrollment.starts_at <= at, sa.or_(Enrollment.ended_at.is_(None), Enrollment.ended_at > at))


def _of(patient_ids: Iterable[UUID]) -> sa.Select[Enrollment]:
    return sa.select(Enrollment).where(Enrollment.patient_id.in_(set(patient_ids)))

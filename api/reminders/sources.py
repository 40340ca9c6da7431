"""The statements that read what plans depend on, each for many patients at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.enrollments.models import Enrollment
from api.patients.models import Patient
from api.reminders.models import Reminder, ReminderPreferences
from api.reminders.situation import Placement
from api.sessions.models import Attendance, CareSession, stays_away

# How far back something said still stands in the way of something else: an evening and the longest quiet hours after
# it are well within.
REMEMBERED = timedelta(days=2)
_ROW = Reminder.__table__.c
# What a plan needs to know of a row.
_PLANNED = (
    _ROW.id, _ROW.patient_id, _ROW.session_id, _ROW.instrument, _ROW.opens_on, _ROW.revision, _ROW.kind, _ROW.lead,
    _ROW.starts_at, _ROW.time_zone, _ROW.opens_at, _ROW.due_at, _ROW.expires_at, _ROW.state, _ROW.reason, _ROW.silent,
    _ROW.replaced_by, _ROW.created_at,
)  # fmt: skip
# What a row is held back for when another one speaks for it.
SPOKEN_FOR = ("merged", "digest")


def spoken_for(ids: Collection[UUID]) -> dict[UUID, list[Any]]:
    """The rows that became one with each of these, which speak for them."""
    row = _ROW
    merged = sa.select(*row).where(db.among(row.replaced_by, ids), row.state == "held", row.reason.in_(SPOKEN_FOR))
    by_speaker: dict[UUID, list[Any]] = defaultdict(list)
    for found in db.session().execute(merged):
        by_speaker[found.replaced_by].append(found)
    return by_speaker


def people(patient_ids: Collection[UUID]) -> Iterable[Any]:
    chosen = ReminderPreferences.__table__.c
    return db.session().execute(
        sa.select(
            Patient.id, Patient.status, Patient.time_zone, Patient.language,
            chosen.quiet_begin, chosen.quiet_end, chosen.leads, chosen.first_leads, chosen.channels,
            chosen.kinds, chosen.digest, chosen.paused_until,
        )
        .outerjoin(ReminderPreferences, ReminderPreferences.patient_id == Patient.id)
        .where(db.among(Patient.id, patient_ids))
    )  # fmt: skip


def attended(patient_ids: Collection[UUID], *, at: datetime, until: datetime | None) -> Iterable[Any]:
    held = (
        sa.select(
            Attendance.patient_id, Attendance.session_id, Attendance.starts_at, stays_away().label("stays_away"),
            CareSession.time_zone, CareSession.revision, CareSession.status,
        )
        .join(CareSession, CareSession.id == Attendance.session_id)
        .where(db.among(Attendance.patient_id, patient_ids), Attendance.status == "booked", Attendance.starts_at > at)
        .order_by(Attendance.starts_at, Attendance.session_id)
    )  # fmt: skip
    return db.session().execute(held if until is None else held.where(Attendance.starts_at < until))


def rows(patient_ids: Collection[UUID], *, at: datetime, until: datetime | None, lease: UUID | None) -> Iterable[Any]:
    """Rows about what lies ahead, and about what was lately said; `in_flight` under another's lease, `covered` when
    what was said, or is being said, spoke for it."""
    table = Reminder.__table__
    row, speaker = _ROW, table.alias("speaker")
    in_flight = _in_flight(row, lease)
    covered = sa.and_(
        row.state == "held", row.reason.in_(SPOKEN_FOR), sa.or_(speaker.c.state == "sent", _in_flight(speaker.c, lease))
    )
    found = (
        sa.select(*_PLANNED, in_flight.label("in_flight"), sa.func.coalesce(covered, False).label("covered"))
        .select_from(table.outerjoin(speaker, speaker.c.id == row.replaced_by))
        .where(db.among(row.patient_id, patient_ids), sa.or_(row.starts_at > at, row.due_at > at - REMEMBERED))
    )
    if until is not None:
        found = found.where(sa.or_(row.starts_at < until, row.due_at <= at))
    return db.session().execute(found)


def _in_flight(row: Any, lease: UUID | None) -> sa.ColumnElement[bool]:
    """Under another's lease, also one that has ended: whether a dead worker's message went out, the next one learns."""
    return sa.and_(row.state == "planned", row.lease.is_not(None), row.lease.is_distinct_from(lease))


def placements(patient_ids: Collection[UUID], *, at: datetime) -> dict[UUID, list[Placement]]:
    """Enrollments as they are from `at` on, also one that lies ahead, each with its first session."""
    lasting = sa.select(
        Enrollment.patient_id,
        Enrollment.starts_at,
        Enrollment.ended_at,
        (Enrollment.status == "paused").label("paused"),
        _first_session().label("first_session_id"),
    ).where(
        db.among(Enrollment.patient_id, patient_ids),
        Enrollment.status != "entered_in_error",
        sa.or_(Enrollment.ended_at.is_(None), Enrollment.ended_at > at),
    )
    found = grouped(db.session().execute(lasting))
    return {
        patient_id: [Placement(max(row.starts_at, at), row.ended_at, row.paused, row.first_session_id) for row in rows]
        for patient_id, rows in found.items()
    }


def _first_session() -> sa.ScalarSelect[UUID]:
    return (
        sa.select(Attendance.session_id)
        .join(CareSession, CareSession.id == Attendance.session_id)
        .where(
            Attendance.patient_id == Enrollment.patient_id,
            Attendance.starts_at >= Enrollment.starts_at,
            sa.or_(Enrollment.ended_at.is_(None), Attendance.starts_at < Enrollment.ended_at),
            Attendance.status == "booked",
            sa.not_(stays_away()),
            CareSession.status == "scheduled",
        )
        .order_by(Attendance.starts_at, Attendance.session_id)
        .limit(1)
        .correlate(Enrollment)
        .scalar_subquery()
    )


def grouped(rows: Iterable[Any]) -> dict[UUID, list[Any]]:
    by_patient: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        by_patient[row.patient_id].append(row)
    return by_patient

"""The statements that read what plans depend on, each for many patients at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from api.enrollments.models import Enrollment
from api.patients.models import Patient
from api.prepared import Prepared
from api.reminders.models import Reminder, ReminderPreferences
from api.reminders.situation import Placement
from api.sessions.models import Attendance, CareSession, stays_away

# How far back something said still stands in the way of something else: an evening and the longest quiet hours after
# it are well within.
REMEMBERED = timedelta(days=2)
# The longest day, on which the clocks go back.
A_DAY = timedelta(hours=25)
_ROW = Reminder.__table__.c
# What a plan needs to know of a row.
_PLANNED = (
    _ROW.id, _ROW.patient_id, _ROW.session_id, _ROW.instrument, _ROW.opens_on, _ROW.revision, _ROW.kind, _ROW.lead,
    _ROW.starts_at, _ROW.time_zone, _ROW.opens_at, _ROW.due_at, _ROW.expires_at, _ROW.state, _ROW.reason, _ROW.silent,
    _ROW.replaced_by, _ROW.created_at,
)  # fmt: skip
# What a row is held back for when another one speaks for it.
SPOKEN_FOR = ("merged", "digest")


_PATIENTS = sa.bindparam("patient_ids", type_=ARRAY(sa.Uuid))
_IDS = sa.bindparam("ids", type_=ARRAY(sa.Uuid))
_AT = sa.bindparam("at", type_=sa.DateTime(timezone=True))
_UNTIL = sa.bindparam("until", type_=sa.DateTime(timezone=True))
_BEGUN_SINCE = sa.bindparam("begun_since", type_=sa.DateTime(timezone=True))
_REMEMBERED_AT = sa.bindparam("remembered_at", type_=sa.DateTime(timezone=True))
_LEASE = sa.bindparam("lease", type_=sa.Uuid)
_SPOKEN = sa.literal(list(SPOKEN_FOR), ARRAY(sa.Text))


def spoken_for(ids: Collection[UUID]) -> dict[UUID, list[Any]]:
    """The rows that became one with each of these, which speak for them."""
    by_speaker: dict[UUID, list[Any]] = defaultdict(list)
    for found in _SPOKEN_FOR.run(ids=list(ids)):
        by_speaker[found.replaced_by].append(found)
    return by_speaker


def people(patient_ids: Collection[UUID]) -> Sequence[Any]:
    return _PEOPLE.run(patient_ids=list(patient_ids))


def attended(patient_ids: Collection[UUID], *, at: datetime, until: datetime | None) -> Sequence[Any]:
    """Places in sessions that lie ahead, or began within a day."""
    if until is None:
        return _ATTENDED.run(patient_ids=list(patient_ids), begun_since=at - A_DAY)
    return _ATTENDED_UNTIL.run(patient_ids=list(patient_ids), begun_since=at - A_DAY, until=until)


def rows(patient_ids: Collection[UUID], *, at: datetime, until: datetime | None, lease: UUID | None) -> Sequence[Any]:
    """Rows about what lies ahead, and about what was lately said; `in_flight` under another's lease, `covered` when
    what was said, or is being said, spoke for it."""
    values = {"patient_ids": list(patient_ids), "at": at, "remembered_at": at - REMEMBERED, "lease": lease}
    return _ROWS.run(**values) if until is None else _ROWS_UNTIL.run(**values, until=until)


def placements(patient_ids: Collection[UUID], *, at: datetime) -> dict[UUID, list[Placement]]:
    """Enrollments as they are from `at` on, also one that lies ahead, each with its first session."""
    found = grouped(_PLACEMENTS.run(patient_ids=list(patient_ids), at=at))
    return {
        patient_id: [Placement(max(row.starts_at, at), row.ended_at, row.paused, row.first_session_id) for row in rows]
        for patient_id, rows in found.items()
    }


def grouped(rows: Iterable[Any]) -> dict[UUID, list[Any]]:
    by_patient: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        by_patient[row.patient_id].append(row)
    return by_patient


def _spoken_for() -> sa.Select[Any]:
    merged = sa.select(*_ROW).where(_ROW.replaced_by == sa.any_(_IDS))
    return merged.where(_ROW.state == "held", _ROW.reason == sa.any_(_SPOKEN))


def _people() -> sa.Select[Any]:
    chosen = ReminderPreferences.__table__.c
    return (
        sa.select(
            Patient.id, Patient.status, Patient.time_zone, Patient.language,
            chosen.quiet_begin, chosen.quiet_end, chosen.leads, chosen.first_leads, chosen.channels,
            chosen.kinds, chosen.digest, chosen.paused_until,
        )
        .outerjoin(ReminderPreferences, ReminderPreferences.patient_id == Patient.id)
        .where(Patient.id == sa.any_(_PATIENTS))
    )  # fmt: skip


def _attended() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Attendance.patient_id, Attendance.session_id, Attendance.starts_at, stays_away().label("stays_away"),
            CareSession.time_zone, CareSession.revision, CareSession.status,
        )
        .join(CareSession, CareSession.id == Attendance.session_id)
        .where(
            Attendance.patient_id == sa.any_(_PATIENTS), Attendance.status == "booked",
            Attendance.starts_at > _BEGUN_SINCE,
        )
        .order_by(Attendance.starts_at, Attendance.session_id)
    )  # fmt: skip


def _rows() -> sa.Select[Any]:
    table = Reminder.__table__
    row, speaker = _ROW, table.alias("speaker")
    in_flight = _in_flight(row)
    spoken = sa.or_(speaker.c.state == "sent", _in_flight(speaker.c))
    covered = sa.and_(row.state == "held", row.reason == sa.any_(_SPOKEN), spoken)
    return (
        sa.select(*_PLANNED, in_flight.label("in_flight"), sa.func.coalesce(covered, False).label("covered"))
        .select_from(table.outerjoin(speaker, speaker.c.id == row.replaced_by))
        .where(row.patient_id == sa.any_(_PATIENTS), sa.or_(row.starts_at > _AT, row.due_at > _REMEMBERED_AT))
    )


def _in_flight(row: Any) -> sa.ColumnElement[bool]:
    """Under another's lease, also one that has ended: whether a dead worker's message went out, the next one learns."""
    return sa.and_(row.state == "planned", row.lease.is_not(None), row.lease.is_distinct_from(_LEASE))


def _placements() -> sa.Select[*tuple[Any, ...]]:
    return sa.select(
        Enrollment.patient_id,
        Enrollment.starts_at,
        Enrollment.ended_at,
        (Enrollment.status == "paused").label("paused"),
        _first_session().label("first_session_id"),
    ).where(
        Enrollment.patient_id == sa.any_(_PATIENTS),
        Enrollment.status != "entered_in_error",
        sa.or_(Enrollment.ended_at.is_(None), Enrollment.ended_at > _AT),
    )


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


# A worker runs these for every batch, and a moved session for its group.
_SPOKEN_FOR, _PEOPLE, _PLACEMENTS = Prepared(_spoken_for()), Prepared(_people()), Prepared(_placements())
_ATTENDED, _ATTENDED_UNTIL = Prepared(_attended()), Prepared(_attended().where(Attendance.starts_at < _UNTIL))
_ROWS = Prepared(_rows())
_ROWS_UNTIL = Prepared(_rows().where(sa.or_(_ROW.starts_at < _UNTIL, _ROW.due_at <= _AT)))

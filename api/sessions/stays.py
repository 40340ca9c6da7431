"""Stays and places as the weeks of treatment need them: read for any number of patients at once."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import orm

from api import db
from api.enrollments.models import Enrollment, EnrollmentEvent
from api.enrollments.service import held
from api.programs.edition import Edition, Program
from api.sessions import dose
from api.sessions.models import Attendance, CareSession

Pause = tuple[datetime, datetime | None]


def stay(one: Enrollment, related: Iterable[Enrollment], pauses: Sequence[Pause], edition: Edition) -> dose.Stay:
    """What the weeks need of a stay; `related` are the patient's stays, among them those before and after it."""
    others = list(related)
    before = next((other for other in others if other.id == one.stepped_from_id), None)
    after = next((other for other in others if other.stepped_from_id == one.id), None)
    return dose.Stay(
        starts_at=one.starts_at,
        ended_at=one.ended_at,
        floor=dose.floor_of(code_of(edition.program(one.program_slug))),
        pauses=tuple(pauses),
        came_down=before is not None and edition.less_intense(one.program_slug, before.program_slug),
        went_down=after is not None and edition.less_intense(after.program_slug, one.program_slug),
    )


def code_of(program: Program | None) -> str | None:
    """The ASAM code of a program's level of care, where the clinic names one."""
    asam = program.content.get("asam") if program else None
    return asam.get("code") if asam else None


def related_to(stays: Sequence[Enrollment]) -> dict[UUID, list[Enrollment]]:
    """The stays before and after each of the stays, by patient."""
    found: dict[UUID, list[Enrollment]] = {}
    asked = sa.select(Enrollment).where(Enrollment.patient_id.in_({one.patient_id for one in stays}), held())
    for one in db.session().scalars(asked):
        found.setdefault(one.patient_id, []).append(one)
    return found


def pauses_of(enrollment_ids: Iterable[UUID]) -> dict[UUID, list[Pause]]:
    """When each of the stays was paused: from a pause until whatever came next. Reads no more than a patient may."""
    correction = orm.aliased(EnrollmentEvent)
    taken_back = sa.select(correction.id).where(correction.corrects_id == EnrollmentEvent.id).exists()
    facts = (
        sa.select(EnrollmentEvent.enrollment_id, EnrollmentEvent.kind, EnrollmentEvent.effective_at)
        .where(
            EnrollmentEvent.enrollment_id.in_(list(enrollment_ids)), EnrollmentEvent.kind != "corrected", ~taken_back
        )
        .order_by(EnrollmentEvent.effective_at, EnrollmentEvent.id)
    )
    return _pauses(db.session().execute(facts))


def _pauses(facts: Iterable[Any]) -> dict[UUID, list[Pause]]:
    found: dict[UUID, list[Pause]] = {}
    for enrollment_id, kind, effective_at in facts:
        kept = found.setdefault(enrollment_id, [])
        if kept and kept[-1][1] is None:
            kept[-1] = (kept[-1][0], effective_at)
        if kind == "paused":
            kept.append((effective_at, None))
    return found


def places_of(patient_ids: Iterable[UUID], *, since: datetime, until: datetime) -> Mapping[UUID, list[dose.Planned]]:
    """The places of each patient in sessions that start from `since` until before `until`."""
    asked = (
        sa.select(
            Attendance.patient_id,
            Attendance.starts_at,
            Attendance.ends_at,
            CareSession.status == "cancelled",
            Attendance.mark,
            Attendance.minutes,
            Attendance.arrived_at,
            Attendance.makes_up_for.is_not(None),
        )
        .join(CareSession, CareSession.id == Attendance.session_id)
        .where(
            Attendance.patient_id.in_(list(patient_ids)),
            Attendance.status == "booked",
            Attendance.starts_at >= since,
            Attendance.starts_at < until,
        )
    )
    found: dict[UUID, list[dose.Planned]] = {}
    for row in db.session().execute(asked):
        patient_id, *place = tuple[Any, ...](row)
        found.setdefault(patient_id, []).append(dose.Planned(*place))
    return found

"""Places in sessions, in bulk: who has one, giving them out, taking them back, and following a session that changed.

Every statement stamps what it writes with the patient's version, so ``versions.touch`` comes first, with everybody
whom it may reach.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import db
from api.patients.models import PatientVersion
from api.sessions.models import Attendance, CareSession, SeriesMember


def holders(session_ids: Collection[UUID]) -> list[UUID]:
    """Patients with a place in any of the sessions, in id order."""
    found = sa.select(Attendance.patient_id).where(
        Attendance.session_id.in_(session_ids), Attendance.status == "booked"
    )
    return list(db.session().scalars(found.distinct().order_by(Attendance.patient_id)))


def book(session_ids: Collection[UUID], patient_ids: Collection[UUID]) -> list[UUID]:
    """Give those of the patients who are members at its start a place in each session; returns the sessions
    in which somebody got one. A released place is given back with what was said about it."""
    if not session_ids or not patient_ids:
        return []
    offered = insert(Attendance).from_select(
        ["patient_id", "session_id", "starts_at", "ends_at", "status", "version"], _places(session_ids, patient_ids)
    )
    excluded = offered.excluded
    booked = offered.on_conflict_do_update(
        index_elements=[Attendance.patient_id, Attendance.session_id],
        set_={name: excluded[name] for name in ("starts_at", "ends_at", "status", "version")},
        where=Attendance.status == "released",
    ).returning(Attendance.session_id)
    return sorted(set(db.session().scalars(booked)))


def _places(session_ids: Collection[UUID], patient_ids: Collection[UUID]) -> sa.Select[*tuple[Any, ...]]:
    """One patient's beside each other: they are read together, for as long as they are kept."""
    return (
        sa.select(
            SeriesMember.patient_id,
            CareSession.id,
            CareSession.starts_at,
            CareSession.ends_at,
            sa.literal_column("'booked'"),
            PatientVersion.version,
        )
        .join(CareSession, CareSession.series_id == SeriesMember.series_id)
        .join(PatientVersion, PatientVersion.patient_id == SeriesMember.patient_id)
        .where(
            CareSession.id.in_(session_ids),
            SeriesMember.patient_id.in_(patient_ids),
            sa.or_(SeriesMember.left_at.is_(None), SeriesMember.left_at > CareSession.starts_at),
        )
        .distinct()
        .order_by(SeriesMember.patient_id, CareSession.starts_at)
    )


def release(*, patient_id: UUID, series_ids: Iterable[UUID], since: datetime, version: int) -> list[UUID]:
    """Take back the patient's places in sessions of the series that start at ``since`` or later; returns the sessions.

    A place in which something has already happened (an arrival, a mark) stays: the past never changes.
    """
    released = (
        sa.update(Attendance)
        .where(
            Attendance.patient_id == patient_id,
            Attendance.starts_at >= since,
            Attendance.status == "booked",
            Attendance.arrived_at.is_(None),
            Attendance.mark.is_(None),
            Attendance.session_id == CareSession.id,
            CareSession.series_id.in_(list(series_ids)),
        )
        .values(status="released", version=version)
        .returning(Attendance.session_id)
        .execution_options(synchronize_session=False)
    )
    return sorted(db.session().scalars(released))


def follow(session_ids: Collection[UUID]) -> None:
    """Bring the places of changed sessions up to date: their times, and the version that tells the app to look."""
    if not session_ids:
        return
    db.session().execute(
        sa.update(Attendance)
        .where(
            Attendance.session_id.in_(session_ids),
            Attendance.status == "booked",
            Attendance.session_id == CareSession.id,
            Attendance.patient_id == PatientVersion.patient_id,
        )
        .values(starts_at=CareSession.starts_at, ends_at=CareSession.ends_at, version=PatientVersion.version)
        .execution_options(synchronize_session=False)
    )

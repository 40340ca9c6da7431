"""How many a series holds. Whoever gives out places holds the series first (``series.locked``), so that of many at
once each counts those before it."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from api import db, errors
from api.sessions.models import Attendance, CareSession, SeriesMember, SessionSeries

HOUSE = {"group": 100, "individual": 1}


class SeriesFull(errors.Conflict):
    title = "No further place"
    detail = "This series has no further place: an individual one is for one patient, a group has a limit."
    title_es = "No hay más lugares"
    detail_es = "Esta serie no tiene más lugares: una individual es para un paciente y un grupo tiene un límite."


def of(series: SessionSeries) -> int:
    """How many patients may have a place in each session of the series."""
    return HOUSE[series.kind] if series.capacity is None else series.capacity


def check_room(series: SessionSeries, *, patient_id: UUID, at: datetime) -> None:
    """Raises ``SeriesFull`` unless one more, this patient, has a place in every session to come."""
    if taken(series.id, at=at, besides=patient_id) >= of(series):
        raise SeriesFull


def check_held(series: SessionSeries, *, before: int, at: datetime) -> None:
    """Raises ``errors.Invalid`` for a capacity that an individual series cannot have, or, where it is lower than
    ``before``, that those who have a place already do not leave."""
    if series.kind == "individual" and of(series) > HOUSE["individual"]:
        raise errors.Invalid([("/capacity", "An individual series is for one patient.")])
    if of(series) < before and (have := taken(series.id, at=at)) > of(series):
        raise errors.Invalid([("/capacity", f"{have} patients have a place already.")])


def taken(series_id: UUID, *, at: datetime, besides: UUID | None = None) -> int:
    """The members, or those with a place in the fullest session to come, guests among them, if these are more."""
    members = sa.select(sa.func.count()).where(
        SeriesMember.series_id == series_id,
        SeriesMember.left_at.is_(None),
        SeriesMember.patient_id.is_distinct_from(besides),
    )
    fullest = (
        sa.select(sa.func.count())
        .select_from(Attendance)
        .join(CareSession, CareSession.id == Attendance.session_id)
        .where(
            CareSession.series_id == series_id,
            CareSession.ends_at > at,
            Attendance.status == "booked",
            Attendance.patient_id.is_distinct_from(besides),
        )
        .group_by(CareSession.id)
        .order_by(sa.func.count().desc())
        .limit(1)
    )
    most = sa.func.greatest(members.scalar_subquery(), fullest.scalar_subquery())
    return int(db.session().scalar(sa.select(most)) or 0)

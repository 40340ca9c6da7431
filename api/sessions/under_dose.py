"""Who attends less than planned: the clinic's list over everybody in care, in the clinic's own weeks.

The weeks are those that the patient's own progress is made of (`dose`). Whether a week lies below is decided there and
not by the database, so the list is read in batches along an index; a request looks at `MOST_LOOKED_AT` stays at most,
and a page may be shorter than what was asked while its token leads on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from api import db, errors, pages
from api.enrollments.models import Enrollment
from api.patients import zones
from api.patients.models import Patient
from api.programs import service as programs
from api.programs.edition import Edition
from api.sessions import dose, stays

BATCH = 500
MOST_LOOKED_AT = 5000
Found = tuple[Enrollment, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One patient's week at their level."""

    enrollment: Enrollment
    external_id: str
    floor: int | None
    week: dose.Week


def last_whole_week(*, at: datetime) -> date:
    """The Monday of the last week that is over by the clinic's clock."""
    return dose.monday_of(at, ZoneInfo(zones.clinic())) - dose.WEEK


def listed(
    *,
    below: bool | None,
    monday: date | None,
    asked: int,
    page_token: str | None,
    bound_to: Sequence[Any],
    at: datetime,
) -> tuple[list[Row], str | None]:
    """Open stays with the week that begins on `monday`, in the order of the patients' ids, and the next page's token.

    `below` True or False keeps only weeks that are, or are not, below; None keeps all. Raises `errors.BadRequest` for a
    day that begins no week of the past, `pages.InvalidCursor`.
    """
    week = monday or last_whole_week(at=at)
    if week.weekday() or week > last_whole_week(at=at) + dose.WEEK:
        raise errors.BadRequest("`week` must be a Monday, of this week or an earlier one.")
    bound = ("treatment-dose", *bound_to, week, below)
    after = UUID(pages.key(page_token, bound_to=bound)) if page_token else None
    size, rows = pages.size(asked), []
    for looked_at, row in enumerate(_rows(week, floored=bool(below), after=after, at=at), start=1):
        if below is None or bool(row.week.below) == below:
            rows.append(row)
        if len(rows) > size:
            return rows[:size], pages.token(str(rows[size - 1].enrollment.patient_id), bound_to=bound)
        if looked_at == MOST_LOOKED_AT:
            return rows, pages.token(str(row.enrollment.patient_id), bound_to=bound)
    return rows, None


def _rows(week: date, *, floored: bool, after: UUID | None, at: datetime) -> Iterator[Row]:
    edition, zone = programs.catalogue(), ZoneInfo(zones.clinic())
    until = dose.begins(week + dose.WEEK, zone)
    slugs = _with_floor(edition) if floored else None
    while batch := _batch(slugs, after=after, until=until):
        yield from _weeks(batch, week, edition, zone, at)
        if len(batch) < BATCH:
            return
        after = batch[-1][0].patient_id


def _with_floor(edition: Edition) -> list[str]:
    codes = dose.levels_with_floor()
    return [one.slug for one in edition.programs if stays.code_of(one) in codes]


def _batch(slugs: list[str] | None, *, after: UUID | None, until: datetime) -> list[Found]:
    """Open stays that had begun by then, in the order of `ix_enrollments_open`."""
    found = (
        sa.select(Enrollment, Patient.external_id)
        .join(Patient, Patient.id == Enrollment.patient_id)
        .where(Enrollment.ended_at.is_(None), Enrollment.status.in_(("active", "paused")))
        .where(Enrollment.starts_at < until, Patient.status == "active")
        .order_by(Enrollment.patient_id)
        .limit(BATCH)
    )
    if slugs is not None:
        found = found.where(Enrollment.program_slug.in_(slugs))
    if after is not None:
        found = found.where(Enrollment.patient_id > after)
    return [(row[0], row[1]) for row in db.session().execute(found)]


def _weeks(batch: list[Found], monday: date, edition: Edition, zone: ZoneInfo, at: datetime) -> Iterator[Row]:
    enrollments = [enrollment for enrollment, _ in batch]
    related, pauses = stays.related_to(enrollments), stays.pauses_of(one.id for one in enrollments)
    window = {"since": dose.begins(monday, zone), "until": dose.begins(monday + timedelta(weeks=1), zone)}
    places = stays.places_of((one.patient_id for one in enrollments), **window)
    for enrollment, external_id in batch:
        patient_id = enrollment.patient_id
        stay = stays.stay(enrollment, related[patient_id], pauses.get(enrollment.id, ()), edition)
        (week,) = dose.rows(stay, places.get(patient_id, []), mondays=[monday], zone=zone, at=at)
        yield Row(enrollment, external_id, stay.floor, week)

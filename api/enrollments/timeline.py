"""A patient's own timeline: every stay with what happened in it, in dates and plain words, without reasons."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, pages
from api.enrollments import mine, words
from api.enrollments.models import Enrollment, EnrollmentEvent
from api.programs import service as programs
from api.programs.edition import Edition

Json = dict[str, Any]


def page(
    *, patient_id: UUID, language: str, asked: int, page_token: str | None, at: datetime
) -> tuple[list[Json], str | None]:
    """Stays from the first to the last, as `MyEnrollmentsAnswer` has them, and the next page's token."""
    stays, more = pages.page(
        mine.own(patient_id),
        keys=[Enrollment.starts_at, Enrollment.id],
        asked=asked,
        page_token=page_token,
        bound_to=("my-enrollments", patient_id),
    )
    edition, told = programs.catalogue(), _Told(patient_id)
    return [_stay(one, told, edition, language, at) for one in stays], more


class _Told:
    """What the patient's timeline is told from: `facts` by enrollment, without those taken back; each stay's
    `origin` by a step."""

    def __init__(self, patient_id: UUID) -> None:
        stays = {one.id: one for one in db.session().scalars(mine.own(patient_id))}
        self.origins = {one.id: stays[one.stepped_from_id] for one in stays.values() if one.stepped_from_id}
        self.stepped_out = {origin.id for origin in self.origins.values()}
        self.facts: dict[UUID, list[sa.Row[UUID, str, datetime]]] = {}
        for row in db.session().execute(_facts(patient_id)):
            self.facts.setdefault(row.enrollment_id, []).append(row)


def _facts(patient_id: UUID) -> sa.Select[UUID, str, datetime]:
    """Only columns that the patient's role may read."""
    taken_back = sa.select(EnrollmentEvent.corrects_id).where(
        EnrollmentEvent.patient_id == patient_id, EnrollmentEvent.corrects_id.is_not(None)
    )
    own = sa.select(EnrollmentEvent.enrollment_id, EnrollmentEvent.kind, EnrollmentEvent.effective_at).where(
        EnrollmentEvent.patient_id == patient_id,
        EnrollmentEvent.kind != "corrected",
        EnrollmentEvent.id.not_in(taken_back),
    )
    return own.order_by(EnrollmentEvent.effective_at, EnrollmentEvent.id)


def _stay(stay: Enrollment, told: _Told, edition: Edition, language: str, at: datetime) -> Json:
    return {
        "id": stay.id,
        "program": mine.program(edition, stay.program_slug, language),
        "status": mine.state(stay, at),
        "starts_at": stay.starts_at,
        "ended_at": stay.ended_at,
        "moments": list(_moments(stay, told, edition, language, at)),
    }


def _moments(stay: Enrollment, told: _Told, edition: Edition, language: str, at: datetime) -> Iterator[Json]:
    """A step is told once, by the stay that it began."""
    origin = told.origins.get(stay.id)
    names = {
        "name": mine.program(edition, stay.program_slug, language)["name"],
        "before": mine.program(edition, origin.program_slug, language)["name"] if origin else None,
    }
    for fact in told.facts.get(stay.id, ()):
        if fact.kind == "ended" and stay.id in told.stepped_out:
            continue
        kind = _kind(fact.kind, stepped=origin is not None, ahead=fact.effective_at > at)
        yield {"kind": kind, "at": fact.effective_at, "text": words.MOMENTS[kind][language].format(**names)}


def _kind(recorded: str, *, stepped: bool, ahead: bool) -> str:
    """Only a beginning may lie ahead, and only a beginning is told as a move."""
    if recorded != "started":
        return recorded
    return "planned" if ahead else "moved" if stepped else "started"

"""What the clinic reads: enrollments with their facts and reasons, and what a decision came to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, pages
from api.enrollments import mine
from api.enrollments.models import Enrollment, EnrollmentEvent

Json = dict[str, Any]


def patient_of(enrollment_id: UUID) -> UUID:
    """Whose enrollment it is. Raises `errors.NotFound`."""
    return _one(enrollment_id).patient_id


def shown(enrollment_id: UUID, *, at: datetime) -> Json:
    """The enrollment as `EnrollmentAnswer` has it. Raises `errors.NotFound`."""
    return _shown([_one(enrollment_id)], at)[0]


def page(
    *, patient_id: UUID, asked: int, page_token: str | None, bound_to: Sequence[Any], at: datetime
) -> tuple[list[Json], str | None]:
    """A page of the patient's enrollments, the first one first, and the next page's token."""
    found, more = pages.page(
        sa.select(Enrollment).where(Enrollment.patient_id == patient_id),
        keys=[Enrollment.starts_at, Enrollment.id],
        asked=asked,
        page_token=page_token,
        bound_to=bound_to,
    )
    return _shown(found, at), more


def outcome(fact_id: UUID, *, at: datetime) -> Json:
    """What the decision on record as this fact came to, as `TransitionAnswer` has it. Raises `errors.NotFound`."""
    fact = db.session().get(EnrollmentEvent, fact_id)
    if fact is None:
        raise errors.NotFound
    following = next(iter(_shown(_begun_by(fact), at)), None)
    return {
        "dry_run": db.previewing(),
        "enrollment": shown(fact.enrollment_id, at=at),
        "next_enrollment": following,
        "changes": [{**change, "at": datetime.fromisoformat(change["at"])} for change in fact.changes],
    }


def _begun_by(fact: EnrollmentEvent) -> Sequence[Enrollment]:
    """The stay that began by the same decision: facts of one transaction bear one version."""
    other = sa.and_(
        EnrollmentEvent.patient_id == fact.patient_id,
        EnrollmentEvent.version == fact.version,
        EnrollmentEvent.enrollment_id != fact.enrollment_id,
        EnrollmentEvent.kind == "started",
    )
    begun = sa.select(Enrollment).join(EnrollmentEvent, EnrollmentEvent.enrollment_id == Enrollment.id).where(other)
    return db.session().scalars(begun).all()


def _one(enrollment_id: UUID) -> Enrollment:
    if (found := db.session().get(Enrollment, enrollment_id)) is None:
        raise errors.NotFound
    return found


def _shown(enrollments: Sequence[Enrollment], at: datetime) -> list[Json]:
    facts: dict[UUID, list[EnrollmentEvent]] = {one.id: [] for one in enrollments}
    recorded = sa.select(EnrollmentEvent).where(EnrollmentEvent.enrollment_id.in_(facts))
    for fact in db.session().scalars(recorded.order_by(EnrollmentEvent.version, EnrollmentEvent.id)):
        facts[fact.enrollment_id].append(fact)
    columns = Enrollment.__table__.columns.keys()
    return [
        {name: getattr(one, name) for name in columns} | {"status": mine.state(one, at), "facts": facts[one.id]}
        for one in enrollments
    ]

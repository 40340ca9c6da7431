"""What time does to referrals: those that wait too long are marked, and those that led nowhere are erased. And what a
consent does: what was done before it can be told.

What never became an admission is no record of a patient, and is kept no longer than is needed to answer for it: with
its documents and its history, and with the notice that its sender put on it, which holds for the snapshot as long as
there is one. A document that staff have verified is kept: a consent rests on it.
"""

from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from api import clock, db, queue
from api.referrals import keeping, states, telling
from api.referrals.models import Referral, ReferralEvent, ReferralTriage

BATCH = 500
# Somebody has said when it goes on.
PLANNED = ("waitlisted", "assessment_scheduled")

_overdue_after = timedelta(hours=24)


def use(*, overdue_hours: int, kept_days: int) -> None:
    global _overdue_after
    _overdue_after = timedelta(hours=overdue_hours)
    keeping.use(days=kept_days)


def run() -> bool:
    """A turn of the worker; True while there is more."""
    with db.transaction(db.WORKER):
        now = clock.now()
        return max(mark_overdue(at=now), purge(at=now)) == BATCH


@queue.job(telling.JOB)
def tell_of_consent(**ids: UUID) -> None:
    """The ids are those of `telling.tell_of_consent`."""
    with db.transaction(db.WORKER):
        telling.tell_of_consent(**ids, at=clock.now())


def mark_overdue(*, at: datetime) -> int:
    """Mark what nobody has moved on for too long, and write that down; returns how many."""
    since = at - _overdue_after
    moved = sa.exists().where(
        ReferralEvent.referral_id == ReferralTriage.referral_id,
        ReferralEvent.act == "moved",
        ReferralEvent.at > since,
    )
    waiting = (
        sa.select(ReferralTriage.referral_id)
        .join(Referral, Referral.id == ReferralTriage.referral_id)
        .where(ReferralTriage.state.in_(states.OPEN), ReferralTriage.state != "on_hold")
        .where(ReferralTriage.overdue_at.is_(None), Referral.created_at <= since, ~moved)
        .where(sa.or_(ReferralTriage.sub_status.is_(None), ReferralTriage.sub_status.not_in(PLANNED)))
        .limit(BATCH)
        .with_for_update(of=ReferralTriage, skip_locked=True)
    )
    session = db.session()
    marked = session.scalars(
        sa.update(ReferralTriage)
        .where(ReferralTriage.referral_id.in_(_once(waiting)))
        .values(overdue_at=at, version=ReferralTriage.version + 1)
        .returning(ReferralTriage.referral_id)
        .execution_options(synchronize_session=False)
    ).all()
    if marked:
        told = {"at": at, "act": "overdue", "actor_kind": "clinic", "actor": "system"}
        session.execute(sa.insert(ReferralEvent), [{"id": db.uuid7(), "referral_id": one, **told} for one in marked])
    return len(marked)


def purge(*, at: datetime) -> int:
    """Erase what never became an admission and was not touched for the configured time; returns how many.

    Its sender takes the referral and then the triage, the clinic the triage alone: both are taken here before anything
    is erased, and what somebody is at is left for the next turn, so that nobody waits for this and is waited for."""
    led_nowhere = (
        sa.select(Referral.id)
        .join(ReferralTriage, ReferralTriage.referral_id == Referral.id)
        .where(ReferralTriage.admitted_at.is_(None), ReferralTriage.document_verified_at.is_(None))
        .where(ReferralTriage.changed_at <= keeping.over_since(at))
        .limit(BATCH)
        .with_for_update(of=(Referral, ReferralTriage), skip_locked=True)
    )
    erased = db.session().execute(
        sa.delete(Referral).where(Referral.id.in_(_once(led_nowhere))).execution_options(synchronize_session=False)
    )
    return int(erased.rowcount)  # type: ignore[attr-defined]


def _once(limited: sa.Select[UUID]) -> sa.Select[UUID]:
    """So that PostgreSQL takes the rows once: a plan may ask a bare subquery again, past its limit."""
    taken = limited.cte("taken").prefix_with("MATERIALIZED")
    return sa.select(*taken.c)

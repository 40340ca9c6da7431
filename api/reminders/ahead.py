"""Planning check-ins as the days pass, when nothing else happens by which a plan would be made anew, and once a
program asks them at other times, which concerns everybody in it.

A plan reaches eight days ahead (`asking.AHEAD`); whoever has no entry for a window of the coming seven is planned anew.
That also finds what a failed turn left behind. No transaction plans for more than `MOST`: it holds what is theirs.
"""

from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from api import clock, db, queue
from api.checkins.models import CheckInSchedule
from api.enrollments.models import Enrollment
from api.programs.models import Program
from api.reminders import asking, ledger
from api.reminders.models import Reminder

JOB = "program-plans"
MOST = 100
BEFORE_ALL = UUID(int=0)
WEEK = timedelta(days=7)


def run() -> None:
    """Everybody who is asked check-ins, a hundred in a transaction, in the order of their ids."""
    at = clock.now()
    last = _turn(BEFORE_ALL, at)
    while last is not None:
        last = _turn(last, at)


def _turn(after: UUID, at: datetime) -> UUID | None:
    """Plan the next ones anew, as far as they need it; the last of them, None after everybody."""
    with db.transaction(db.WORKER):
        ids = db.session().scalars(_asked(at).where(Enrollment.patient_id > after).limit(MOST)).all()
        ledger.rewrite(patient_ids=list(_unplanned(ids, at)), at=at)
    return ids[-1] if ids else None


def plan_all_in(program_slugs: Collection[str], *, at: datetime) -> None:
    """Plan anew for everybody in these programs, in the running transaction; by jobs, where they are too many.

    What an old plan says meanwhile is judged before it is said, so nothing is said that is asked no more.
    """
    session, placed = db.session(), _placed_in(program_slugs, at)
    few = session.scalars(placed.limit(MOST + 1)).all()
    if len(few) <= MOST:
        ledger.rewrite(patient_ids=few, at=at)
        return
    for program_id in session.scalars(sa.select(Program.id).where(Program.slug.in_(program_slugs))):
        queue.enqueue(JOB, program_id=program_id, after=BEFORE_ALL)


@queue.job(JOB)
def plan_program(*, program_id: UUID, after: UUID) -> None:
    """Plan anew for the next ones in the program, in the order of their ids, and leave those after them to a further
    job of the same transaction."""
    at = clock.now()
    with db.transaction(db.WORKER) as session:
        slugs = session.scalars(sa.select(Program.slug).where(Program.id == program_id)).all()
        placed = _placed_in(slugs, at).where(Enrollment.patient_id > after)
        ids = session.scalars(placed.limit(MOST)).all()
        ledger.rewrite(patient_ids=ids, at=at)
        if len(ids) == MOST:
            queue.enqueue(JOB, program_id=program_id, after=ids[-1])


def _placed_in(program_slugs: Collection[str], at: datetime) -> sa.Select[UUID]:
    """Whose enrollment in one of these programs lasts, or lies ahead."""
    return _lasting(at).where(Enrollment.program_slug.in_(program_slugs))


def _asked(at: datetime) -> sa.Select[UUID]:
    return _lasting(at).where(Enrollment.program_slug.in_(sa.select(CheckInSchedule.program_slug)))


def _lasting(at: datetime) -> sa.Select[UUID]:
    return (
        sa.select(Enrollment.patient_id)
        .distinct()
        .where(Enrollment.status != "entered_in_error", sa.or_(Enrollment.ended_at.is_(None), Enrollment.ended_at > at))
        .order_by(Enrollment.patient_id)
    )


def _unplanned(patient_ids: Collection[UUID], at: datetime) -> Iterator[UUID]:
    """Who has no entry for a window that opens within a week."""
    row = Reminder.__table__.c
    found = sa.select(row.patient_id, row.instrument, row.opens_on).where(
        row.patient_id.in_(patient_ids), row.subject == "check_in", row.starts_at > at
    )
    planned = {tuple(one) for one in db.session().execute(found)}
    for patient_id, windows in asking.windows(patient_ids, at=at, until=at + WEEK).items():
        coming = {(patient_id, one.instrument, one.opens_on) for one in windows if one.opens_at > at}
        if coming - planned:
            yield patient_id

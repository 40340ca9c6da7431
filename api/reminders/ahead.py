"""Planning check-ins as the days pass, when nothing else happens by which a plan would be made anew, and once a
program asks them at other times, which concerns everybody in it.

A plan reaches eight days ahead (`asking.AHEAD`); whoever has no entry for a window of the coming seven, or one for
another hour, is planned anew. That also finds who is asked at other times by now and whose job failed. No transaction
plans for more than `MOST`: it holds what is theirs. Somebody who cannot be planned for keeps nobody else from it.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import exc

from api import clock, db, errors, queue
from api.checkins.models import CheckInSchedule
from api.enrollments.models import Enrollment
from api.observe import log
from api.programs.models import Program
from api.reminders import asking, ledger
from api.reminders.models import Reminder

JOB = "program-plans"
MOST = 100
BEFORE_ALL = UUID(int=0)
WEEK = timedelta(days=7)

Planning = Callable[[Sequence[UUID], datetime], None]


def run() -> None:
    """Everybody who is asked check-ins, as far as they need it, in the order of their ids."""
    at = clock.now()
    ids = _first(_asked(at), after=BEFORE_ALL)
    while ids:
        _plan_each(ids, at, by=_fill_in)
        ids = _first(_asked(at), after=ids[-1])


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
    job."""
    at = clock.now()
    with db.transaction(db.WORKER) as session:
        slugs = session.scalars(sa.select(Program.slug).where(Program.id == program_id)).all()
    ids = _first(_placed_in(slugs, at), after=after)
    _plan_each(ids, at, by=_plan)
    if len(ids) == MOST:
        with db.transaction(db.WORKER):
            queue.enqueue(JOB, program_id=program_id, after=ids[-1])


def _first(patients: sa.Select[UUID], *, after: UUID) -> Sequence[UUID]:
    with db.transaction(db.WORKER) as session:
        return session.scalars(patients.where(Enrollment.patient_id > after).limit(MOST)).all()


def _plan_each(patient_ids: Sequence[UUID], at: datetime, *, by: Planning) -> None:
    """In one transaction; in one of their own each where somebody cannot be planned for. Raises when the database is in
    trouble."""
    try:
        with db.transaction(db.WORKER):
            by(patient_ids, at)
    except (errors.Unavailable, exc.DBAPIError):
        raise
    except Exception as error:
        if len(patient_ids) == 1:
            log.error("check-ins cannot be planned", key=str(patient_ids[0]), error=type(error).__name__)
            return
        for one in patient_ids:
            _plan_each([one], at, by=by)


def _plan(patient_ids: Sequence[UUID], at: datetime) -> None:
    ledger.rewrite(patient_ids=patient_ids, at=at)


def _fill_in(patient_ids: Sequence[UUID], at: datetime) -> None:
    ledger.rewrite(patient_ids=list(_unplanned(patient_ids, at)), at=at)


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
    """Who has no entry for a window that opens within a week, at its hour."""
    row = Reminder.__table__.c
    found = sa.select(row.patient_id, row.instrument, row.opens_on, row.opens_at).where(
        row.patient_id.in_(patient_ids), row.subject == "check_in", row.starts_at > at
    )
    planned = {tuple(one) for one in db.session().execute(found)}
    for patient_id, windows in asking.windows(patient_ids, at=at, until=at + WEEK).items():
        coming = {(patient_id, one.instrument, one.opens_on, one.opens_at) for one in windows if one.opens_at > at}
        if coming - planned:
            yield patient_id

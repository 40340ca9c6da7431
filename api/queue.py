"""Background work: ticks that come round by the clock, and jobs put in by the transaction that makes them true.

A job is a name and opaque ids in `jobs.procrastinate_jobs`; any worker runs it, again after a failure or a killed
worker, so a job may run more than once. A tick is a function that the workers call every so many seconds. Ticks do not
pass through procrastinate's periodic jobs: they claim their work by rows anyway, a tick once a second would leave four
dead rows each time, and reminders and safety alerts must never wait behind slow jobs or a killed worker's lock. Which
worker takes a turn is settled in one row per tick, by the database's clock.

Slices register with `every` and `job`; this module knows none of them, and `worker` runs what is registered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db

SECONDS_BETWEEN_BEATS = 5
# A worker that has just slept may be a little early by the database's clock; its turn is not to be lost for that.
EARLY = 0.8

TickFunction = Callable[[], bool | None]
JobFunction = Callable[..., None]

_ENQUEUE = sa.text("SELECT jobs.enqueue(:task, CAST(:args AS jsonb), CAST(:delay AS interval), :once)").bindparams(
    sa.bindparam("args", type_=sa.JSON), sa.bindparam("delay", type_=sa.Interval)
)
_SPARE = sa.text("""
    DELETE FROM jobs.procrastinate_jobs WHERE id IN (
        SELECT id FROM jobs.procrastinate_jobs
        WHERE status = 'todo' AND task_name = :task AND args = CAST(:args AS jsonb)
          AND coalesce(scheduled_at <= now(), true)
        FOR UPDATE SKIP LOCKED)
""").bindparams(sa.bindparam("args", type_=sa.JSON))
_BEGIN = sa.text(
    "INSERT INTO jobs.ticks AS tick (name, begun_at) VALUES (:name, now()) ON CONFLICT (name) DO UPDATE"
    " SET begun_at = now() WHERE tick.begun_at <= now() - make_interval(secs => :seconds) RETURNING true"
)
_SUCCEED = sa.text("UPDATE jobs.ticks SET succeeded_at = now() WHERE name = :name")
_BEAT = sa.text(
    "INSERT INTO jobs.heartbeats AS beat (worker_id, beat_at) VALUES (:worker_id, now())"
    " ON CONFLICT (worker_id) DO UPDATE SET beat_at = now()"
)
_FORGET = sa.text("DELETE FROM jobs.heartbeats WHERE worker_id = :worker_id OR beat_at < now() - interval '1 day'")
_QUIET = sa.text("SELECT extract(epoch FROM now() - max(beat_at)) FROM jobs.heartbeats")


@dataclass(frozen=True, slots=True)
class Tick:
    """`function` answers True when it left work that is due already; it is called again at once then."""

    name: str
    seconds: float
    function: TickFunction


@dataclass(frozen=True, slots=True)
class Job:
    """`attempts` counts the first one."""

    name: str
    attempts: int
    function: JobFunction


ticks: dict[str, Tick] = {}
jobs: dict[str, Job] = {}
stops: list[Callable[[], None]] = []


def every(seconds: float, name: str) -> Callable[[TickFunction], TickFunction]:
    """Registers a tick. It begins at most once in `seconds` in the whole house, but one that takes longer may meet
    itself in another worker: claim rows with SKIP LOCKED, or take an advisory lock. Raises ValueError on a name twice.
    """

    def register(function: TickFunction) -> TickFunction:
        _add(ticks, Tick(name, seconds, function))
        return function

    return register


def job(name: str, *, attempts: int = 5) -> Callable[[JobFunction], JobFunction]:
    """Registers what runs the jobs of this name; it gets the ids as UUIDs by keyword, outside of any transaction."""

    def register(function: JobFunction) -> JobFunction:
        _add(jobs, Job(name, attempts, function))
        return function

    return register


def at_stop(finish: Callable[[], None]) -> None:
    """Has `finish` called when the worker is told to stop: for what jobs have left to threads. It may take its time,
    within the worker's grace."""
    stops.append(finish)


def enqueue(name: str, *, delay: timedelta = timedelta(0), once: UUID | None = None, **ids: UUID) -> None:
    """Puts a job into the running transaction: it exists when that commits. `delay` counts by the database's clock.
    With `once`, a job of this name that still waits under the same id stands for this one too.
    """
    task = jobs[name].name
    args = {key: str(value) for key, value in ids.items()}
    lock = f"{name}:{once}" if once else None
    db.session().execute(_ENQUEUE, {"task": task, "args": args, "delay": delay, "once": lock})


def spare(name: str, **ids: UUID) -> None:
    """Takes away the jobs of this name and these ids that could run now, as whoever calls is about to do what all of
    them ask. It is done with the running transaction; jobs that come later stay."""
    args = {key: str(value) for key, value in ids.items()}
    db.session().execute(_SPARE, {"task": jobs[name].name, "args": args})


def begin(tick: Tick) -> bool:
    """Takes the turn of this interval, unless another worker has it."""
    with db.transaction(db.WORKER) as session:
        return bool(session.scalar(_BEGIN, {"name": tick.name, "seconds": tick.seconds * EARLY}))


def succeed(tick: Tick) -> None:
    with db.transaction(db.WORKER) as session:
        session.execute(_SUCCEED, {"name": tick.name})


def beat(worker_id: UUID) -> None:
    with db.transaction(db.WORKER) as session:
        session.execute(_BEAT, {"worker_id": worker_id})


def forget(worker_id: UUID) -> None:
    """Takes a worker that stops, and those that died long ago, from the list of the living."""
    with db.transaction(db.WORKER) as session:
        session.execute(_FORGET, {"worker_id": worker_id})


def quiet_seconds() -> float | None:
    """How long ago any worker was last alive, asked in the running transaction; None where there never was one."""
    seconds = db.session().scalar(_QUIET)
    return None if seconds is None else float(seconds)


def _add(registry: dict[str, Any], entry: Tick | Job) -> None:
    if registry.setdefault(entry.name, entry) != entry:
        raise ValueError(f"two functions are registered as {entry.name}")

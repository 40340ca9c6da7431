"""The worker process: every tick in a thread of its own, and procrastinate for the jobs.

Nothing that the database does ends it: a tick that fails comes round again, and the loop of jobs starts anew when its
connections break. Told to stop, it finishes what it has in hand and takes nothing new. It beats in
`jobs.heartbeats` while all of its threads live; one that died ends the process, for whoever supervises it.
"""

import asyncio
import contextlib
import logging
import signal
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import procrastinate
import psycopg
import sqlalchemy as sa
from procrastinate import worker as procrastinate_worker

from api import db, postgres, queue
from api.observe import log

JOBS_AT_ONCE = 4
GRACE_SECONDS = 20
STALLED_SECONDS = 30
# Startup options hold for every connection of procrastinate's pool and for the one that listens.
ENTER = "-c role=continuum_worker -c search_path=jobs"

_STALLED = sa.text("""
    SELECT job.id, job.attempts,
        job.queueing_lock IS NOT NULL AND EXISTS (
            SELECT FROM jobs.procrastinate_jobs AS other
            WHERE other.queueing_lock = job.queueing_lock AND other.status = 'todo') AS replaced
    FROM jobs.procrastinate_jobs AS job
    LEFT JOIN jobs.procrastinate_workers AS worker ON worker.id = job.worker_id
    WHERE job.status = 'doing'
      AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => :seconds))
    FOR UPDATE OF job SKIP LOCKED
""")
_RETRY = sa.text("SELECT jobs.procrastinate_retry_job_v2(:id, now(), NULL, NULL, NULL)")
_GIVE_UP = sa.text("SELECT jobs.procrastinate_finish_job_v1(:id, 'failed', false)")
_DELETE_OLD = sa.text("""
    DELETE FROM jobs.procrastinate_jobs AS job
    WHERE job.status IN ('failed', 'cancelled', 'aborted') AND NOT EXISTS (
        SELECT FROM jobs.procrastinate_events AS event
        WHERE event.job_id = job.id AND event.at > now() - interval '30 days')
""")
MOST_DEATHS = 5


class JobFailed(Exception):
    """A job raised; what it said may carry personal data and stays out of the queue's log."""


class Steady:
    """A call that outlives whatever it raises. It logs the first failure of a series, and the end of the series; only
    the kind of an error is written down, since its words may be personal."""

    def __init__(self, name: str, function: Callable[[], Any]) -> None:
        self._name, self._function, self._failures = name, function, 0

    def __call__(self) -> None:
        try:
            self._function()
        except Exception as error:
            if not self._failures:
                log.error("worker part failed", part=self._name, error=type(error).__name__)
            self._failures += 1
        else:
            if self._failures:
                log.info("worker part recovered", part=self._name, failures=self._failures)
            self._failures = 0


class Worker:
    """Runs all that is registered until `stop()`."""

    def __init__(self, database_url: str) -> None:
        self.id = db.uuid7()
        self._stopping = threading.Event()
        self._jobs = Jobs(database_url)
        own = [queue.Tick("jobs-of-killed-workers", 10, retry_stalled), queue.Tick("old-jobs", 3600, delete_old)]
        loops = [self._jobs.run, *(Turns(tick, self._stopping).run for tick in (*own, *queue.ticks.values()))]
        self._threads = [threading.Thread(target=loop, daemon=True) for loop in loops]

    def stop(self) -> None:
        """May be called from a signal handler, and twice."""
        self._stopping.set()

    def run(self) -> bool:
        """Returns when stopped: True if by `stop`, False if a thread died."""
        log.info("worker started", ticks=sorted(queue.ticks), jobs=sorted(queue.jobs))
        beat = Steady("heartbeat", lambda: queue.beat(self.id))
        for thread in self._threads:
            thread.start()
        while not self._stopping.is_set() and all(thread.is_alive() for thread in self._threads):
            beat()
            self._stopping.wait(queue.SECONDS_BETWEEN_BEATS)
        wanted = self._stopping.is_set()
        self._finish()
        log.info("worker stopped", wanted=wanted)
        return wanted

    def _finish(self) -> None:
        self._stopping.set()
        deadline = time.monotonic() + GRACE_SECONDS
        self._jobs.stop()
        for finish in queue.stops:
            Steady("what jobs left to finish", finish)()
        while any(thread.is_alive() for thread in self._threads) and time.monotonic() < deadline:
            self._jobs.stop()
            time.sleep(0.05)
        Steady("heartbeat", lambda: queue.forget(self.id))()


class Turns:
    """One tick coming round in its own thread."""

    def __init__(self, tick: queue.Tick, stopping: threading.Event) -> None:
        self.tick, self._stopping = tick, stopping

    def run(self) -> None:
        take = Steady(self.tick.name, self.take)
        while not self._stopping.is_set():
            take()
            self._stopping.wait(self.tick.seconds)

    def take(self) -> None:
        """Runs the tick if it is our turn, and on while it says that more is due."""
        if not queue.begin(self.tick):
            return
        while self.tick.function() and not self._stopping.is_set():
            pass
        queue.succeed(self.tick)


class Jobs:
    """procrastinate's worker in a thread, begun again whenever its connections break."""

    def __init__(self, database_url: str) -> None:
        self._url = postgres.libpq(database_url)
        self._stopping = threading.Event()
        self._current: procrastinate_worker.Worker | None = None

    def run(self) -> None:
        work = Steady("jobs", lambda: asyncio.run(self.work(wait=True)))
        while not self._stopping.is_set():
            work()
            self._stopping.wait(1)

    def stop(self) -> None:
        """To be called until the thread has ended: procrastinate forgets what it was told while it starts."""
        self._stopping.set()
        if self._current is not None:
            # Its event loop may be closing just now.
            with contextlib.suppress(RuntimeError):
                self._current.stop()  # type: ignore[no-untyped-call]

    async def work(self, *, wait: bool) -> None:
        """Runs jobs until stopped, or with `wait=False` until none is due."""
        # A pool waits half a minute for a server that is not there; a plain connection says so at once.
        await (await psycopg.AsyncConnection.connect(self._url, connect_timeout=5)).close()
        async with _app(self._url).open_async() as app:
            self._current = procrastinate_worker.Worker(
                app,
                concurrency=JOBS_AT_ONCE,
                wait=wait,
                delete_jobs="successful",
                install_signal_handlers=False,
                shutdown_graceful_timeout=GRACE_SECONDS,
                stalled_worker_timeout=STALLED_SECONDS,
                listen_notify=wait,
            )
            if not self._stopping.is_set():
                await self._current.run()  # type: ignore[no-untyped-call]


def main(database_url: str) -> int:
    """The process: 0 when it was told to stop, 1 when a part of it died."""
    for noisy in ("procrastinate", "psycopg.pool"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    worker = Worker(database_url)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    return 0 if worker.run() else 1


def drain(database_url: str) -> None:
    """Runs the jobs that are due and returns, for tests."""
    asyncio.run(Jobs(database_url).work(wait=False))


def retry_stalled() -> None:
    """Puts the jobs of killed workers back; gives up on one that has killed `MOST_DEATHS`, or that was asked again."""
    with db.transaction(db.WORKER) as session:
        for stalled in session.execute(_STALLED, {"seconds": STALLED_SECONDS}).all():
            given_up = stalled.replaced or stalled.attempts >= MOST_DEATHS
            session.execute(_GIVE_UP if given_up else _RETRY, {"id": stalled.id})


def delete_old() -> None:
    """Failed jobs stay 30 days for whoever looks into them."""
    with db.transaction(db.WORKER) as session:
        session.execute(_DELETE_OLD)


def _app(url: str) -> procrastinate.App:
    pool: dict[str, Any] = {
        "min_size": 1,
        "max_size": JOBS_AT_ONCE,
        "timeout": 5,
        "kwargs": {"options": ENTER, "connect_timeout": 5},
    }
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url, **pool))
    for job in queue.jobs.values():
        again = procrastinate.RetryStrategy(max_attempts=job.attempts - 1, exponential_wait=4)
        app.task(name=job.name, retry=again if job.attempts > 1 else False)(_discreet(job))
    return app


def _discreet(job: queue.Job) -> Callable[..., None]:
    def run(**ids: str) -> None:
        try:
            job.function(**{key: UUID(value) for key, value in ids.items()})
        except Exception as error:
            log.error("job failed", job=job.name, error=type(error).__name__)
            raise JobFailed(job.name) from None

    return run

"""Who sends due reminders: our worker as its process begins, its own statements by bare psycopg, and a job of
procrastinate for each.

Each runs in a process of its own, begins when all of them are ready, and ends when nothing is due any more.
"""

import asyncio
import gc
import pickle
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from uuid import UUID

import procrastinate
import psycopg
import sqlalchemy as sa
from psycopg_pool import AsyncConnectionPool

from api import db, direct
from api.messages.gateway import ACCEPTED, Message
from api.messages.post import Post
from api.reminders import worker
from tests.faults.workers import context

PATIENCE_SECONDS = 300
JOBS_AT_ONCE = 16
COMMIT = "COMMIT"
SENT = """
UPDATE public.reminders SET state = 'sent', sent_at = now(), text = 'You have an appointment.', channel = 'push',
  changed_at = now() WHERE id = %s AND state = 'planned'
"""


class NoCost:
    """A gateway that takes everything at once."""

    def deliver(self, message: Message) -> str:
        return ACCEPTED

    def accepted(self, keys: Iterable[str]) -> frozenset[str]:
        return frozenset()


def ours(begin: Barrier, url: str, at: datetime) -> None:
    _connected(url)
    gc.freeze()
    post = Post(house=NoCost())
    with timed(begin):
        while worker.tick(at=at, post=post):
            pass


def recorded(begin: Barrier, url: str, at: datetime, file: Path) -> None:
    """Ours, writing down every statement with its values, for `bare`."""
    said: list[tuple[Any, Any]] = []

    class Recording(psycopg.Cursor[Any]):
        def execute(self, query: Any, params: Any = None, **how: Any) -> "Recording":
            said.append((query, params))
            return super().execute(query, params, **how)

    on = direct.Statement.on

    def goes_out(self: direct.Statement, connection: psycopg.Connection[Any], parameters: Any) -> direct.Asked:
        said.append((self.sql, self.in_order(parameters)))
        return on(self, connection, parameters)

    direct.Statement.on = goes_out  # type: ignore[method-assign]
    _connected(url)
    sa.event.listen(db.engine(), "checkout", lambda driver, *_: setattr(driver, "cursor_factory", Recording))
    sa.event.listen(db.engine(), "commit", lambda _: said.append((COMMIT, None)))
    with timed(begin):
        while worker.tick(at=at, post=Post(house=NoCost())):
            pass
    file.write_bytes(pickle.dumps(said))


def bare(begin: Barrier, dsn: str, file: Path) -> None:
    """The same statements with the same values and transactions; every row is fetched, and nothing made of it."""
    said = pickle.loads(file.read_bytes())
    with psycopg.connect(dsn, prepare_threshold=2) as connection, timed(begin):
        for statement, values in said:
            if statement == COMMIT:
                connection.commit()
                continue
            # What goes to libpq directly has numbered places.
            cursor = psycopg.RawCursor(connection) if isinstance(values, list) else connection.cursor()
            if cursor.execute(statement, values).description:
                cursor.fetchall()


def by_jobs(begin: Barrier, dsn: str) -> None:
    """One job a reminder, which does no more than write down that it was sent."""
    asyncio.run(_by_jobs(begin, dsn))


async def _by_jobs(begin: Barrier, dsn: str) -> None:
    connector = procrastinate.PsycopgConnector(conninfo=dsn, kwargs={"options": "-c search_path=jobs"})
    app = procrastinate.App(connector=connector)
    async with AsyncConnectionPool(dsn, min_size=4, max_size=4, kwargs={"autocommit": True}) as pool, app.open_async():

        @app.task(name="send")
        async def send(*, id: str) -> None:
            async with pool.connection() as connection:
                await connection.execute(SENT, (UUID(id),))

        with timed(begin):
            await app.run_worker_async(queues=["bench"], wait=False, concurrency=JOBS_AT_ONCE, listen_notify=False)


def race(work: Callable[..., None], *arguments: Any, times: int = 1) -> float:
    """The seconds that `times` processes took together. Raises `threading.BrokenBarrierError` when one fails."""
    made = context()
    begin = made.Barrier(times + 1)
    processes = [made.Process(target=work, args=(begin, *arguments), daemon=True) for _ in range(times)]
    for one in processes:
        one.start()
    begin.wait(PATIENCE_SECONDS)
    began = time.perf_counter()
    begin.wait(PATIENCE_SECONDS)
    took = time.perf_counter() - began
    for one in processes:
        one.join()
    return took


@contextmanager
def timed(begin: Barrier) -> Iterator[None]:
    try:
        begin.wait(PATIENCE_SECONDS)
        yield
        begin.wait(PATIENCE_SECONDS)
    except BaseException:
        begin.abort()
        raise


def _connected(url: str) -> None:
    db.open_engine(url, pool=2, statement_timeout_ms=60_000)
    with db.transaction(db.WORKER):
        pass


def told(work: Callable[..., dict[str, float]], *arguments: Any) -> dict[str, float]:
    """What `work` returns, from a process of its own."""
    with context().Pool(1) as pool:
        return pool.apply(work, arguments)

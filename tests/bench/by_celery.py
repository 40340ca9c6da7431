"""The same due work by Celery with Redis, where `redis-server` is at hand: a task for each reminder, as its
documentation teaches, by threads of one worker process. It does no more than write down that a reminder was sent."""

import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from uuid import UUID

import celery
import psycopg
from celery.signals import task_postrun
from celery.worker import state
from psycopg_pool import ConnectionPool

from tests.bench.senders import JOBS_AT_ONCE, SENT, timed

DUE = "SELECT id FROM reminders WHERE state = 'planned' AND due_at <= %s"


def at_hand() -> bool:
    return shutil.which("redis-server") is not None


@contextmanager
def redis() -> Iterator[str]:
    """A Redis that keeps nothing on disk and listens at a socket only; gives its address."""
    # A socket's path may have 107 bytes.
    with tempfile.TemporaryDirectory(prefix="redis-", dir="/tmp") as folder:
        socket = Path(folder) / "redis.sock"
        words = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--appendonly", "no", "--dir", folder]
        server = subprocess.Popen(["redis-server", *words], stdout=subprocess.DEVNULL)
        try:
            while not socket.exists():
                if server.poll() is not None:
                    raise RuntimeError("redis-server did not start")
            yield f"redis+socket://{socket}"
        finally:
            server.terminate()
            server.wait()


def send(begin: Barrier, broker: str, dsn: str, at: Any) -> None:
    """Every task is put in before the clock starts."""
    app = _app(broker)
    with psycopg.connect(dsn) as connection, ConnectionPool(dsn, min_size=4, max_size=4, open=True) as pool:
        due = [str(one) for (one,) in connection.execute(DUE, (at,))]

        @app.task(name="send")  # type: ignore[untyped-decorator]
        def write_down(id: str) -> None:
            with pool.connection() as held:
                held.execute(SENT, (UUID(id),))

        for one in due:
            write_down.delay(one)
        over = itertools.count(1)

        def heard(**_: Any) -> None:
            if next(over) == len(due):
                state.should_stop = 0

        task_postrun.connect(heard)
        flags = dict.fromkeys(("without_gossip", "without_mingle", "without_heartbeat"), True)
        worker = app.WorkController(pool="threads", concurrency=JOBS_AT_ONCE, **flags)
        with timed(begin), suppress(SystemExit):
            worker.start()


def _app(broker: str) -> Any:
    app = celery.Celery("bench", broker=broker)
    app.conf.update(task_ignore_result=True, worker_hijack_root_logger=False, broker_connection_retry_on_startup=False)
    return app

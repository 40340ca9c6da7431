"""R4 and R5: what telling partners costs beside jobs that do nothing, and whether one that hangs slows the others."""

import asyncio
import gc
import itertools
import os
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from uuid import UUID

import procrastinate
import psycopg

from api import app, config, db, postgres, safekeeping, worker
from api.children import Child
from api.webhooks import worker as webhooks
from api.webhooks.models import SECRET
from tests.bench import figures, partners
from tests.bench.clinics import Clinic
from tests.bench.contest import Figure
from tests.bench.receivers import Accepted, Receivers, receiving
from tests.bench.senders import PATIENCE_SECONDS, race, timed
from tests.bench.servers import ROOT, command_of

ENDPOINTS, EACH, ROUNDS = 10, 50, 5
EVENTS = ENDPOINTS * EACH
STEADY, HANGING, CYCLES, A_SECOND, TURNS = 8, 8, 8, 10, 3
ENDPOINT = """
INSERT INTO webhook_endpoints (id, client_id, url, event_types, status, verified_at, secret, secret_made_by)
VALUES (%s, %s, %s, '{referral.received,referral.updated}', 'active', now(), %s, '')
"""
TIDY = """
DELETE FROM webhook_deliveries; DELETE FROM webhook_events; DELETE FROM jobs.procrastinate_events;
DELETE FROM jobs.procrastinate_jobs; DELETE FROM jobs.procrastinate_workers;
UPDATE webhook_endpoints SET busy_until = NULL, busy_by = NULL, not_before = NULL
"""
ANNOUNCED = """
SELECT announce_webhook(gen_random_uuid(), client_id, %(type)s, id, 1, now(), %(check)s, NULL)
FROM (SELECT * FROM referrals ORDER BY own_identifier, client_id) AS one
"""
ONE = "SELECT announce_webhook(%s, %s, 'referral.received', gen_random_uuid(), 1, now(), NULL, NULL)"
EMPTY = """
INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, args)
SELECT 'bench', 'nothing', jsonb_build_object('endpoint_id', id) FROM referrals
"""
LEFT = """
SELECT (SELECT count(*) FROM jobs.procrastinate_jobs)
  + (SELECT count(*) FROM webhook_deliveries WHERE state <> 'delivered')
"""


def deliveries(clinic: Clinic) -> figures.Measured:
    """R4: what is told as it is, and what the gate is asked about before, each beside as many jobs that do nothing."""
    patients = list(clinic.tokens())[:EACH]
    some = [one.client_id for one in partners.sent(clinic, partners=ENDPOINTS, each=EACH, patients=patients)]
    with receiving() as receivers:
        urls = receivers.urls(ENDPOINTS)
        _furnish(clinic, dict(zip(some, urls, strict=True)))
        ways = {
            "jobs": partial(_emptied, clinic),
            "webhooks": partial(_told, clinic, receivers, urls, {"type": "referral.received", "check": None}),
            "webhooks asked about": partial(
                _told, clinic, receivers, urls, {"type": "referral.updated", "check": "referral.updated"}
            ),
        }
        rounds = [{name: ways[name]() for name in _turned(ways, number)} for number in range(ROUNDS)]
    return [
        Figure("R4", "webhooks_by_jobs", _ratio(rounds, "jobs", "webhooks"), 0.5),
        Figure("R4", "webhooks_asked_by_jobs", _ratio(rounds, "jobs", "webhooks asked about")),
    ], {name: round(EVENTS / statistics.median(one[name] for one in rounds)) for name in ways}


def _ratio(rounds: Sequence[dict[str, float]], over: str, under: str) -> float:
    return statistics.median(one[over] / one[under] for one in rounds)


def _furnish(clinic: Clinic, urls: dict[UUID, str]) -> None:
    """An active endpoint for each of these partners."""
    with clinic.unhindered() as connection:
        for client_id, url in urls.items():
            endpoint_id = db.uuid7()
            secret = safekeeping.seal(b"0" * 32, place=SECRET, row=endpoint_id)
            connection.execute(ENDPOINT, (endpoint_id, client_id, url, secret))


def _emptied(clinic: Clinic) -> float:
    return _run(clinic, EMPTY, {}, partial(race, empty_jobs, postgres.libpq(clinic.settings()["DATABASE_URL"])))


def _told(clinic: Clinic, receivers: Receivers, urls: Sequence[str], event: dict[str, Any]) -> float:
    receivers.accepted()
    took = _run(clinic, ANNOUNCED, event, partial(race, tell, _listing(clinic, urls)))
    if (accepted := len(receivers.accepted())) != EVENTS:
        raise AssertionError(f"{accepted} of {EVENTS} webhooks were accepted")
    return took


def _run(clinic: Clinic, fill: str, values: dict[str, Any], way: Callable[[], float]) -> float:
    """Seconds, in tables as tidy as before."""
    with _tidied(clinic) as connection:
        connection.execute(fill.encode(), values)
        connection.execute("VACUUM ANALYZE")
        took = way()
        if (left := connection.execute(LEFT).fetchone()) != (0,):
            raise AssertionError(f"{left} were left undone")
    return took


@contextmanager
def _tidied(clinic: Clinic) -> Iterator[psycopg.Connection[Any]]:
    with clinic.unhindered() as connection:
        connection.execute(TIDY)
        yield connection


def _listing(clinic: Clinic, urls: Sequence[str]) -> dict[str, str]:
    """The settings of a worker that may tell these addresses of this machine."""
    return {**clinic.settings(), "WEBHOOK_LOOPBACK": ",".join(urls)}


def tell(begin: Barrier, settings: dict[str, str]) -> None:
    """Our worker's jobs and senders, until nothing is due."""
    read = config.read(settings)
    app.open_house(read)
    gc.freeze()
    with timed(begin):
        worker.drain(read.database_url)
        webhooks.senders.wait(PATIENCE_SECONDS)


def empty_jobs(begin: Barrier, dsn: str) -> None:
    """procrastinate's worker, as ours begins it, with jobs that do nothing."""
    asyncio.run(_empty_jobs(begin, dsn))


async def _empty_jobs(begin: Barrier, dsn: str) -> None:
    connector = procrastinate.PsycopgConnector(conninfo=dsn, kwargs={"options": worker.ENTER})
    jobs = procrastinate.App(connector=connector)

    @jobs.task(name="nothing")
    async def nothing(**ids: str) -> None:
        """Nothing."""

    gc.freeze()
    async with jobs.open_async():
        with timed(begin):
            await jobs.run_worker_async(
                queues=["bench"],
                wait=False,
                concurrency=worker.JOBS_AT_ONCE,
                delete_jobs="successful",
                listen_notify=False,
            )


def hanging(clinic: Clinic, folder: Path) -> figures.Measured:
    """R5: how long after an event the same endpoints accept it, alone and beside others that hang."""
    with clinic.unhindered() as connection:
        values = {"scopes": [], "partners": STEADY + HANGING}
        some = [one for (one,) in connection.execute(partners.PARTNERS, values)]
    with receiving() as receivers:
        _furnish(clinic, dict(zip(some, receivers.urls(STEADY + HANGING, hanging=HANGING), strict=True)))
        counts = {"none": 0, "one": 1, "several": HANGING}
        # Whoever comes first, right after the tables were filled, waits for the disk.
        _delay(clinic, folder, receivers, some[:STEADY])
        rounds = [
            {name: _delay(clinic, folder, receivers, some[: STEADY + counts[name]]) for name in _turned(counts, number)}
            for number in range(TURNS)
        ]
    return [
        Figure("R5", f"webhooks_beside_{name}_hanging", _ratio(rounds, name, "none"), 1.5, most=True)
        for name in ("one", "several")
    ], {f"ms beside {name} hanging": round(statistics.median(one[name] for one in rounds) * 1e3) for name in counts}


def _turned(names: Iterable[str], number: int) -> list[str]:
    """Every second round in reverse."""
    return list(names)[:: 1 if number % 2 else -1]


def _delay(clinic: Clinic, folder: Path, receivers: Receivers, some: Sequence[UUID]) -> float:
    """The median of the steady ones, which get as many events as ever, after one each that is not measured."""
    urls, beside = receivers.urls(STEADY + HANGING, hanging=HANGING), some[STEADY:]
    with _tidied(clinic) as connection, _working(_listing(clinic, urls), folder):
        for cycles in (1, CYCLES):
            receivers.accepted()
            told: Accepted = {}
            for steady, hangs in list(itertools.zip_longest(some[:STEADY], beside)) * cycles:
                if hangs:
                    _announced(connection, hangs)
                told |= _announced(connection, steady)
                time.sleep(1 / A_SECOND)
            accepted = _awaited(receivers, len(told))
    return statistics.median(accepted[event_id] - at for event_id, at in told.items())


@contextmanager
def _working(env: dict[str, str], folder: Path) -> Iterator[None]:
    """A worker as deployments start it; at the end it is not waited for."""
    child = Child(
        "worker", command_of("api.cli", "worker"), env={**os.environ, **env}, cwd=ROOT, log=folder / "worker.log"
    )
    try:
        yield
    finally:
        child.stop(0)


def _announced(connection: psycopg.Connection[Any], client_id: UUID) -> Accepted:
    """An event, and when it had become true."""
    event_id = db.uuid7()
    connection.execute(ONE, (event_id, client_id))
    return {str(event_id): time.monotonic()}


def _awaited(receivers: Receivers, count: int) -> Accepted:
    """When so many webhooks were accepted. Raises AssertionError when they are not."""
    found, until = receivers.accepted(), time.monotonic() + PATIENCE_SECONDS
    while len(found) < count:
        if time.monotonic() > until:
            raise AssertionError(f"{len(found)} of {count} webhooks were accepted")
        time.sleep(0.05)
        found |= receivers.accepted()
    return found

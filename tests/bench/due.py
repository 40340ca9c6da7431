"""P5: how fast due reminders are said, and what planning, moving and closing cost."""

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from api import db, postgres
from api.messages.post import Post
from api.programs import locations
from api.reminders import ledger, worker
from api.sessions import service as sessions
from tests.bench import senders
from tests.bench.contest import Figure
from tests.bench.senders import race, told
from tests.conftest import migrate
from tests.faults import crowd
from tests.faults.crowd import DUE, WEEK_BEGINS, Crowd
from tests.faults.workers import filled

REMINDERS, ROUNDS = 1_500, 3
AT = DUE + timedelta(minutes=5)
IDLE_TICKS = 200
MEMBERS, WEEKS, MOVES = 30, 12, 5
TOLD_AFTER = timedelta(minutes=5)
CLOSED_SESSIONS, ATTENDING = 40, 100
FUTURE = """
SET session_replication_role = replica;
INSERT INTO reminders (id, patient_id, subject, session_id, revision, kind, lead, starts_at, time_zone, due_at,
  expires_at, state, reason, created_at, changed_at, version)
SELECT gen_random_uuid(), gen_random_uuid(), 'session', gen_random_uuid(), 1, 'appointment', 'hours_2',
  %(at)s::timestamptz + n * interval '1 minute', 'America/New_York', %(at)s::timestamptz + n * interval '1 minute',
  %(at)s::timestamptz + n * interval '1 minute', 'planned', 'on_time', %(at)s, %(at)s, 1
FROM generate_series(1, 1000000) n
"""
AGAIN = """
SET session_replication_role = replica;
UPDATE patients SET time_zone = NULL;
UPDATE reminders SET state = 'planned', reason = 'on_time', sent_at = NULL, text = NULL, channel = NULL, attempts = 0,
  lease = NULL, leased_until = NULL WHERE state IN ('sent', 'not_sent');
DELETE FROM reminder_states; DELETE FROM jobs.procrastinate_events; DELETE FROM jobs.procrastinate_jobs;
INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, args)
SELECT 'bench', 'send', jsonb_build_object('id', id) FROM reminders WHERE state = 'planned' AND due_at <= %(at)s
"""
AT_A_PLACE = """
WITH place AS (
  INSERT INTO locations (id, name, street, city, region, postal_code, country, time_zone, programs,
    answers_clinic_line)
  VALUES (gen_random_uuid(), 'House', '1 Example Street', 'Example', 'NY', '10001', 'US', 'America/New_York', '{}',
    false)
  RETURNING id)
UPDATE care_sessions SET modality = 'in_person', location_id = place.id FROM place RETURNING place.id
"""

Measured = tuple[list[Figure], dict[str, float]]


def due(server: postgres.Server, folder: Path) -> Measured:
    crowds = databases(server, {"due": REMINDERS, "planned": MEMBERS, "closed": ATTENDING})
    sending, medians = _sending(crowds["due"], folder)
    group = told(planning, crowds["planned"])
    closure = told(closing, crowds["closed"])
    return [
        *sending,
        Figure("P5", "idle_tick_ms", told(idle, crowds["due"])["ms"], 5, most=True),
        Figure("P5", "plan_group_seconds", group["plan"], 1, most=True),
        Figure("P5", "move_group_ms", group["move"] * 1e3, 100, most=True),
        Figure("P5", "closure_seconds", closure["close"], 2, most=True),
        Figure("P5", "closure_longest_read_ms", closure["read"] * 1e3, 100, most=True),
    ], medians


def databases(server: postgres.Server, counts: dict[str, int]) -> dict[str, Crowd]:
    """Migrated once, and copied."""
    first, *others = counts
    postgres.prepare(server, first)
    migrate(server, first)
    for name in others:
        with psycopg.connect(server.dsn(postgres.SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {first} OWNER continuum_owner".encode())
        postgres.prepare(server, name)
    return {
        name: Crowd(server.dsn(postgres.SUPERUSER, name), server.url("continuum_app", name), count)
        for name, count in counts.items()
    }


def _sending(some: Crowd, folder: Path) -> Measured:
    filled(crowd.due_together, some)
    file = folder / "statements"
    _again(some)
    race(senders.recorded, some.app, AT, file)
    ways = {
        "one worker": partial(race, senders.ours, some.app, AT),
        "bare": partial(race, senders.bare, postgres.libpq(some.app), file),
        "two workers": partial(race, senders.ours, some.app, AT, times=2),
        "jobs": partial(race, senders.by_jobs, some.owner),
    }
    with _celery(some) as celery:
        ways |= celery
        rounds = [{name: _run(some, way) for name, way in ways.items()} for _ in range(ROUNDS)]
    ratio = partial(_ratio, rounds)
    a_second = REMINDERS / statistics.median(one["one worker"] for one in rounds)
    return [
        Figure("P5", "reminders_by_hand", ratio("bare", "one worker"), 0.5),
        Figure("P5", "reminders_two_workers", ratio("one worker", "two workers"), 1.4),
        Figure("P5", "reminders_by_jobs", ratio("jobs", "one worker")),
        *(Figure("P5", "reminders_by_celery", ratio(name, "one worker")) for name in celery),
        Figure("P5", "reminders_a_second", a_second, None, 4_000),
    ], {f"reminders by {name}": round(REMINDERS / statistics.median(r[name] for r in rounds)) for name in ways}


@contextmanager
def _celery(some: Crowd) -> Iterator[dict[str, Any]]:
    """The way of Celery with Redis, where that is at hand; only the bench installs it."""
    from tests.bench import by_celery

    if not by_celery.at_hand():
        yield {}
        return
    with by_celery.redis() as broker:
        yield {"celery": partial(race, by_celery.send, broker, some.owner, AT)}


def _ratio(rounds: list[dict[str, float]], slower: str, faster: str) -> float:
    """How many times as fast the second one is: the median of the rounds' ratios."""
    return statistics.median(one[slower] / one[faster] for one in rounds)


def _run(some: Crowd, way: Any) -> float:
    _again(some)
    took: float = way()
    with crowd.owned(some) as connection:
        left = connection.execute("SELECT count(*) FROM reminders WHERE state = 'planned' AND due_at <= %s", (AT,))
        if (row := left.fetchone()) and row[0]:
            raise AssertionError(f"{row[0]} reminders were left unsaid")
    return took


def _again(some: Crowd) -> None:
    """Everything is due again, in tables as tidy as before."""
    with crowd.owned(some) as connection:
        connection.execute(psycopg.ClientCursor(connection).mogrify(AGAIN, {"at": AT}).encode())
        connection.execute("VACUUM ANALYZE")


def idle(some: Crowd) -> dict[str, float]:
    """A tick that finds nothing among a million reminders that are planned."""
    with crowd.owned(some) as connection:
        connection.execute(psycopg.ClientCursor(connection).mogrify(FUTURE, {"at": AT + timedelta(hours=1)}).encode())
        connection.execute("VACUUM ANALYZE reminders")
    db.open_engine(some.app, pool=2, statement_timeout_ms=60_000)
    took = [_seconds(partial(worker.tick, at=AT, post=Post(house=senders.NoCost()))) for _ in range(IDLE_TICKS)]
    return {"ms": statistics.median(took) * 1e3}


def planning(some: Crowd) -> dict[str, float]:
    """A group that meets weekly is planned, and then single evenings of it are moved."""
    evenings = [WEEK_BEGINS + timedelta(weeks=week, hours=9) for week in range(WEEKS)]
    crowd.opened(some)
    members = crowd.fill(some, evenings, "")
    with db.transaction(db.SYSTEM):
        plan = _seconds(partial(ledger.rewrite, patient_ids=members, at=WEEK_BEGINS))
    with crowd.owned(some) as connection:
        ids = [one for (one,) in connection.execute("SELECT id FROM care_sessions ORDER BY starts_at")]
    moves = [_moving(ids[-number], evenings[-number]) for number in range(1, MOVES + 1)]
    return {"plan": plan, "move": statistics.median(moves)}


def _moving(session_id: UUID, evening: Any) -> float:
    """The seconds that it takes; afterwards everybody is told, so that the next one does not become one with it."""
    took = _seconds(partial(_move, session_id, evening))
    while worker.tick(at=WEEK_BEGINS + TOLD_AFTER, post=Post(house=senders.NoCost())):
        pass
    return took


def _move(session_id: UUID, evening: Any) -> None:
    with db.transaction(db.SYSTEM):
        sessions.change(
            session_id=session_id,
            starts_at=evening + timedelta(minutes=30),
            duration_minutes=60,
            status="scheduled",
            details={},
            expected=None,
            at=WEEK_BEGINS,
        )


def closing(some: Crowd) -> dict[str, float]:
    """A place closes for a day with 40 sessions and 400 attendances, while somebody reads."""
    day = WEEK_BEGINS + timedelta(days=1)
    crowd.opened(some)
    starts = [day + timedelta(minutes=15 * number) for number in range(CLOSED_SESSIONS)]
    members = crowd.fill(some, starts, " WHERE meetings.d %% 10 = people.n %% 10")
    crowd.plan(members, WEEK_BEGINS)
    with crowd.owned(some) as connection:
        place = connection.execute(AT_A_PLACE).fetchone()
    assert place
    with _reading(some, members) as reads:
        took = _seconds(partial(_close, place[0], day))
    return {"close": took, "read": max(reads)}


def _close(location_id: UUID, day: Any) -> None:
    with db.transaction(db.SYSTEM):
        locations.close(
            location_id=location_id, starts_at=day, ends_at=day + timedelta(hours=14), reason=None, at=WEEK_BEGINS
        )


@contextmanager
def _reading(some: Crowd, members: list[UUID]) -> Iterator[list[float]]:
    """How long each read took of one who reads all the while."""
    took, over = [0.0], threading.Event()

    def read() -> None:
        reading = "SELECT * FROM attendances JOIN care_sessions ON care_sessions.id = session_id WHERE patient_id = %s"
        with crowd.owned(some) as connection:
            while not over.is_set():
                took.append(
                    _seconds(lambda: connection.execute(reading, (members[len(took) % len(members)],)).fetchall())
                )
                time.sleep(0.005)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


def _seconds(act: Any) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began

"""Two workers, real processes, killed at random instants: everything is accepted once and written down."""

import json
import multiprocessing
import random
import time
from collections import Counter
from datetime import timedelta

import pytest

from api import db
from api.reminders import ledger
from tests.reminders import doomed
from tests.reminders.people import local

REMINDERS, KILLS, WORKERS = 2000, 20, 2
START = local("2026-06-10T18:00")
DUE = START - timedelta(hours=2)

CROWD = """
WITH patient AS (
    INSERT INTO patients (id, external_id) SELECT gen_random_uuid(), 'EHR-' || n FROM generate_series(1, %s) n
    RETURNING id),
versioned AS (INSERT INTO patient_versions (patient_id) SELECT id FROM patient),
enrolled AS (
    INSERT INTO enrollments (id, patient_id, program_slug, status_since, starts_at, focus, version)
    SELECT gen_random_uuid(), id, 'iop', '2026-05-01', '2026-05-01', ARRAY['substance_use'], 1 FROM patient),
session AS (
    INSERT INTO care_sessions (id, kind, title, modality, time_zone, starts_at, ends_at, status, exception, revision,
                               version)
    VALUES (gen_random_uuid(), 'group', 'Evening group', 'telehealth', 'America/New_York', %s, %s, 'scheduled', false,
            1, 1)
    RETURNING *)
INSERT INTO attendances (patient_id, session_id, starts_at, ends_at, status, version)
SELECT patient.id, session.id, session.starts_at, session.ends_at, 'booked', 1 FROM patient, session
RETURNING patient_id
"""


@pytest.fixture
def crowd(app, owner_sql):
    """`REMINDERS` patients of one session, each with one reminder that is due at `DUE`."""
    members = [row[0] for row in owner_sql(CROWD, REMINDERS, START, START + timedelta(hours=1))]
    with db.transaction(db.SYSTEM):
        ledger.rewrite(patient_ids=members, at=DUE - timedelta(minutes=10))
    return members


def test_killed_workers_lose_nothing_and_say_nothing_twice(crowd, settings, owner_sql, tmp_path):
    outbox = tmp_path / "outbox"
    workers = Workers(settings.database_url, outbox)

    def left() -> int:
        return owner_sql("SELECT count(*) FROM reminders WHERE state = 'planned'")[0][0]

    try:
        wait_until(lambda: left() < REMINDERS, seconds=30)
        for _ in range(KILLS):
            time.sleep(random.uniform(0.02, 0.3))
            assert left() > 0, "the kills come while there is work"
            workers.kill_one()
        wait_until(lambda: left() == 0, seconds=30)
    finally:
        workers.kill_all()

    attempts = [json.loads(line) for line in outbox.read_text().splitlines()]
    accepted = Counter(one["key"] for one in attempts if one["accepted"])
    assert set(accepted.values()) == {1}
    assert {one["recipient"] for one in attempts} == {str(member) for member in crowd}
    assert owner_sql("SELECT count(*) FROM reminders WHERE state = 'sent'") == [(REMINDERS,)]
    assert len(accepted) == REMINDERS
    assert len(attempts) - REMINDERS <= KILLS * doomed.BATCH


class Workers:
    """Keeps `WORKERS` processes at work; whichever is killed is replaced."""

    def __init__(self, url, outbox):
        self._arguments = (url, outbox, DUE)
        # Children of a server process that has imported everything start in milliseconds.
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([doomed.__name__])
        self._running = [self._start() for _ in range(WORKERS)]

    def kill_one(self):
        self._end(self._running.pop(random.randrange(len(self._running))))
        self._running.append(self._start())

    def kill_all(self):
        for process in self._running:
            self._end(process)

    def _start(self):
        process = self._context.Process(target=doomed.work, args=self._arguments, daemon=True)
        process.start()
        return process

    def _end(self, process):
        process.kill()
        process.join()


def wait_until(holds, *, seconds):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.05)

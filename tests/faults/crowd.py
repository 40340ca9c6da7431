"""Patients to be reminded, in a database of their own: most have a phone, some only a number for texts, one has
nothing, and one is a row that nobody can word.

Run as children of the fork server: the engine here is that of a process, and a test's own is another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg

from api import db
from api.app import subscribe
from api.programs import catalogue
from api.reminders import ledger
from api.sessions import service as sessions
from tests.reminders.people import local

START = local("2026-06-10T18:00")
DUE = START - timedelta(hours=2)
# Some begin a minute later: a worker whose clock is ahead takes those before their time.
LATER = timedelta(minutes=1)
TEXTS_OF = 10
CHUNK = 500
UNWORDABLE = "Nowhere/Ever"
WEEK_BEGINS = local("2026-06-08T09:00")
# Five minutes after the last day's reminders fell due.
WEEK_ENDS = WEEK_BEGINS + timedelta(days=7, hours=7, minutes=5)

PEOPLE = """
CREATE TEMP TABLE people AS SELECT n, gen_random_uuid() AS id FROM generate_series(1, %(count)s) n;
INSERT INTO patients (id, external_id) SELECT id, 'EHR-' || n FROM people;
INSERT INTO patient_versions (patient_id) SELECT id FROM people;
INSERT INTO enrollments (id, patient_id, program_slug, status_since, starts_at, focus, version)
SELECT gen_random_uuid(), id, 'iop', '2026-05-01', '2026-05-01', ARRAY['substance_use'], 1 FROM people;
INSERT INTO devices (id, patient_id, provider, environment, target, target_hash)
SELECT gen_random_uuid(), id, 'fcm', 'production', 'device-' || n, sha256(('device-' || n)::bytea) FROM people
WHERE n %% %(texts_of)s > 0 AND n < %(count)s;
CREATE TEMP TABLE consents AS SELECT n, id AS patient_id, gen_random_uuid() AS id FROM people
WHERE n %% %(texts_of)s = 0 AND n < %(count)s;
INSERT INTO text_consents (id, patient_id, number, text_id, language, text_hash, given_by, given_at)
SELECT id, patient_id, 'number-' || n, 'reminders', 'en', 'x', 'app', '2026-05-01' FROM consents;
INSERT INTO text_numbers (id, patient_id, number, number_index, set_by, set_at, confirmed_at, consent_id, version)
SELECT gen_random_uuid(), patient_id, 'number-' || n, sha256(('number-' || n)::bytea), 'patient', '2026-05-01',
  '2026-05-01', id, 1 FROM consents;
"""
MEETINGS = """
CREATE TEMP TABLE meetings AS SELECT d, gen_random_uuid() AS id, starts_at
FROM unnest(%(starts)s::timestamptz[]) WITH ORDINALITY AS m (starts_at, d);
INSERT INTO care_sessions (id, kind, title, modality, time_zone, starts_at, ends_at, status, exception, revision,
  version)
SELECT id, 'group', 'Evening group', 'telehealth', 'America/New_York', starts_at, starts_at + interval '1 hour',
  'scheduled', false, 1, 1 FROM meetings;
"""
PLACES = """
INSERT INTO attendances (patient_id, session_id, starts_at, ends_at, status, version)
SELECT people.id, meetings.id, starts_at, starts_at + interval '1 hour', 'booked', 1 FROM people, meetings
"""
SHARED = " WHERE meetings.d = 1 + (people.n / 7) %% 2"


@dataclass(frozen=True, slots=True)
class Crowd:
    """`owner` looks past every policy, `app` is the workers' login."""

    owner: str
    app: str
    count: int


def due_together(crowd: Crowd) -> None:
    """Everybody has one reminder, due at `DUE` or soon after."""
    opened(crowd)
    patients = fill(crowd, [START, START + LATER], SHARED)
    plan(patients, DUE - timedelta(minutes=10))
    with owned(crowd) as connection:
        connection.execute("UPDATE patients SET time_zone = %s WHERE id = %s", (UNWORDABLE, patients[0]))


def a_week_ahead(crowd: Crowd) -> None:
    """Everybody has a session in each of nine evenings, and no worker runs; on the second day the last one is moved."""
    evenings = [WEEK_BEGINS + timedelta(days=day, hours=9) for day in range(9)]
    opened(crowd)
    patients = fill(crowd, evenings, "")
    plan(patients, WEEK_BEGINS)
    with owned(crowd) as connection:
        last = connection.execute("SELECT id FROM care_sessions ORDER BY starts_at DESC LIMIT 1").fetchone()
    assert last
    with db.transaction(db.SYSTEM):
        sessions.change(
            session_id=last[0],
            starts_at=evenings[-1] + timedelta(minutes=30),
            duration_minutes=60,
            status="scheduled",
            details={},
            expected=None,
            at=WEEK_BEGINS + timedelta(days=1),
        )


def fill(crowd: Crowd, starts: Sequence[datetime], where: str) -> list[UUID]:
    values = {"count": crowd.count, "texts_of": TEXTS_OF, "starts": list(starts)}
    with owned(crowd) as connection:
        for script in (PEOPLE, MEETINGS, PLACES + where):
            connection.execute(psycopg.ClientCursor(connection).mogrify(script, values).encode())
        connection.execute("ANALYZE")
        return [one for (one,) in connection.execute("SELECT id FROM people ORDER BY n")]


def plan(patients: Sequence[UUID], at: datetime) -> None:
    for begin in range(0, len(patients), CHUNK):
        with db.transaction(db.SYSTEM):
            ledger.rewrite(patient_ids=patients[begin : begin + CHUNK], at=at)


def opened(crowd: Crowd) -> None:
    db.open_engine(crowd.app, pool=2, statement_timeout_ms=60_000)
    subscribe()
    with db.transaction(db.SYSTEM):
        catalogue.load(at=WEEK_BEGINS)


def owned(crowd: Crowd) -> psycopg.Connection[Any]:
    return psycopg.connect(crowd.owner, autocommit=True)

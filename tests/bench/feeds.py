"""What calendar apps cost: they ask for a year every few hours, and mostly know it already."""

import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from tests.bench import contest, figures, generator
from tests.bench.clinics import Clinic
from tests.bench.contest import Contestant, Figure, in_turn
from tests.bench.servers import serving

FEEDS = 1_000
A_YEAR = 150
# Three evenings a week of one group, beyond the days that the other figures read.
MEETINGS = """
CREATE TEMP TABLE evenings AS SELECT gen_random_uuid() AS id,
  date_trunc('second', now()) + interval '40 days' + n * interval '52 hours' AS starts_at FROM generate_series(1, %s) n
"""
SESSIONS = """
INSERT INTO care_sessions (id, kind, title, modality, time_zone, starts_at, ends_at, status, exception, revision,
  version)
SELECT id, 'group', 'Evening group', 'telehealth', 'America/New_York', starts_at, starts_at + interval '1 hour',
  'scheduled', false, 1, 1 FROM evenings
"""
PLACES = """
INSERT INTO attendances (patient_id, session_id, starts_at, ends_at, status, version)
SELECT patient_id, id, starts_at, starts_at + interval '1 hour', 'booked', 1
FROM evenings, unnest(%s::uuid[]) AS patient_id ORDER BY starts_at
"""
ADDRESS = """
INSERT INTO calendar_feeds (id, patient_id, name, titles, secret_hash, salt, created_at, version)
VALUES (gen_random_uuid(), %s, 'Phone', 'neutral', %s, %s, now(), 1)
"""


def feeds(clinic: Clinic, folder: Path, compete: figures.Compete) -> figures.Measured:
    """P8: a year of sessions as iCalendar, whole and told by a 304, beside FastAPI's read of 20 sessions."""
    tokens = clinic.tokens()
    sessions = [generator.get(figures.SESSIONS, Authorization=f"Bearer {token}") for token in tokens.values()]
    addresses = subscribed(clinic, list(tokens)[:FEEDS])
    whole = [generator.get(address) for address in addresses]
    with (
        serving("ours", clinic, figures.OURS, folder) as ours,
        serving("fastapi", clinic, figures.FASTAPI, folder) as peer,
    ):
        known = [
            generator.get(address, If_None_Match=year(generator.answer_to(ours.port, request)))
            for address, request in zip(addresses, whole, strict=True)
        ]
        rounds = compete(
            [
                Contestant("feed of a year", ours.port, in_turn(whole)),
                Contestant("feed 304", ours.port, in_turn(known), status=304),
                Contestant("FastAPI sessions", peer.port, in_turn(sessions)),
            ]
        )
    return [
        Figure("P8", "feed_304", contest.speed(rounds, "feed 304", "FastAPI sessions"), 1.5),
        Figure("P8", "feed_of_a_year", contest.speed(rounds, "feed of a year", "FastAPI sessions"), 0.1),
    ], contest.usual(rounds)


def subscribed(clinic: Clinic, patients: Sequence[UUID]) -> list[str]:
    """Give these patients a year of evenings, and each a feed; returns the feeds' paths."""
    found = [secrets.token_urlsafe(32) for _ in patients]
    with clinic.unhindered() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(MEETINGS, (A_YEAR,))
        connection.execute(SESSIONS)
        connection.execute(PLACES, (list(patients),))
        for patient, secret in zip(patients, found, strict=True):
            connection.execute(ADDRESS, (patient, hashlib.sha256(secret.encode()).digest(), secrets.token_bytes(16)))
        connection.execute("VACUUM ANALYZE")
    return [f"/calendar/{secret}.ics" for secret in found]


def year(answer: tuple[int, dict[str, str], bytes]) -> str:
    """The tag of an answer that tells of a whole year. Raises `generator.WrongAnswer`."""
    status, fields, body = answer
    if status != 200 or body.count(b"BEGIN:VEVENT") < A_YEAR:
        raise generator.WrongAnswer(f"not a year: {status}, {body[:200]!r}")
    return fields["etag"]

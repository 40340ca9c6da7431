"""How workers take rows of the ledger and give them back: by leases on the database's clock, in batches.

A lease is written by the worker that takes a row and ends by itself, so a killed worker's rows are taken again. Nobody
settles or gives back a row whose lease is another's by then.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from api.prepared import Prepared

PAUSE_SECONDS, MOST_DOUBLINGS = 5.0, 6
_TAKE = Prepared("""
    WITH due AS (
        SELECT id FROM reminders
        WHERE state = 'planned' AND due_at <= %(at)s AND (leased_until IS NULL OR leased_until <= clock_timestamp())
        ORDER BY due_at, id LIMIT %(most)s FOR UPDATE SKIP LOCKED)
    UPDATE reminders
    SET lease = %(lease)s, leased_until = clock_timestamp() + %(length)s::interval, attempts = attempts + 1
    FROM due WHERE reminders.id = due.id
    RETURNING reminders.*
""")
# A row that is being taken just now is waited for, and then is a worker's.
_WITHHOLD = Prepared("""
    SELECT FROM reminders WHERE patient_id = ANY(%(patient_ids)s::uuid[]) AND state = 'planned' AND lease IS NULL
    FOR NO KEY UPDATE
""")
_SETTLE = Prepared("""
    UPDATE reminders SET state = r.state, reason = coalesce(r.reason, reminders.reason), sent_at = r.sent_at,
        text = r.text, channel = r.channel, changed_at = %(at)s, version = v.version, lease = NULL, leased_until = NULL
    FROM jsonb_populate_recordset(NULL::reminders, %(rows)s::jsonb) AS r
    JOIN patient_versions AS v ON v.patient_id = r.patient_id
    WHERE reminders.id = r.id AND reminders.lease = %(lease)s
""")
# What a carrier did not take is no sign of a row that breaks its workers: the attempt is taken back, the
# try is counted.
_GIVE_BACK = Prepared("""
    UPDATE reminders SET lease = NULL, leased_until = clock_timestamp() + make_interval(secs => r.pause),
        attempts = greatest(attempts - CASE WHEN r.broken THEN 0 ELSE 1 END, 0),
        tries = least(tries + CASE WHEN r.tried THEN 1 ELSE 0 END, 1000)
    FROM jsonb_to_recordset(%(rows)s::jsonb) AS r (id uuid, pause float, tried boolean, broken boolean)
    WHERE reminders.id = r.id AND reminders.lease = %(lease)s
""")


@dataclass(frozen=True, slots=True)
class Back:
    """A row that is given back, to be taken again after `pause` seconds. `tried`: a carrier did not take it now;
    `broken`: it could not even be worded."""

    id: UUID
    pause: float = 0.0
    tried: bool = False
    broken: bool = False


def pause_after(times: int) -> float:
    """How many seconds a row rests that came to nothing for the (`times` + 1)th time: twice as long each time."""
    doublings = min(times, MOST_DOUBLINGS)
    return PAUSE_SECONDS * (1 << doublings)


def take(*, at: datetime, lease: UUID, length: timedelta, most: int) -> list[Any]:
    """At most `most` rows that are due and nobody's, now under `lease`, in the order of their times."""
    taken = _TAKE.run(at=at, lease=lease, length=length, most=most)
    return sorted(taken, key=lambda row: (row.due_at, row.id))


def withhold(patient_ids: Collection[UUID]) -> None:
    """Let no worker take what is planned for these patients before the running transaction ends: what becomes one with
    a message must be known before the message is worded. Call it under the lock of the patients' versions."""
    _WITHHOLD.run(patient_ids=list(patient_ids))


def settle(rows: Collection[dict[str, Any]], *, lease: UUID, at: datetime) -> None:
    """Write how each row ended: `id`, `patient_id` and `state`, and `reason`, `sent_at`, `text` and `channel` where
    there are any. What the patient sees changes: call it under the lock of the patients' versions."""
    if rows:
        _SETTLE.run(rows=orjson.dumps(list(rows)).decode(), lease=lease, at=at)


def give_back(rows: Collection[Back], *, lease: UUID) -> None:
    """Let rows be taken again, each after its pause by the database's clock."""
    if rows:
        given = orjson.dumps([asdict(one) for one in rows]).decode()
        _GIVE_BACK.run(rows=given, lease=lease)

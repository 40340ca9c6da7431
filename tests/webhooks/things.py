"""An active endpoint with a delivery in its log, put beside a client that is there already."""

from typing import Any
from uuid import UUID

import psycopg

from api import db, safekeeping
from api.webhooks.models import SECRET
from schemas.webhooks import URL

ENDPOINT = """
    INSERT INTO webhook_endpoints (id, client_id, url, event_types, status, verified_at, secret, secret_made_by)
    VALUES (%s, %s, %s, '{referral.received}', 'active', now(), %s, '')"""
EVENT = """
    INSERT INTO webhook_events (id, client_id, type, subject_id, version, occurred_at)
    VALUES (%s, %s, 'referral.received', gen_random_uuid(), 1, now())"""
DELIVERY = """
    INSERT INTO webhook_deliveries (id, endpoint_id, event_id, client_id, state, attempts, last_attempt_at)
    VALUES (gen_random_uuid(), %s, %s, %s, 'delivered', 1, now())"""


def furnish(superuser: psycopg.Connection[Any], client_id: UUID | str) -> UUID:
    """Gives the endpoint's id."""
    endpoint_id, event_id = db.uuid7(), db.uuid7()
    secret = safekeeping.seal(b"0" * 32, place=SECRET, row=endpoint_id)
    superuser.execute(ENDPOINT, [endpoint_id, client_id, URL, secret])
    superuser.execute(EVENT, [event_id, client_id])
    superuser.execute(DELIVERY, [endpoint_id, event_id, client_id])
    return endpoint_id

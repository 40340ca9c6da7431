"""The worker's side: a job for each delivery wakes a sender of its endpoint, and a tick those that nobody woke.

A job does not wait for the receiver: it leases the endpoint and leaves the rest to a thread. A worker that dies loses
nothing: its leases run out, what it had in hand is due still, and the tick finds it.
"""

from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from api import db, queue
from api.webhooks import claims
from api.webhooks.worker_senders import Senders

BUSY_SECONDS = 1
KEPT = "30 days"
BATCH = 5000

_LEFT = sa.text("""
    SELECT e.id FROM webhook_endpoints AS e JOIN api_clients AS c ON c.id = e.client_id
    WHERE e.status <> 'disabled' AND coalesce(e.busy_until < now(), true) AND coalesce(e.not_before < now(), true)
      AND EXISTS (
        SELECT FROM webhook_deliveries AS d
        WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.next_attempt_at < now() - interval '5 seconds'
          AND (e.status = 'active' OR d.challenge))
""")
_FORGET = sa.text("""
    DELETE FROM webhook_events WHERE id IN (
        SELECT id FROM webhook_events WHERE created_at < now() - CAST(:kept AS interval) LIMIT :most
    ) RETURNING id
""")


senders = Senders()
queue.at_stop(lambda: senders.stop())


@queue.job(claims.JOB)
def run(endpoint_id: UUID) -> None:
    """Wake a sender; where all are at work, come again in a moment."""
    if not senders.begin(endpoint_id):
        with db.transaction(db.WORKER):
            queue.enqueue(claims.JOB, delay=timedelta(seconds=BUSY_SECONDS), once=endpoint_id, endpoint_id=endpoint_id)


def sweep() -> None:
    """Wake the endpoints where something is due that no job speaks for: its job was lost, or its sender was killed."""
    with db.transaction(db.WORKER) as session:
        for endpoint_id in session.scalars(_LEFT).all():
            queue.enqueue(claims.JOB, once=endpoint_id, endpoint_id=endpoint_id)


def forget_old() -> bool:
    """One turn of forgetting old events with their deliveries; whether there may be more."""
    with db.transaction(db.WORKER) as session:
        return len(session.execute(_FORGET, {"kept": KEPT, "most": BATCH}).all()) == BATCH

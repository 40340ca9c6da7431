"""Announcing: called in the transaction that makes an event true, by whoever is its caller."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.prepared import Prepared
from api.webhooks.models import WebhookEvent

_ANNOUNCE = Prepared("""
    SELECT announce_webhook(%(id)s::uuid, %(client_id)s::uuid, %(type)s, %(subject_id)s::uuid, %(version)s::bigint,
                            %(occurred_at)s::timestamptz, %(check)s, %(endpoint_id)s::uuid)
""")


def announce(
    *,
    client_id: UUID,
    type: str,
    subject_id: UUID,
    version: int,
    occurred_at: datetime,
    check: str | None = None,
    endpoint_id: UUID | None = None,
    event_id: UUID | None = None,
) -> UUID:
    """Write the event down with a delivery and a job for each active endpoint of `client_id` that wants it, or for
    `endpoint_id` alone, at the end of the transaction; one statement, however many there are. Gives the event's id.

    With `check`, the function of that name in `checks` is asked before each attempt, and the partner's log says
    nothing of the event before it was told. A partner's transaction can announce to that partner only. Whoever may come
    to announce the same thing again names its `event_id`, and asks `is_announced` before.
    """
    event_id = event_id or db.uuid7()
    _ANNOUNCE.leave(
        id=event_id,
        client_id=client_id,
        type=type,
        subject_id=subject_id,
        version=version,
        occurred_at=occurred_at,
        check=check,
        endpoint_id=endpoint_id,
    )
    return event_id


def is_announced(event_id: UUID) -> bool:
    """Whether the event was written down already; a worker may ask."""
    return bool(db.session().scalar(sa.select(sa.exists().where(WebhookEvent.id == event_id))))

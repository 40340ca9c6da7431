"""Taking what is due at an endpoint, which is leased to one sender at a time.

Taking and settling both lock the endpoint's row first, so nobody who finds it busy need come back: whoever holds it
looks for more before letting go. A sender that dies lets go when its lease has run out. Leases and due times are those
of the database's clock.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, queue, safekeeping
from api.access.models import ApiClient
from api.prepared import Prepared
from api.webhooks.attempts import Task
from api.webhooks.models import OLD_SECRET, SECRET, Endpoint, WebhookDelivery, WebhookEvent

# Longer than a second of attempts, one more of them, and their checks can take.
LEASE = timedelta(seconds=40)
MOST = 20
JOB = "webhook"
FREE: dict[str, Any] = {"busy_until": None, "busy_by": None}

_NOW = sa.func.now()
_ENDPOINT = sa.bindparam("endpoint_id", type_=sa.Uuid)
_PENDING = WebhookDelivery.state == "pending"


def _locked() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            *Endpoint.__table__.c,
            (ApiClient.status == "active").label("stands"),
            sa.func.coalesce(Endpoint.busy_until > _NOW, False).label("busy"),
            sa.func.coalesce(Endpoint.not_before > _NOW, False).label("held"),
            sa.func.coalesce(Endpoint.old_secret_until > _NOW, False).label("overlaps"),
        )
        .join(ApiClient, ApiClient.id == Endpoint.client_id)
        .where(Endpoint.id == _ENDPOINT)
        .with_for_update(of=Endpoint)
    )


def _next() -> sa.Select[*tuple[Any, ...]]:
    """What is due; of an endpoint that is not `open` yet, its challenge alone."""
    return (
        sa.select(
            WebhookDelivery.id.label("delivery_id"), WebhookDelivery.challenge, WebhookDelivery.attempts,
            WebhookEvent.id, WebhookEvent.type, WebhookEvent.subject_id, WebhookEvent.version,
            WebhookEvent.occurred_at, WebhookEvent.check_name,
        )
        .join(WebhookEvent, WebhookEvent.id == WebhookDelivery.event_id)
        .where(
            WebhookDelivery.endpoint_id == _ENDPOINT, _PENDING, WebhookDelivery.next_attempt_at <= _NOW,
            sa.or_(sa.bindparam("open", type_=sa.Boolean), WebhookDelivery.challenge),
        )
        .order_by(WebhookDelivery.next_attempt_at, WebhookDelivery.event_id)
        .limit(MOST)
    )  # fmt: skip


# For every webhook that is sent.
_LOCKED, _NEXT = Prepared(_locked()), Prepared(_next())


def take(*, endpoint_id: UUID, lease: UUID) -> list[Task]:
    """Lease the endpoint and take what is due first, at most `MOST`; nothing where nothing is, or somebody else has it.
    What is taken and not attempted stays due."""
    found = locked(endpoint_id)
    if found is None or (found.busy and found.busy_by != lease):
        return []
    return following(found, lease, {})


def locked(endpoint_id: UUID) -> Any:
    """The endpoint's row and with it how it stands, nobody else's until the transaction ends; None where it is gone."""
    return _LOCKED.one(endpoint_id=endpoint_id)


def following(found: Any, lease: UUID, values: dict[str, Any]) -> list[Task]:
    """What is due at a locked endpoint, with the lease anew; without anything it is let go of. `values` are written to
    it in the same statement.

    Where several deliveries wait, so do their jobs, which would each find nothing: the sender goes on until nothing is
    due, and the tick finds what it leaves behind when it dies. One delivery's job is the one that runs."""
    endpoint_id: UUID = found.id
    if not found.stands:
        _drop(endpoint_id)
    tasks = _tasks(found) if found.stands and not found.held else []
    if tasks:
        values = {**values, "busy_until": _NOW + LEASE, "busy_by": lease}
    elif found.busy_by:
        values = {**values, **FREE}
    if len(tasks) > 1:
        queue.spare(JOB, endpoint_id=endpoint_id)
    change(endpoint_id, values)
    return tasks


def change(endpoint_id: UUID, values: dict[str, Any]) -> None:
    if values:
        db.session().execute(sa.update(Endpoint).where(Endpoint.id == endpoint_id).values(values))


def _tasks(found: Any) -> list[Task]:
    if found.status == "disabled":
        return []
    rows = _NEXT.run(endpoint_id=found.id, open=found.status == "active")
    keys = tuple(_keys(found)) if rows else ()
    return [_task(found, row, keys) for row in rows]


def _task(endpoint: Any, row: Any, keys: tuple[bytes, ...]) -> Task:
    return Task(
        delivery_id=row.delivery_id,
        endpoint_id=endpoint.id,
        client_id=endpoint.client_id,
        event_id=row.id,
        type=row.type,
        subject_id=row.subject_id,
        version=row.version,
        occurred_at=row.occurred_at,
        check=row.check_name,
        challenge=row.challenge,
        attempt=row.attempts + 1,
        url=endpoint.url,
        keys=keys,
    )


def _keys(endpoint: Any) -> Iterator[bytes]:
    yield safekeeping.unseal(endpoint.secret, place=SECRET, row=endpoint.id)
    if endpoint.overlaps and endpoint.old_secret:
        yield safekeeping.unseal(endpoint.old_secret, place=OLD_SECRET, row=endpoint.id)


def _drop(endpoint_id: UUID) -> None:
    """A suspended partner is told nothing, then or later; it may ask for what it missed."""
    waiting = sa.update(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id, _PENDING)
    db.session().execute(waiting.values(state="dropped"))

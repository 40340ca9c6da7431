"""Taking the next delivery of an endpoint, and writing down what became of the one before.

An endpoint is leased to one sender at a time. Both acts lock its row first, so nobody who finds it busy need come back:
whoever holds it looks for more before letting go. A sender that dies lets go when its lease has run out. Leases and due
times are those of the database's clock.
"""

import random
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, queue, safekeeping
from api.access.models import ApiClient
from api.observe import log
from api.webhooks import schedule
from api.webhooks.attempts import NOT_ALLOWED, NOT_ASKED, Outcome, Task
from api.webhooks.models import OLD_SECRET, SECRET, Endpoint, WebhookDelivery, WebhookEvent

# Longer than an attempt and its check can take.
LEASE = timedelta(seconds=40)
# The most that others wait because one was answered too slowly, unless the receiver says how long.
LONGEST_HOLD = timedelta(minutes=5)
JOB = "webhook"
FREE: dict[str, Any] = {"busy_until": None, "busy_by": None}

_NOW = sa.func.now()
_MINE = WebhookDelivery.endpoint_id == sa.bindparam("endpoint_id", type_=sa.Uuid)
_PENDING = WebhookDelivery.state == "pending"
_LOCKED = (
    sa.select(
        Endpoint,
        (ApiClient.status == "active").label("stands"),
        sa.func.coalesce(Endpoint.busy_until > _NOW, False).label("busy"),
        sa.func.coalesce(Endpoint.not_before > _NOW, False).label("held"),
        sa.func.coalesce(Endpoint.old_secret_until > _NOW, False).label("overlaps"),
    )
    .join(ApiClient, ApiClient.id == Endpoint.client_id)
    .where(Endpoint.id == sa.bindparam("endpoint_id", type_=sa.Uuid))
    .with_for_update(of=Endpoint)
    .execution_options(populate_existing=True)
)
_NEXT = (
    sa.select(WebhookDelivery, WebhookEvent)
    .join(WebhookEvent, WebhookEvent.id == WebhookDelivery.event_id)
    .where(_MINE, _PENDING, WebhookDelivery.next_attempt_at <= _NOW)
    .order_by(WebhookDelivery.next_attempt_at, WebhookDelivery.event_id)
    .limit(1)
    .execution_options(populate_existing=True)
)


def take(*, endpoint_id: UUID, lease: UUID) -> Task | None:
    """Lease the endpoint and take what is due first; None where nothing is, or somebody else has it."""
    found = _locked(endpoint_id)
    if found is None or (found.busy and found.Endpoint.busy_by != lease):
        return None
    return _next(found, lease, {})


def settle(task: Task, outcome: Outcome, *, lease: UUID, more: bool = True) -> Task | None:
    """Write down what became of `task`, and take the next delivery of its endpoint if that still is this sender's; with
    `more=False` let go of it. What was delivered counts even if another has taken over meanwhile."""
    if (found := _locked(task.endpoint_id)) is None:
        return None
    values = _written(found.Endpoint, task, outcome)
    if not (found.busy and found.Endpoint.busy_by == lease):
        _change(task.endpoint_id, values)
        return None
    if not more:
        _change(task.endpoint_id, {**values, **FREE})
        queue.enqueue(JOB, endpoint_id=task.endpoint_id)
        return None
    if "status" in values or values.get("not_before") is not None:
        # What was read of it is true no more.
        _change(task.endpoint_id, values)
        return take(endpoint_id=task.endpoint_id, lease=lease)
    return _next(found, lease, values)


def _locked(endpoint_id: UUID) -> Any:
    return db.session().execute(_LOCKED, {"endpoint_id": endpoint_id}).one_or_none()


def _next(found: Any, lease: UUID, values: dict[str, Any]) -> Task | None:
    """What is due first, with the lease anew; without anything the endpoint is let go of."""
    endpoint_id: UUID = found.Endpoint.id
    if not found.stands:
        _drop(endpoint_id)
    task = _task(found) if found.stands and not found.held else None
    if task:
        values = {**values, "busy_until": _NOW + LEASE, "busy_by": lease}
    elif found.Endpoint.busy_by:
        values = {**values, **FREE}
    _change(endpoint_id, values)
    return task


def _change(endpoint_id: UUID, values: dict[str, Any]) -> None:
    if values:
        db.session().execute(sa.update(Endpoint).where(Endpoint.id == endpoint_id).values(values))


def _written(endpoint: Endpoint, task: Task, outcome: Outcome) -> dict[str, Any]:
    """Write the delivery; what changes of the endpoint."""
    if outcome is NOT_ASKED:
        _write(task, next_attempt_at=_NOW + LONGEST_HOLD)
        queue.enqueue(JOB, delay=LONGEST_HOLD, endpoint_id=task.endpoint_id)
    elif outcome is NOT_ALLOWED:
        _write(task, state="dropped")
    elif outcome.delivered:
        _write(task, state="delivered", **_made(task, outcome))
        return _succeeded(endpoint, task)
    else:
        return _failed(endpoint, task, outcome)
    return {}


def _task(found: Any) -> Task | None:
    endpoint: Endpoint = found.Endpoint
    if endpoint.status == "disabled":
        return None
    due = _NEXT if endpoint.status == "active" else _NEXT.where(WebhookDelivery.challenge)
    if (row := db.session().execute(due, {"endpoint_id": endpoint.id}).one_or_none()) is None:
        return None
    delivery, event = row
    return Task(
        delivery_id=delivery.id,
        endpoint_id=endpoint.id,
        client_id=endpoint.client_id,
        event_id=event.id,
        type=event.type,
        subject_id=event.subject_id,
        version=event.version,
        occurred_at=event.occurred_at,
        check=event.check_name,
        challenge=delivery.challenge,
        attempt=delivery.attempts + 1,
        url=endpoint.url,
        keys=tuple(_keys(endpoint, overlaps=found.overlaps)),
    )


def _keys(endpoint: Endpoint, *, overlaps: bool) -> Iterator[bytes]:
    yield safekeeping.unseal(endpoint.secret, place=SECRET, row=endpoint.id)
    if overlaps and endpoint.old_secret:
        yield safekeeping.unseal(endpoint.old_secret, place=OLD_SECRET, row=endpoint.id)


def _drop(endpoint_id: UUID) -> None:
    """A suspended partner is told nothing, then or later; it may ask for what it missed."""
    waiting = sa.update(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint_id, _PENDING)
    db.session().execute(waiting.values(state="dropped"))


def _made(task: Task, outcome: Outcome) -> dict[str, object]:
    return {
        "attempts": task.attempt,
        "last_attempt_at": _NOW,
        "last_status": outcome.status,
        "last_problem": outcome.problem,
    }


def _write(task: Task, **values: object) -> None:
    db.session().execute(sa.update(WebhookDelivery).where(WebhookDelivery.id == task.delivery_id).values(**values))


def _succeeded(endpoint: Endpoint, task: Task) -> dict[str, Any]:
    """An echoed challenge opens the endpoint, if it still is the address that echoed it."""
    values: dict[str, Any] = {"last_success_at": _NOW, "not_before": None}
    if task.challenge and endpoint.status == "pending" and endpoint.url == task.url:
        queue.enqueue(JOB, endpoint_id=endpoint.id)
        values |= {"status": "active", "verified_at": _NOW, "changed_at": _NOW, "version": Endpoint.version + 1}
    return values


def _failed(endpoint: Endpoint, task: Task, outcome: Outcome) -> dict[str, Any]:
    # No secret hangs on when an attempt is made again.
    chance = random.random()  # noqa: S311
    wait = schedule.wait_after(task.attempt, challenge=task.challenge, asked=outcome.retry_after, chance=chance)
    if outcome.gone or wait is None:
        _write(task, state="failed", **_made(task, outcome))
        return _given_up(endpoint, task, outcome)
    _write(task, next_attempt_at=_NOW + wait, **_made(task, outcome))
    queue.enqueue(JOB, delay=wait, endpoint_id=endpoint.id)
    if not (outcome.overburdened or outcome.retry_after):
        return {}
    hold = min(max(outcome.retry_after or timedelta(), min(wait, LONGEST_HOLD)), schedule.LONGEST)
    queue.enqueue(JOB, delay=hold, endpoint_id=endpoint.id)
    return {"not_before": _NOW + hold}


def _given_up(endpoint: Endpoint, task: Task, outcome: Outcome) -> dict[str, Any]:
    """After days of failing, or when the receiver says that it is gone; a challenge that nobody echoes leaves the
    endpoint pending, and one that took other webhooks meanwhile is not disabled for one that it does not take."""
    if endpoint.status != "active" or endpoint.url != task.url or (not outcome.gone and _succeeds(endpoint, task)):
        return {}
    reason = "gone" if outcome.gone else "failing"
    waiting = sa.update(WebhookDelivery).where(WebhookDelivery.endpoint_id == endpoint.id, _PENDING)
    db.session().execute(waiting.values(state="failed"))
    log.warning("webhook endpoint disabled", endpoint_id=str(endpoint.id), reason=reason)
    stopped = {"status": "disabled", "disabled_reason": reason, "disabled_at": _NOW}
    return {**stopped, "changed_at": _NOW, "version": Endpoint.version + 1}


def _succeeds(endpoint: Endpoint, task: Task) -> bool:
    began = db.session().scalar(sa.select(WebhookDelivery.created_at).where(WebhookDelivery.id == task.delivery_id))
    return endpoint.last_success_at is not None and began is not None and endpoint.last_success_at > began

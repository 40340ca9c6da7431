"""Writing down what became of attempts, and what follows for their endpoint."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, queue
from api.observe import log
from api.prepared import Prepared
from api.webhooks import claims, notices, schedule
from api.webhooks.attempts import NOT_ALLOWED, NOT_ASKED, Outcome, Task
from api.webhooks.models import Endpoint, WebhookDelivery

# The most that others wait because one was answered too slowly, unless the receiver says how long.
LONGEST_HOLD = timedelta(minutes=5)

_NOW = sa.func.now()
_ARRIVED = Prepared("""
    UPDATE webhook_deliveries SET state = 'delivered', attempts = attempts + 1, last_attempt_at = now(),
        last_status = %(status)s::integer, last_problem = NULL
    WHERE id = ANY(%(ids)s::uuid[])
""")
Made = Sequence[tuple[Task, Outcome]]


def settle(made: Made, *, lease: UUID, more: bool = True) -> list[Task]:
    """Write down what became of attempts at one endpoint, and take what is due there next if it still is this sender's;
    with `more=False` let go of it. What was delivered counts even if another has taken over meanwhile."""
    endpoint_id = made[0][0].endpoint_id
    if (found := claims.locked(endpoint_id)) is None:
        return []
    values = _all_written(found, made)
    if not (found.busy and found.busy_by == lease):
        claims.change(endpoint_id, values)
        return []
    if not more:
        claims.change(endpoint_id, {**values, **claims.FREE})
        queue.enqueue(claims.JOB, endpoint_id=endpoint_id)
        return []
    if "status" in values or values.get("not_before") is not None:
        # What was read of it is true no more.
        claims.change(endpoint_id, values)
        return claims.take(endpoint_id=endpoint_id, lease=lease)
    return claims.following(found, lease, values)


def _all_written(endpoint: Any, made: Made) -> dict[str, Any]:
    """Write the deliveries, those that arrived in a statement for all that were answered alike; gives what changes of
    the endpoint."""
    arrived: dict[int | None, list[Task]] = {}
    values: dict[str, Any] = {}
    for task, outcome in made:
        if outcome.delivered:
            arrived.setdefault(outcome.status, []).append(task)
            values |= _succeeded(endpoint, task)
        else:
            values |= _written(endpoint, task, outcome)
    for status, tasks in arrived.items():
        _ARRIVED.run(ids=[task.delivery_id for task in tasks], status=status)
    return values


def _written(endpoint: Any, task: Task, outcome: Outcome) -> dict[str, Any]:
    if outcome is NOT_ASKED:
        _write([task], next_attempt_at=_NOW + LONGEST_HOLD)
        queue.enqueue(claims.JOB, delay=LONGEST_HOLD, endpoint_id=task.endpoint_id)
        return {}
    if outcome is NOT_ALLOWED:
        _write([task], state="dropped")
        return {}
    if task.url != endpoint.url:
        # What was answered at an earlier address says nothing of this one.
        _write([task], next_attempt_at=_NOW, **_attempted(outcome))
        return {}
    return _failed(endpoint, task, outcome)


def _attempted(outcome: Outcome) -> dict[str, Any]:
    return {
        "attempts": WebhookDelivery.attempts + 1,
        "last_attempt_at": _NOW,
        "last_status": outcome.status,
        "last_problem": outcome.problem,
    }


def _write(tasks: Sequence[Task], **values: Any) -> None:
    among = db.among(WebhookDelivery.id, [task.delivery_id for task in tasks])
    db.session().execute(sa.update(WebhookDelivery).where(among).values(**values))


def _succeeded(endpoint: Any, task: Task) -> dict[str, Any]:
    """An echoed challenge opens the endpoint, if it still is the address that echoed it."""
    values: dict[str, Any] = {"last_success_at": _NOW, "not_before": None}
    if task.challenge and endpoint.status == "pending" and endpoint.url == task.url:
        queue.enqueue(claims.JOB, endpoint_id=endpoint.id)
        values |= {"status": "active", "verified_at": _NOW, "changed_at": _NOW, "version": Endpoint.version + 1}
    return values


def _failed(endpoint: Any, task: Task, outcome: Outcome) -> dict[str, Any]:
    # No secret hangs on when an attempt is made again.
    chance = random.random()  # noqa: S311
    wait = schedule.wait_after(task.attempt, challenge=task.challenge, asked=outcome.retry_after, chance=chance)
    if outcome.gone or wait is None:
        _write([task], state="failed", **_attempted(outcome))
        return _given_up(endpoint, task, outcome)
    _write([task], next_attempt_at=_NOW + wait, **_attempted(outcome))
    queue.enqueue(claims.JOB, delay=wait, endpoint_id=endpoint.id)
    if not (outcome.overburdened or outcome.retry_after):
        return {}
    hold = min(max(outcome.retry_after or timedelta(), min(wait, LONGEST_HOLD)), schedule.LONGEST)
    queue.enqueue(claims.JOB, delay=hold, endpoint_id=endpoint.id)
    return {"not_before": _NOW + hold}


def _given_up(endpoint: Any, task: Task, outcome: Outcome) -> dict[str, Any]:
    """After days of failing, or when the receiver says that it is gone; a challenge that nobody echoes leaves the
    endpoint pending, and one that took other webhooks meanwhile is not disabled for one that it does not take."""
    if endpoint.status != "active" or (not outcome.gone and _succeeds(endpoint, task)):
        return {}
    reason = "gone" if outcome.gone else "failing"
    waiting = sa.update(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint.id, WebhookDelivery.state == "pending"
    )
    db.session().execute(waiting.values(state="failed"))
    log.warning("webhook endpoint disabled", endpoint_id=str(endpoint.id), problem=reason)
    notices.tell(endpoint_id=endpoint.id)
    stopped = {"status": "disabled", "disabled_reason": reason, "disabled_at": _NOW}
    return {**stopped, "changed_at": _NOW, "version": Endpoint.version + 1}


def _succeeds(endpoint: Any, task: Task) -> bool:
    began = db.session().scalar(sa.select(WebhookDelivery.created_at).where(WebhookDelivery.id == task.delivery_id))
    return endpoint.last_success_at is not None and began is not None and endpoint.last_success_at > began

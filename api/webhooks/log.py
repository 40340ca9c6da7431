"""What was sent to an endpoint and how it went; sending it again, one or all of a while; a test.

The database shows a partner only what it was told or what is its own doing, so neither the log nor an answer here says
that something waits for a consent.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, pages, queue
from api.webhooks import claims, endpoints, service
from api.webhooks.models import Endpoint, WebhookDelivery, WebhookEvent

TEST = "endpoint.test"
LONGEST_RANGE = timedelta(days=30)

_REDELIVER = sa.text("SELECT redeliver_webhooks(:endpoint_id, :since, :until, :delivered_too)").bindparams(
    sa.bindparam("endpoint_id", type_=sa.Uuid),
    *(sa.bindparam(name, type_=sa.DateTime(timezone=True)) for name in ("since", "until")),
)


class WebhookEndpointNotActive(errors.Conflict):
    title = "This endpoint is not active"
    detail = "Nothing is sent to an endpoint before it has echoed a challenge. Ask for its verification first."
    title_es = "Este destino no está activo"
    detail_es = "No se envía nada a un destino que no haya devuelto una verificación. Pida primero que se verifique."


class RangeTooLong(errors.Unprocessable):
    title = "The range cannot be sent again"
    detail = f"Give a `since` before `until`, at most {LONGEST_RANGE.days} days apart."
    title_es = "No se puede reenviar ese período"
    detail_es = f"Indique un `since` anterior a `until`, con {LONGEST_RANGE.days} días de diferencia como máximo."


def listed(
    *, client_id: UUID, endpoint_id: UUID, state: str | None, asked: int, page_token: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Deliveries of the endpoint, the latest first, and the next page's token. Raises `errors.NotFound`."""
    endpoints.get(client_id=client_id, endpoint_id=endpoint_id)
    found, more = pages.page(
        _deliveries(client_id, endpoint_id).where(*([WebhookDelivery.state == state] if state else [])),
        keys=(WebhookDelivery.created_at, WebhookDelivery.id),
        asked=asked,
        page_token=page_token,
        bound_to=(client_id, endpoint_id, "webhook deliveries", state),
        descending=True,
    )
    return _with_events(found), more


def get(*, client_id: UUID, endpoint_id: UUID, delivery_id: UUID) -> dict[str, Any]:
    """Raises `errors.NotFound`."""
    own = _deliveries(client_id, endpoint_id).where(WebhookDelivery.id == delivery_id)
    if (delivery := db.session().scalar(own.execution_options(populate_existing=True))) is None:
        raise errors.NotFound
    return _with_events([delivery])[0]


def again(*, client_id: UUID, endpoint_id: UUID, delivery_id: UUID) -> dict[str, Any]:
    """Send one once more, under its old id. Raises `errors.NotFound`, `WebhookEndpointNotActive`."""
    _active(client_id, endpoint_id)
    get(client_id=client_id, endpoint_id=endpoint_id, delivery_id=delivery_id)
    own = sa.update(WebhookDelivery).where(WebhookDelivery.id == delivery_id)
    db.session().execute(own.values(state="pending", attempts=0, next_attempt_at=sa.func.now()))
    queue.enqueue(claims.JOB, endpoint_id=endpoint_id)
    return get(client_id=client_id, endpoint_id=endpoint_id, delivery_id=delivery_id)


def all_again(*, client_id: UUID, endpoint_id: UUID, since: datetime, until: datetime, include_delivered: bool) -> None:
    """Send what came about from `since` until `until` and did not arrive, also what the endpoint was not there for;
    with `include_delivered` what did arrive too. Raises `errors.NotFound`, `WebhookEndpointNotActive`, `RangeTooLong`.
    """
    _active(client_id, endpoint_id)
    if not timedelta() < until - since <= LONGEST_RANGE:
        raise RangeTooLong
    asked = {"endpoint_id": endpoint_id, "since": since, "until": until, "delivered_too": include_delivered}
    db.session().execute(_REDELIVER, asked)


def test(*, client_id: UUID, endpoint_id: UUID, at: datetime) -> dict[str, Any]:
    """Send an event that means nothing. Raises `errors.NotFound`, `WebhookEndpointNotActive`."""
    endpoint = _active(client_id, endpoint_id)
    event_id = service.announce(
        client_id=client_id,
        type=TEST,
        subject_id=endpoint_id,
        version=endpoint.version,
        occurred_at=at,
        endpoint_id=endpoint_id,
    )
    db.carry_out_left()
    made = _deliveries(client_id, endpoint_id).where(WebhookDelivery.event_id == event_id)
    return _with_events(list(db.session().scalars(made)))[0]


def _active(client_id: UUID, endpoint_id: UUID) -> Endpoint:
    endpoint = endpoints.locked(client_id=client_id, endpoint_id=endpoint_id)
    if endpoint.status != "active":
        raise WebhookEndpointNotActive
    return endpoint


def _deliveries(client_id: UUID, endpoint_id: UUID) -> sa.Select[WebhookDelivery]:
    return sa.select(WebhookDelivery).where(
        WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.client_id == client_id
    )


def _with_events(deliveries: list[WebhookDelivery]) -> list[dict[str, Any]]:
    named = sa.select(WebhookEvent).where(db.among(WebhookEvent.id, [one.event_id for one in deliveries]))
    events = {event.id: event for event in db.session().scalars(named)}
    return [_shown(delivery, events[delivery.event_id]) for delivery in deliveries]


def _shown(delivery: WebhookDelivery, event: WebhookEvent) -> dict[str, Any]:
    own = ("id", "state", "attempts", "last_attempt_at", "last_status", "last_problem", "created_at")
    return {
        **{name: getattr(delivery, name) for name in own},
        "event_id": event.id,
        "type": event.type,
        "subject_id": event.subject_id,
        "version": event.version,
        "occurred_at": event.occurred_at,
        "next_attempt_at": delivery.next_attempt_at if delivery.state == "pending" else None,
    }

"""The partner's door to the log of what its endpoints were sent, and to having it sent again."""

from typing import Any
from uuid import UUID

from flask import request

from api import answering, clock, errors
from api.blueprint import Door
from api.webhooks import endpoints, log
from api.webhooks.models import Endpoint
from api.webhooks.partner import SCOPE, client_id
from schemas.webhooks import (
    RedeliveryAsk,
    WebhookDeliveriesAnswer,
    WebhookDeliveriesQuery,
    WebhookDeliveryAnswer,
    WebhookEndpointAnswer,
)

door = Door("webhook_deliveries", kind="partner", tag="Webhooks")


def _again(delivery_id: UUID) -> dict[str, Any]:
    endpoint_id: UUID = (request.view_args or {})["endpoint_id"]
    return log.get(client_id=client_id(), endpoint_id=endpoint_id, delivery_id=delivery_id)


def _endpoint(endpoint_id: UUID) -> Endpoint:
    return endpoints.get(client_id=client_id(), endpoint_id=endpoint_id)


@door.get(
    "/webhook-endpoints/<uuid:endpoint_id>/deliveries",
    operation="listWebhookDeliveries",
    scope=SCOPE,
    summary="What an endpoint was sent",
    refusals=[errors.NotFound],
)
@door.query(WebhookDeliveriesQuery)
@door.answers(WebhookDeliveriesAnswer)
def list_webhook_deliveries(asked: dict[str, Any], endpoint_id: UUID) -> dict[str, Any]:
    """Thirty days of it, with what the endpoint answered."""
    items, more = log.listed(
        client_id=client_id(),
        endpoint_id=endpoint_id,
        state=asked["state"],
        asked=asked["page_size"],
        page_token=asked["page_token"],
    )
    return {"items": items, "next_page_token": more}


@door.post(
    "/webhook-endpoints/<uuid:endpoint_id>/deliveries/<uuid:delivery_id>/redelivery",
    operation="redeliverWebhook",
    scope=SCOPE,
    summary="Send one again",
    refusals=[errors.NotFound, log.WebhookEndpointNotActive],
    idempotent=True,
    replay=_again,
)
@door.answers(WebhookDeliveryAnswer, status=202)
def redeliver_webhook(endpoint_id: UUID, delivery_id: UUID) -> dict[str, Any]:
    """Under the same `webhook-id`, whether or not it arrived before."""
    answering.made(delivery_id)
    return log.again(client_id=client_id(), endpoint_id=endpoint_id, delivery_id=delivery_id)


@door.post(
    "/webhook-endpoints/<uuid:endpoint_id>/redelivery",
    operation="redeliverWebhooks",
    scope=SCOPE,
    summary="Send a range again",
    refusals=[errors.NotFound, log.WebhookEndpointNotActive, log.RangeTooLong],
    idempotent=True,
    replay=_endpoint,
)
@door.asks(RedeliveryAsk)
@door.answers(WebhookEndpointAnswer, status=202)
def redeliver_webhooks(asked: dict[str, Any], endpoint_id: UUID) -> Endpoint:
    """What did not arrive in that while, and what came about while the endpoint was not there to be told; the oldest
    first. What may not be told any more is left out, so how many there are is not said either."""
    log.all_again(client_id=client_id(), endpoint_id=endpoint_id, **asked)
    answering.made(endpoint_id)
    return _endpoint(endpoint_id)


@door.post(
    "/webhook-endpoints/<uuid:endpoint_id>/test",
    operation="testWebhookEndpoint",
    scope=SCOPE,
    summary="Send a test",
    refusals=[errors.NotFound, log.WebhookEndpointNotActive],
    idempotent=True,
    replay=_again,
)
@door.answers(WebhookDeliveryAnswer, status=202)
def test_webhook_endpoint(endpoint_id: UUID) -> dict[str, Any]:
    """A webhook of type `endpoint.test`, signed as every other; the log tells what became of it."""
    delivery = log.test(client_id=client_id(), endpoint_id=endpoint_id, at=clock.now())
    answering.made(delivery["id"])
    return delivery

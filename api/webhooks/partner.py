"""The partner's door to its webhook endpoints."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import request

from api import answering, clock, errors, idempotency
from api.blueprint import Door
from api.webhooks import endpoints
from api.webhooks.models import Endpoint
from schemas.webhooks import (
    NewWebhookEndpointAnswer,
    SecretRotationAsk,
    WebhookEndpointAnswer,
    WebhookEndpointAsk,
    WebhookEndpointsAnswer,
)

door = Door("webhook_endpoints", kind="partner", tag="Webhooks")
SCOPE = "webhooks:manage"


def client_id() -> UUID:
    """The partner that makes the running request."""
    found = answering.caller().client_id
    assert found is not None, "not a partner's door"
    return found


def _key() -> str:
    return idempotency.parse(request.headers.get("Idempotency-Key"))


def _shown(endpoint: Endpoint) -> Endpoint:
    answering.set_version(endpoint.version)
    return endpoint


def _told(made: endpoints.Told) -> dict[str, Any]:
    """The endpoint with its secret, if it is told."""
    answering.set_version(made.endpoint.version)
    names = WebhookEndpointAnswer().fields
    return {**{name: getattr(made.endpoint, name) for name in names}, "secret": made.secret}


def _again(endpoint_id: UUID) -> dict[str, Any]:
    return _told(endpoints.again(client_id=client_id(), endpoint_id=endpoint_id, key=_key()))


def _state_again(endpoint_id: UUID) -> Endpoint:
    return _shown(endpoints.get(client_id=client_id(), endpoint_id=endpoint_id))


@door.post(
    "/webhook-endpoints",
    operation="createWebhookEndpoint",
    scope=SCOPE,
    summary="Register an endpoint",
    refusals=[endpoints.UnusableWebhookAddress, endpoints.TooManyWebhookEndpoints, endpoints.TooManyChallenges],
    idempotent=True,
    replay=_again,
)
@door.asks(WebhookEndpointAsk)
@door.answers(NewWebhookEndpointAnswer, status=201)
def create_webhook_endpoint(asked: dict[str, Any]) -> dict[str, Any]:
    """Keep the `secret`: it verifies every webhook, and is told once. Then the address is sent a webhook of type
    `endpoint.verification`, whose challenge it must answer; until it has, nothing else is sent there."""
    made = endpoints.create(client_id=client_id(), key=_key(), at=clock.now(), **asked)
    answering.made(made.endpoint.id, location=f"/v1/partner/webhook-endpoints/{made.endpoint.id}")
    return _told(made)


@door.get("/webhook-endpoints", operation="listWebhookEndpoints", scope=SCOPE, summary="Our endpoints")
@door.answers(WebhookEndpointsAnswer)
def list_webhook_endpoints() -> dict[str, Any]:
    """All of them, without their secrets. One that failed for days is disabled, and says so here; the contact that
    the partner has given the clinic is told by mail."""
    return {"items": endpoints.listed(client_id=client_id())}


@door.get(
    "/webhook-endpoints/<uuid:endpoint_id>",
    operation="getWebhookEndpoint",
    scope=SCOPE,
    summary="An endpoint",
    refusals=[errors.NotFound],
    etag=True,
)
@door.answers(WebhookEndpointAnswer)
def get_webhook_endpoint(endpoint_id: UUID) -> Endpoint:
    """Whether it is active, and since when it is not."""
    return _shown(endpoints.get(client_id=client_id(), endpoint_id=endpoint_id))


@door.put(
    "/webhook-endpoints/<uuid:endpoint_id>",
    operation="putWebhookEndpoint",
    scope=SCOPE,
    summary="Change an endpoint",
    refusals=[errors.NotFound, endpoints.UnusableWebhookAddress, endpoints.TooManyChallenges],
    if_match=True,
)
@door.asks(WebhookEndpointAsk)
@door.answers(WebhookEndpointAnswer)
def put_webhook_endpoint(asked: dict[str, Any], endpoint_id: UUID) -> Endpoint:
    """Replaces what is said of it. Another address has to answer a challenge first; the secret stays."""
    expected = answering.expected_version()
    return _shown(
        endpoints.replace(client_id=client_id(), endpoint_id=endpoint_id, expected=expected, at=clock.now(), **asked)
    )


@door.delete(
    "/webhook-endpoints/<uuid:endpoint_id>",
    operation="deleteWebhookEndpoint",
    scope=SCOPE,
    summary="Remove an endpoint",
    refusals=[errors.NotFound],
)
@door.answers(None, status=204)
def delete_webhook_endpoint(endpoint_id: UUID) -> None:
    """Nothing more is sent there, what waits included, and its log is gone."""
    endpoints.delete(client_id=client_id(), endpoint_id=endpoint_id)


@door.post(
    "/webhook-endpoints/<uuid:endpoint_id>/verification",
    operation="verifyWebhookEndpoint",
    scope=SCOPE,
    summary="Send the challenge again",
    refusals=[errors.NotFound, endpoints.TooManyChallenges],
    idempotent=True,
    replay=_state_again,
)
@door.answers(WebhookEndpointAnswer, status=202)
def verify_webhook_endpoint(endpoint_id: UUID) -> Endpoint:
    """For one that is pending, or was disabled and works again. Read the endpoint a moment later to see whether it
    has become active. One that is active stays so, and is sent nothing."""
    answering.made(endpoint_id)
    return _shown(endpoints.verify(client_id=client_id(), endpoint_id=endpoint_id, at=clock.now()))


@door.post(
    "/webhook-endpoints/<uuid:endpoint_id>/secret-rotation",
    operation="rotateWebhookSecret",
    scope=SCOPE,
    summary="Replace the secret",
    refusals=[errors.NotFound],
    idempotent=True,
    replay=_again,
)
@door.asks(SecretRotationAsk)
@door.answers(NewWebhookEndpointAnswer)
def rotate_webhook_secret(asked: dict[str, Any], endpoint_id: UUID) -> dict[str, Any]:
    """Tells a new secret, once. While both hold, each webhook carries a signature by each of them, so that nothing is
    lost before the new one is in use on your side."""
    overlap = timedelta(hours=asked["overlap_hours"])
    answering.made(endpoint_id)
    return _told(
        endpoints.rotate(client_id=client_id(), endpoint_id=endpoint_id, overlap=overlap, key=_key(), at=clock.now())
    )

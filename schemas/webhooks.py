"""Webhooks: a partner's endpoints, the log of what they were sent, and the bodies that they receive."""

from marshmallow import fields

from api import vocabulary
from schemas.base import SAFE_INTEGER, Answer, Ask, Flag, Id, Instant, Items, ListAnswer, PageQuery, Text, Whole, Word

ENDPOINT = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e31"
DELIVERY = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e32"
EVENT = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e33"
REFERRAL = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e34"
URL = "https://hooks.hospital.example.org/continuum"
SECRET = "whsec_UmVwbGFjZWRCeVRoZVJlYWxTZWNyZXRPZlRoaXNPbmU="  # noqa: S105
NEW_VERSION = {"description": "Compare with what you have read: webhooks may come twice, and out of order."}


class WebhookEndpointAsk(Ask):
    """Where to send, and what. `url` is https with a public host name on port 443, and is asked as it is written."""

    url = Text(max=2048, required=True)
    event_types = Items(Word(vocabulary.WEBHOOK_EVENTS), min=1, max=20, required=True)
    description = Text(max=200, load_default=None, metadata={"description": "For yourselves."})

    example = {"url": URL, "event_types": ["referral.received", "referral.updated"], "description": "Intake desk"}


class WebhookEndpointAnswer(Answer):
    """An endpoint. It is `pending` until its address has answered a challenge, and is told nothing else before. It is
    `disabled` because it answered 410 (`gone`), or failed for three days (`failing`): put it right, then ask for its
    verification."""

    id = Id(required=True)
    url = Text(max=2048, required=True)
    event_types = Items(Word(vocabulary.WEBHOOK_EVENTS), max=20, required=True)
    description = Text(max=200)
    status = Word(vocabulary.WEBHOOK_STATUSES, required=True)
    disabled_reason = Word(vocabulary.WEBHOOK_DISABLED_REASONS)
    disabled_at = Instant()
    verified_at = Instant()
    last_success_at = Instant()
    old_secret_until = Instant(metadata={"description": "Until then the secret before signs too."})
    created_at = Instant(required=True)
    changed_at = Instant(required=True)

    example = {
        "id": ENDPOINT,
        "url": URL,
        "event_types": ["referral.received", "referral.updated"],
        "description": "Intake desk",
        "status": "active",
        "verified_at": "2026-11-24T13:40:05Z",
        "created_at": "2026-11-24T13:40:00Z",
        "changed_at": "2026-11-24T13:40:05Z",
    }


class NewWebhookEndpointAnswer(WebhookEndpointAnswer):
    """An endpoint with its secret, which is told now and to the same request repeated under its Idempotency-Key."""

    secret = Text(max=120, metadata={"description": "For Standard Webhooks libraries: `whsec_` and base64."})

    example = {
        **{key: value for key, value in WebhookEndpointAnswer.example.items() if key != "verified_at"},
        "status": "pending",
        "secret": SECRET,
    }


class WebhookEndpointsAnswer(ListAnswer):
    """All of them, the oldest first."""

    items = Items(WebhookEndpointAnswer, max=100, required=True)

    example = {"items": [WebhookEndpointAnswer.example]}


class SecretRotationAsk(Ask):
    """For `overlap_hours` from now, every webhook is signed by both secrets; 0 for a secret that others have seen."""

    overlap_hours = Whole(min=0, max=168, load_default=24)

    example = {"overlap_hours": 24}


class WebhookDeliveriesQuery(PageQuery):
    state = Word(vocabulary.WEBHOOK_DELIVERY_STATES, load_default=None, metadata={"description": "Only those so."})

    example = {"state": "failed", "page_size": 20}


class WebhookDeliveryAnswer(Answer):
    """A webhook on its way to an endpoint. `event_id` is its `webhook-id`. `attempts` were made since it was last put
    in. `last_status` is what the endpoint answered, and `last_problem` why there was no answer, or none that counts.
    A `dropped` one may not be told any more."""

    id = Id(required=True)
    event_id = Id(required=True)
    type = Word(vocabulary.WEBHOOK_TYPES, required=True)
    subject_id = Id(required=True)
    version = Whole(min=0, max=SAFE_INTEGER, required=True)
    occurred_at = Instant(required=True)
    state = Word(vocabulary.WEBHOOK_DELIVERY_STATES, required=True)
    attempts = Whole(min=0, max=1000, required=True)
    next_attempt_at = Instant(metadata={"description": "While it is pending."})
    last_attempt_at = Instant()
    last_status = Whole(min=100, max=999)
    last_problem = Text(max=64)
    created_at = Instant(required=True)

    example = {
        "id": DELIVERY,
        "event_id": EVENT,
        "type": "referral.received",
        "subject_id": REFERRAL,
        "version": 1,
        "occurred_at": "2026-11-24T14:00:00Z",
        "state": "delivered",
        "attempts": 1,
        "last_attempt_at": "2026-11-24T14:00:01Z",
        "last_status": 204,
        "created_at": "2026-11-24T14:00:00Z",
    }


class WebhookDeliveriesAnswer(ListAnswer):
    """The latest first."""

    items = Items(WebhookDeliveryAnswer, max=100, required=True)

    example = {"items": [WebhookDeliveryAnswer.example]}


class RedeliveryAsk(Ask):
    """What came about from `since` until `until`, at most 30 days."""

    since = Instant(required=True)
    until = Instant(required=True)
    include_delivered = Flag(load_default=False, metadata={"description": "Also what has arrived."})

    example = {"since": "2026-11-23T00:00:00Z", "until": "2026-11-24T14:00:00Z", "include_delivered": False}


class WebhookDataAnswer(Answer):
    """What changed, and nothing about it: read it with your own token."""

    id = Id(required=True)
    version = Whole(min=0, max=SAFE_INTEGER, required=True, metadata=NEW_VERSION)

    example = {"id": REFERRAL, "version": 1}


class WebhookChallengeDataAnswer(WebhookDataAnswer):
    challenge = Text(max=100, required=True)

    example = {"id": ENDPOINT, "version": 1, "challenge": "KqA0pYl3xWn5m7tG2cVbR8sZdE4uJhLf"}


class WebhookAnswer(Answer):
    """The body of every webhook: what happened, when, and to what."""

    type = Word(vocabulary.WEBHOOK_TYPES, required=True)
    timestamp = Instant(required=True, metadata={"description": "When it happened, however often it was sent since."})

    example = {"type": "endpoint.test", "timestamp": "2026-11-24T14:00:00Z"}


def _body(type: str, data: type[Answer] = WebhookDataAnswer) -> dict[str, object]:
    return {"type": type, "timestamp": "2026-11-24T14:00:00Z", "data": dict(data.example)}


class ReferralReceivedWebhook(WebhookAnswer):
    """A referral of yours has arrived."""

    data = fields.Nested(WebhookDataAnswer, required=True)

    example = _body("referral.received")


class ReferralUpdatedWebhook(WebhookAnswer):
    """What you may see of a referral of yours has changed. Sent only while the person's consent lets you see it."""

    data = fields.Nested(WebhookDataAnswer, required=True)

    example = _body("referral.updated")


class EndpointTestWebhook(WebhookAnswer):
    """A test that you asked for; `data.id` is the endpoint's."""

    data = fields.Nested(WebhookDataAnswer, required=True)

    example = _body("endpoint.test")


class EndpointVerificationWebhook(WebhookAnswer):
    """Proof that you want webhooks here: answer 200 with `WebhookChallengeAnswer` as JSON."""

    data = fields.Nested(WebhookChallengeDataAnswer, required=True)

    example = _body("endpoint.verification", WebhookChallengeDataAnswer)


class WebhookChallengeAnswer(Answer):
    """`data.challenge` of the webhook, echoed."""

    challenge = Text(max=100, required=True)

    example = {"challenge": WebhookChallengeDataAnswer.example["challenge"]}


BODIES: dict[str, type[WebhookAnswer]] = {
    "referral.received": ReferralReceivedWebhook,
    "referral.updated": ReferralUpdatedWebhook,
    "endpoint.test": EndpointTestWebhook,
    "endpoint.verification": EndpointVerificationWebhook,
}

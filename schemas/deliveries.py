"""What did not arrive, as the clinic reads it."""

from api import vocabulary
from schemas.base import Answer, Id, Instant, Items, ListAnswer, PageQuery, Text, Word

DELIVERY = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e0c"


class DeliveryProblemsQuery(PageQuery):
    """A page of them."""

    example = {"page_size": 20}


class DeliveryProblemAnswer(Answer):
    """One message that did not arrive. `outcome` is what the carrier said at once, or `failed` where it took the
    message and reported later; `reason` is the carrier's own code. What was `not_carried` has neither channel nor
    provider, and the house's own reason (`no_address`, `sms_cap`, `too_late`, `undeliverable`)."""

    id = Id(required=True)
    channel = Word(vocabulary.REMINDER_CHANNELS)
    provider = Text(max=20)
    outcome = Word(vocabulary.DELIVERY_PROBLEMS, required=True)
    reason = Text(max=200)
    attempted_at = Instant(required=True)
    failed_at = Instant()

    example = {
        "id": DELIVERY,
        "channel": "sms",
        "provider": "sms",
        "outcome": "failed",
        "reason": "30005",
        "attempted_at": "2026-11-24T23:00:00Z",
        "failed_at": "2026-11-24T23:00:04Z",
    }


class DeliveryProblemsAnswer(ListAnswer):
    """Messages that did not arrive, newest first."""

    items = Items(DeliveryProblemAnswer, required=True)

    example = {"items": [DeliveryProblemAnswer.example]}

"""What did not arrive, as the clinic reads it."""

from api import vocabulary
from schemas.base import Answer, Id, Instant, Items, ListAnswer, PageQuery, Text, Word

DELIVERY = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e0c"


class DeliveryProblemsQuery(PageQuery):
    """A page of them."""

    example = {"page_size": 20}


class DeliveryProblemAnswer(Answer):
    """One attempt that did not arrive. `outcome` is what the carrier said at once, or `failed` where it took the
    message and reported later; `reason` is the carrier's own code."""

    id = Id(required=True)
    channel = Word(vocabulary.REMINDER_CHANNELS, required=True)
    provider = Text(max=20, required=True)
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
    """Attempts that did not arrive, newest first."""

    items = Items(DeliveryProblemAnswer, required=True)

    example = {"items": [DeliveryProblemAnswer.example]}

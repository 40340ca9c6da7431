"""Receipts: what the app saw of a reminder."""

from api import vocabulary
from schemas.base import Answer, Ask, Id, Instant, Word

RECEIPT = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e72"


class ReceiptAsk(Ask):
    """`id` is made on the phone, once for each event. `occurred_at` and `sent_at` are readings of the phone's clock;
    the server corrects by what it sees."""

    id = Id(required=True)
    event = Word(vocabulary.RECEIPT_EVENTS, required=True)
    occurred_at = Instant(required=True)
    sent_at = Instant()

    example = {
        "id": RECEIPT,
        "event": "opened",
        "occurred_at": "2026-11-24T23:04:10Z",
        "sent_at": "2026-11-24T23:04:12Z",
    }


class ReceiptAnswer(Answer):
    """The receipt that stands: the first of its event."""

    id = Id(required=True)
    reminder_id = Id(required=True)
    event = Word(vocabulary.RECEIPT_EVENTS, required=True)
    occurred_at = Instant(required=True)
    received_at = Instant(required=True)

    example = {
        "id": RECEIPT,
        "reminder_id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e05",
        "event": "opened",
        "occurred_at": "2026-11-24T23:04:10Z",
        "received_at": "2026-11-24T23:04:12Z",
    }

"""The patient's door to receipts: the app tells what it saw of a reminder."""

from typing import Any
from uuid import UUID

from api import answering, clock
from api.blueprint import Door
from api.reminders import receipts
from api.reminders.models import ReminderReceipt
from schemas.receipts import ReceiptAnswer, ReceiptAsk

door = Door("receipts", kind="patient", tag="Reminders")


@door.post(
    "/reminders/<uuid:reminder_id>/receipts",
    operation="recordMyReminderReceipt",
    scope="reminders:write",
    summary="Tell that a reminder was seen",
    refusals=[receipts.ReceiptIdTaken],
)
@door.asks(ReceiptAsk)
@door.answers(ReceiptAnswer, status=201)
def record_my_reminder_receipt(told: dict[str, Any], reminder_id: UUID) -> ReminderReceipt:
    """The first of each event stands, whichever phone it is from, and is what every later one is answered. Needs no
    Idempotency-Key: the act converges. A receipt may come late; nobody is judged by it."""
    receipt = receipts.record(
        patient_id=answering.patient_id(),
        reminder_id=reminder_id,
        receipt_id=told["id"],
        event=told["event"],
        occurred_at=told["occurred_at"],
        sent_at=told.get("sent_at"),
        at=clock.now(),
    )
    answering.made(receipt.id)
    return receipt

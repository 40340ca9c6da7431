"""What carriers report later of a reminder that they took: it arrived, or it did not.

A change that did not arrive after all is for a person to call about, as one that no carrier took is; a reminder that
did not is seen among the delivery problems. ``SUBSCRIPTIONS`` is for ``app.py``, after the record of deliveries.
"""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from api import db
from api.messages.events import DeliveryReported
from api.messages.models import Delivery
from api.patients import versions
from api.reminders import calls, receipts
from api.reminders.models import Reminder
from api.reminders.situation import CHANGES


def on_reported(fact: DeliveryReported) -> None:
    if fact.status not in ("delivered", "failed") or (found := _of(fact)) is None:
        return
    if fact.status == "delivered":
        receipts.delivered(patient_id=found.patient_id, reminder_id=found.id, at=fact.at)
    elif _must_be_called_about(found, fact):
        versions.touch([found.patient_id])
        calls.ask_for(patient_id=found.patient_id, reminder_id=found.id, at=fact.at)


def _of(fact: DeliveryReported) -> Any:
    """The reminder of the message, and when it was first known to have failed."""
    taken = Delivery.provider == fact.provider, Delivery.provider_id == fact.provider_id
    columns = Reminder.id, Reminder.patient_id, Reminder.kind, Reminder.starts_at, Delivery.failed_at
    found = sa.select(*columns).join(Delivery, Delivery.subject_id == Reminder.id).where(*taken)
    return db.session().execute(found.limit(1)).first()


def _must_be_called_about(found: Any, fact: DeliveryReported) -> bool:
    return found.kind in CHANGES and found.starts_at > fact.at and found.failed_at == fact.at


SUBSCRIPTIONS: tuple[tuple[type[Any], Callable[[Any], None]], ...] = ((DeliveryReported, on_reported),)

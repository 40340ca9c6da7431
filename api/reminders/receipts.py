"""What is told of reminders that were said: delivered, opened, dismissed, by the app; delivered, by a carrier that
reports. The first of each event stands, whoever tells it."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import db, errors, phoneclock, vocabulary
from api.patients import versions
from api.reminders.models import Reminder, ReminderReceipt


class ReceiptIdTaken(errors.Conflict):
    """The phone's id stands for what it was sent with first (CONTRACT: the same client id converges)."""

    title = "This id tells of something else"
    detail = "A receipt with this id was sent before, about another reminder or event. Make a new id."
    title_es = "Este identificador es de otro aviso"
    detail_es = "Ya se envió un acuse con este identificador sobre otra cosa. Cree uno nuevo."


def record(
    *,
    patient_id: UUID,
    reminder_id: UUID,
    receipt_id: UUID,
    event: str,
    occurred_at: datetime,
    sent_at: datetime | None,
    at: datetime,
) -> ReminderReceipt:
    """What stands of this event: the first that was told of it, by whichever phone. Raises `errors.NotFound` for a
    reminder that is not the patient's, `ReceiptIdTaken`."""
    _refuse_unless_theirs(patient_id, reminder_id)
    if found := _known(patient_id, reminder_id, receipt_id, event):
        return found
    _add(
        patient_id=patient_id,
        id=receipt_id,
        reminder_id=reminder_id,
        event=event,
        occurred_at=phoneclock.moment(occurred_at, sent_at=sent_at, received_at=at),
        received_at=at,
        version=versions.touch([patient_id])[patient_id],
    )
    found = _known(patient_id, reminder_id, receipt_id, event)
    assert found is not None, "it was added, by us or by another request"
    return found


def delivered(*, patient_id: UUID, reminder_id: UUID, at: datetime) -> None:
    """A carrier says that the phone has it. Again is once."""
    stands = sa.exists().where(ReminderReceipt.reminder_id == reminder_id, ReminderReceipt.event == "delivered")
    if not db.session().scalar(sa.select(stands)):
        _add(
            patient_id=patient_id,
            id=db.uuid7(),
            reminder_id=reminder_id,
            event="delivered",
            occurred_at=at,
            received_at=at,
            version=versions.touch([patient_id])[patient_id],
        )


def of(reminder_ids: Collection[UUID]) -> Mapping[UUID, Mapping[str, datetime]]:
    """By reminder, when each event happened: `delivered_at`, `opened_at`, `dismissed_at`."""
    told: dict[UUID, dict[str, datetime]] = defaultdict(dict)
    which = sa.select(ReminderReceipt).where(ReminderReceipt.reminder_id.in_(reminder_ids))
    for receipt in db.session().scalars(which):
        told[receipt.reminder_id][f"{receipt.event}_at"] = receipt.occurred_at
    return told


def shown(told: Mapping[str, datetime] | None) -> dict[str, datetime | None]:
    """What the ledger shows of them. What was opened or dismissed had been delivered, though nothing said so."""
    at = {f"{event}_at": (told or {}).get(f"{event}_at") for event in vocabulary.RECEIPT_EVENTS}
    known = [one for one in at.values() if one]
    return at | {"delivered_at": at["delivered_at"] or min(known, default=None)}


def _refuse_unless_theirs(patient_id: UUID, reminder_id: UUID) -> None:
    theirs = sa.select(Reminder.id).where(Reminder.id == reminder_id, Reminder.patient_id == patient_id)
    if db.session().scalar(theirs) is None:
        raise errors.NotFound


def _known(patient_id: UUID, reminder_id: UUID, receipt_id: UUID, event: str) -> ReminderReceipt | None:
    """The receipt of this event. Raises `ReceiptIdTaken` where the id stands for another."""
    about = (ReminderReceipt.reminder_id == reminder_id) & (ReminderReceipt.event == event)
    either = sa.select(ReminderReceipt).where(
        ReminderReceipt.patient_id == patient_id, (ReminderReceipt.id == receipt_id) | about
    )
    found = db.session().scalars(either).all()
    if any(one.id == receipt_id and (one.reminder_id, one.event) != (reminder_id, event) for one in found):
        raise ReceiptIdTaken
    return next(iter(found), None)


def _add(**row: Any) -> None:
    """Keep it, and let the ledger's entry, which shows it, be read anew."""
    added = insert(ReminderReceipt).values(**row).on_conflict_do_nothing().returning(ReminderReceipt.id)
    if db.session().scalar(added):
        entry = sa.update(Reminder).where(Reminder.id == row["reminder_id"]).values(version=row["version"])
        db.session().execute(entry.execution_options(synchronize_session=False))

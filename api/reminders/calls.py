"""What a person must call about: a change that reaches nobody in time. One task for a patient, until they have heard of
that session after all."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.reminders.models import Reminder
from api.reminders.situation import CHANGES
from api.staff import tasks

CAUSE = "undeliverable_messages"


def ask_for(*, patient_id: UUID, reminder_id: UUID, at: datetime) -> None:
    """Have somebody call the patient about what this entry would have said."""
    tasks.open_task(patient_id=patient_id, cause=CAUSE, at=at, subject_id=reminder_id)


def not_said(rows: Iterable[Any], *, at: datetime) -> None:
    """These rows of the ledger never will be said: whoever is concerned by a change among them is to be called."""
    for row in rows:
        if row.kind in CHANGES:
            ask_for(patient_id=row.patient_id, reminder_id=row.id, at=at)


def said(rows: Sequence[Any], *, at: datetime) -> None:
    """These rows of the ledger have arrived: who was to be called about a session, and has now heard of it as it
    stands, need not be."""
    latest = {(row.patient_id, row.session_id): row.revision for row in rows if row.session_id}
    open_ones = tasks.hold(cause=CAUSE, patient_ids={one for one, _ in latest}) if latest else []
    if not open_ones:
        return
    about = sa.select(Reminder.patient_id, Reminder.session_id, Reminder.revision)
    unsaid = db.session().execute(about.where(Reminder.id.in_([subject for _, subject in open_ones])))
    told = [whose for whose, session_id, revision in unsaid if latest.get((whose, session_id), 0) >= revision]
    if told:
        tasks.causes_are_gone(patient_ids=told, cause=CAUSE, at=at)

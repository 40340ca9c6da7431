"""By what a phone knows that the ledger it read still holds, found without wording a single entry.

The patient's version is not enough: a worker writes down what was said without taking the patient's lock. So the mark
is made of the entries' own states; and of how many of them the clock has brought near enough for an app to show them.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from api import db
from api.patients.models import PatientVersion
from api.reminders.models import Reminder
from api.reminders.service import LOOK_AHEAD, LOOK_BACK

# How far ahead an app may show an entry by itself.
NEAR = timedelta(days=7)


def of_ledger(
    *, patient_id: UUID, since: datetime | None, until: datetime | None, language: str, at: datetime
) -> tuple[Any, ...]:
    """Changes whenever the entries due in the window would be told otherwise; the window as `service.listed` has it."""
    begins = since or at - LOOK_BACK
    ends = until or begins + LOOK_BACK + LOOK_AHEAD
    states = sa.func.concat_ws(" ", Reminder.id, Reminder.state, Reminder.changed_at, Reminder.version)
    written = sa.func.string_agg(states, aggregate_order_by(sa.literal_column("','"), Reminder.due_at, Reminder.id))
    near = sa.func.count().filter(Reminder.due_at <= at + NEAR)
    version = sa.select(PatientVersion.version).where(PatientVersion.patient_id == patient_id).scalar_subquery()
    found = sa.select(version, sa.func.coalesce(sa.func.md5(written), "none"), near).where(
        Reminder.patient_id == patient_id, Reminder.due_at >= begins, Reminder.due_at < ends
    )
    return *db.session().execute(found).one(), language

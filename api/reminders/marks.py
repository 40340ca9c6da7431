"""By what a phone knows that the ledger it read still holds, found without wording a single entry: the patient's
version, and what the clock changes, which is the entries in the window and those near enough for an app to show."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.patients.models import PatientVersion
from api.reminders.collapsing import LOCAL_AHEAD
from api.reminders.models import Reminder
from api.reminders.service import LOOK_AHEAD, LOOK_BACK


def of_ledger(
    *, patient_id: UUID, since: datetime | None, until: datetime | None, language: str, at: datetime
) -> tuple[Any, ...]:
    """Changes whenever the entries due in the window would be told otherwise; the window as `service.listed` has it."""
    begins = since or at - LOOK_BACK
    ends = until or begins + LOOK_BACK + LOOK_AHEAD
    due = Reminder.due_at
    near = sa.func.count().filter(due <= at + LOCAL_AHEAD)
    version = sa.select(PatientVersion.version).where(PatientVersion.patient_id == patient_id).scalar_subquery()
    # While the version stands so do the times, and the first and the last of them say which ones they are.
    found = sa.select(version, sa.func.count(), sa.func.min(due), sa.func.max(due), near).where(
        Reminder.patient_id == patient_id, due >= begins, due < ends
    )
    return *db.session().execute(found).one(), language

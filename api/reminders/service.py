"""What a patient reads of the ledger."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from api import pages
from api.patients import service as patients
from api.patients import zones
from api.reminders import collapsing, reasons, receipts, sources, wording
from api.reminders.models import Reminder

LOOK_BACK = timedelta(days=1)
LOOK_AHEAD = timedelta(weeks=4)


def listed(
    *,
    patient_id: UUID,
    since: datetime | None,
    until: datetime | None,
    state: str | None,
    asked: int,
    page_token: str | None,
    language: str,
    at: datetime,
) -> tuple[list[dict[str, Any]], str | None]:
    """Entries due in the window (`until` excluded), in order of time, as the patient reads them, and the next page's
    token. The window is from a day ago and four weeks ahead where it is not named."""
    rows, more = pages.page(
        _window(patient_id, since or at - LOOK_BACK, until, state),
        keys=[Reminder.due_at, Reminder.id],
        asked=asked,
        page_token=page_token,
        bound_to=("reminders", patient_id, since, until, state),
    )
    zone = ZoneInfo(zones.of(patients.one(patient_id=patient_id)))
    covered = sources.spoken_for([row.id for row in rows])
    told = receipts.of([row.id for row in rows])
    return [
        _shown(row, covered.get(row.id, []), zone, language, at) | receipts.shown(told.get(row.id)) for row in rows
    ], more


def _window(patient_id: UUID, since: datetime, until: datetime | None, state: str | None) -> sa.Select[Any]:
    found = sa.select(Reminder).where(
        Reminder.patient_id == patient_id,
        Reminder.due_at >= since,
        Reminder.due_at < (until or since + LOOK_BACK + LOOK_AHEAD),
    )
    return found if state is None else found.where(Reminder.state == state)


def _shown(row: Reminder, covered: Sequence[Any], zone: ZoneInfo, language: str, at: datetime) -> dict[str, Any]:
    shown = {column.key: getattr(row, column.key) for column in sa.inspect(Reminder).columns}
    return shown | {
        "lead": row.lead or None,
        "why": reasons.why(row.reason, language),
        "text": row.text or _text(row, covered, zone, language),
        "collapse_id": collapsing.of(row),
        "may_show_locally": collapsing.may_show_locally(row, at=at),
    }


def _text(row: Reminder, covered: Sequence[Any], zone: ZoneInfo, language: str) -> str | None:
    """What is said, as it will be at its time, or was by a worker that did not come to write it down."""
    if row.state not in ("planned", "sent"):
        return None
    return wording.sentence(wording.items([row, *covered]), language=language, reader=zone, at=row.due_at).text

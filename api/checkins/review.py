"""What the clinic does with check-ins: read them, review them, and choose what a patient is asked."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import db, errors, events, pages
from api.checkins import instruments, mine
from api.checkins.events import CheckInSwitched
from api.checkins.models import CheckIn, CheckInSwitch, InstrumentSettings
from api.patients import versions
from api.staff import tasks

_COLUMNS = CheckIn.__table__.c


def listed(
    *,
    patient_id: UUID,
    instrument: str | None,
    reviewed: bool | None,
    asked: int,
    page_token: str | None,
    bound_to: Sequence[Any],
) -> tuple[list[CheckIn], str | None]:
    """One page of a patient's check-ins, those given last first; `reviewed` None means all."""
    select = mine.of(patient_id, instrument)
    if reviewed is not None:
        select = select.where(CheckIn.reviewed_at.is_not(None) if reviewed else CheckIn.reviewed_at.is_(None))
    return pages.page(
        select,
        keys=[_COLUMNS.occurred_at, _COLUMNS.id],
        asked=asked,
        page_token=page_token,
        bound_to=(*bound_to, patient_id, instrument, reviewed),
        descending=True,
    )


def review(*, patient_id: UUID, check_in_id: UUID, by: str, role: str, at: datetime) -> CheckIn:
    """Say that a person has looked at it; the first to say so stands. With the last total that a task was opened for,
    the task closes. Raises `errors.NotFound`."""
    stamp = versions.touch([patient_id]).get(patient_id)
    kept = db.session().get(CheckIn, (patient_id, check_in_id))
    if kept is None or stamp is None:
        raise errors.NotFound
    if kept.reviewed_at is None:
        kept.reviewed_at, kept.reviewed_by, kept.reviewed_role, kept.version = at, by, role, stamp
        db.session().flush()
        if not _high_totals_wait(patient_id):
            tasks.cause_is_gone(patient_id=patient_id, cause="score_to_look_at", at=at)
    return kept


def _high_totals_wait(patient_id: UUID) -> bool:
    waiting = sa.exists().where(
        CheckIn.patient_id == patient_id,
        CheckIn.reviewed_at.is_(None),
        InstrumentSettings.instrument == CheckIn.instrument,
        CheckIn.total > InstrumentSettings.task_over_total,
    )
    return bool(db.session().scalar(sa.select(waiting)))


def switch(*, patient_id: UUID, instrument: str, offered: bool, by: str, role: str, at: datetime) -> CheckInSwitch:
    """Ask the patient this instrument, or no longer. The same again changes nothing. Raises `errors.NotFound`."""
    if instruments.current(instrument) is None:
        raise errors.NotFound
    stamp = versions.touch([patient_id])[patient_id]
    values = {"offered": offered, "changed_at": at, "changed_by": by, "changed_role": role, "version": stamp}
    db.session().execute(
        insert(CheckInSwitch)
        .values(patient_id=patient_id, instrument=instrument, **values)
        .on_conflict_do_update(
            index_elements=[CheckInSwitch.patient_id, CheckInSwitch.instrument],
            set_=values,
            where=CheckInSwitch.offered != offered,
        )
    )
    events.announce(CheckInSwitched(patient_id, at))
    return db.session().get_one(CheckInSwitch, (patient_id, instrument))


def switches(*, patient_id: UUID) -> list[CheckInSwitch]:
    """Every instrument, and whether the patient is asked it; what nobody changed is asked."""
    changed = db.session().scalars(sa.select(CheckInSwitch).where(CheckInSwitch.patient_id == patient_id))
    known = {one.instrument: one for one in changed}
    return [known.get(key) or CheckInSwitch(instrument=key, offered=True) for key in instruments.CURRENT]

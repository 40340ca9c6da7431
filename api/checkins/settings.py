"""What the clinic sets about an instrument for everybody: when it is asked, and which total opens a task."""

from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import db, errors, events
from api.checkins import instruments
from api.checkins.events import SchedulesChanged
from api.checkins.models import CheckInSchedule, InstrumentSettings
from api.programs import service as programs


def settings(*, instrument: str) -> dict[str, Any]:
    """As `InstrumentSettingsAnswer` has it, with its `version`. Raises `errors.NotFound`."""
    if instruments.current(instrument) is None:
        raise errors.NotFound
    return _told(db.session().get(InstrumentSettings, instrument), instrument)


def set_settings(
    *, instrument: str, task_over_total: int | None, schedules: Sequence[Mapping[str, Any]], expected: int | None
) -> dict[str, Any]:
    """Replace them whole. `expected` is the version last read, None for any.

    Raises `errors.NotFound`, `errors.PreconditionFailed`, `programs.UnknownProgram`.
    """
    if instruments.current(instrument) is None:
        raise errors.NotFound
    for schedule in schedules:
        programs.one(schedule["program_slug"])
    changed = _set(instrument, task_over_total, expected)
    _reschedule(instrument, schedules)
    return _told(changed, instrument)


def _reschedule(instrument: str, schedules: Sequence[Mapping[str, Any]]) -> None:
    was = sa.delete(CheckInSchedule).where(CheckInSchedule.instrument == instrument)
    asked = set(db.session().scalars(was.returning(CheckInSchedule.program_slug)))
    db.session().add_all(_row(instrument, schedule) for schedule in schedules)
    db.session().flush()
    asked |= {schedule["program_slug"] for schedule in schedules}
    events.announce(SchedulesChanged(tuple(sorted(asked))))


def _set(instrument: str, task_over_total: int | None, expected: int | None) -> InstrumentSettings:
    session = db.session()
    session.execute(insert(InstrumentSettings).values(instrument=instrument, version=0).on_conflict_do_nothing())
    changed = session.scalar(
        sa.update(InstrumentSettings)
        .where(
            InstrumentSettings.instrument == instrument,
            InstrumentSettings.version == expected if expected is not None else sa.true(),
        )
        .values(task_over_total=task_over_total, version=InstrumentSettings.version + 1)
        .returning(InstrumentSettings)
        .execution_options(populate_existing=True)
    )
    if changed is None:
        raise errors.PreconditionFailed
    return changed


def _row(instrument: str, schedule: Mapping[str, Any]) -> CheckInSchedule:
    return CheckInSchedule(
        instrument=instrument, **{**schedule, "opens_local": time.fromisoformat(schedule["opens_local"])}
    )


def _told(found: InstrumentSettings | None, instrument: str) -> dict[str, Any]:
    schedules = db.session().scalars(
        sa.select(CheckInSchedule)
        .where(CheckInSchedule.instrument == instrument)
        .order_by(CheckInSchedule.program_slug)
        .execution_options(populate_existing=True)
    )
    return {
        "instrument": instrument,
        "task_over_total": found.task_over_total if found else None,
        "schedules": schedules.all(),
        "version": found.version if found else 0,
    }

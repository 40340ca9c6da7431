"""What patients read of their own check-ins: what is due, the list, and numbers over time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from api import db, errors, pages
from api.checkins import due, instruments, showing
from api.checkins.instruments.model import Instrument
from api.checkins.models import CheckIn
from api.patients import service as patients
from api.patients import zones

USUAL_SPAN, LONGEST_SPAN = timedelta(days=90), timedelta(days=366)
POINTS = 1000
_COLUMNS = CheckIn.__table__.c


def due_now(*, patient_id: UUID, at: datetime, language: str) -> list[dict[str, Any]]:
    """What is asked at `at` and not answered yet, the first to close first."""
    rows = db.session().execute(due.due_now(patient_id, at)).mappings()
    asked = ((row, instruments.current(row["instrument"])) for row in rows)
    return [_due(row, one, language) for row, one in asked if one]


def next_change(*, patient_id: UUID, at: datetime) -> datetime | None:
    """When what is due may change by the clock alone."""
    windows = db.session().execute(due.windows_at(patient_id, at)).all()
    edges = (edge for window in windows for edge in window[1:])
    return min((edge for edge in edges if edge > at), default=None)


def _due(row: Any, instrument: Instrument, language: str) -> dict[str, Any]:
    return {
        **row,
        "instrument_version": instrument.version,
        "title": showing.said(instrument.title, language),
        "items": [item.key for item in instrument.items_for(frozenset(row["focus"]))],
    }


def listed(
    *, patient_id: UUID, instrument: str | None, asked: int, page_token: str | None, bound_to: Sequence[Any]
) -> tuple[list[CheckIn], str | None]:
    """One page of the patient's check-ins, those given last first."""
    return pages.page(
        of(patient_id, instrument),
        keys=[_COLUMNS.occurred_at, _COLUMNS.id],
        asked=asked,
        page_token=page_token,
        bound_to=(*bound_to, patient_id, instrument),
        descending=True,
    )


def of(patient_id: UUID, instrument: str | None) -> sa.Select[Any]:
    """The patient's check-ins, of one instrument or all."""
    select = sa.select(CheckIn).where(CheckIn.patient_id == patient_id)
    return select.where(CheckIn.instrument == instrument) if instrument else select


def trends(
    *, patient_id: UUID, instrument: str | None, since: datetime | None, until: datetime | None, at: datetime
) -> dict[str, Any]:
    """The patient's numbers from `since` until just before `until`; the last 90 days unless said otherwise.

    Raises `errors.BadRequest` for a span that is empty or longer than a year.
    """
    until = until or at + timedelta(seconds=1)
    since = since or until - USUAL_SPAN
    if not timedelta() < until - since <= LONGEST_SPAN:
        raise errors.BadRequest("`since` must lie before `until`, by a year at most.")
    zone = zones.of(patients.one(patient_id=patient_id))
    kept = db.session().scalars(
        of(patient_id, instrument)
        .where(CheckIn.occurred_at >= since, CheckIn.occurred_at < until)
        .order_by(CheckIn.occurred_at.desc(), CheckIn.id)
        .limit(POINTS)
    )
    oldest_first = list(kept)[::-1]
    return {
        "since": since,
        "until": until,
        "time_zone": zone,
        "check_in_days": len({one.occurred_at.astimezone(ZoneInfo(zone)).date() for one in oldest_first}),
        "series": [line for key in instruments.CURRENT for line in _lines(key, oldest_first)],
    }


def _lines(key: str, kept: Sequence[CheckIn]) -> list[dict[str, Any]]:
    """An instrument's total where it has one, else each of its numbers; without points there is no line."""
    instrument = instruments.CURRENT[key]
    own = [one for one in kept if one.instrument == key]
    if instrument.scoring:
        scoring = instrument.scoring
        return _line(key, "total", scoring.minimum, scoring.maximum, [(one, one.total) for one in own])
    numbers = [item for item in instrument.items if item.kind in ("scale", "number")]
    return [
        line
        for item in numbers
        for line in _line(
            key, item.key, item.minimum or 0, item.maximum or 0, [(one, one.answers.get(item.key)) for one in own]
        )
    ]


def _line(key: str, measure: str, low: int, high: int, values: Sequence[tuple[CheckIn, Any]]) -> list[dict[str, Any]]:
    points = [
        {"check_in_id": one.id, "occurred_at": one.occurred_at, "value": value}
        for one, value in values
        if value is not None
    ]
    line = {"instrument": key, "measure": measure, "minimum": low, "maximum": high, "points": points}
    return [line] if points else []

"""The audit as the clinic reads it: the frame's rows, with the record system's ids of patients, and the links."""

import operator
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, pages
from api.audit import AuditEvent, AuditSeal
from api.patients.models import Patient

_COLUMNS = AuditEvent.__table__.columns
# Patients are named by the record system's ids; the house's own stay inside.
_SHOWN = tuple(column.name for column in _COLUMNS if column.name != "patient_id")


def events(
    *,
    patient_id: UUID | None,
    since: datetime | None,
    until: datetime | None,
    operation: str | None,
    outcome: str | None,
    asked: int,
    page_token: str | None,
    bound_to: Sequence[Any],
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of acts, newest first; what is None narrows nothing."""
    found, more = pages.page(
        sa.select(AuditEvent).where(*_narrowing(patient_id, since, until, operation, outcome)),
        keys=[_COLUMNS.recorded_at, _COLUMNS.id],
        asked=asked,
        page_token=page_token,
        bound_to=(*bound_to, patient_id, since, until, operation, outcome),
        descending=True,
    )
    return _told(found), more


def _narrowing(
    patient_id: UUID | None, since: datetime | None, until: datetime | None, operation: str | None, outcome: str | None
) -> list[sa.ColumnElement[bool]]:
    asked: tuple[tuple[Any, Any, Any], ...] = (
        (AuditEvent.patient_id, operator.eq, patient_id),
        (AuditEvent.recorded_at, operator.ge, since),
        (AuditEvent.recorded_at, operator.lt, until),
        (AuditEvent.operation, operator.eq, operation),
        (AuditEvent.outcome, operator.eq, outcome),
    )
    return [compared(column, wanted) for column, compared, wanted in asked if wanted is not None]


def _told(found: Sequence[AuditEvent]) -> list[dict[str, Any]]:
    whose = _pairs(Patient.id, Patient.external_id, {one.patient_id for one in found})
    sealed = _pairs(AuditSeal.event_id, AuditSeal.position, {one.id for one in found})
    return [
        {name: getattr(one, name) for name in _SHOWN}
        | {"patient_external_id": whose.get(one.patient_id), "sealed": sealed.get(one.id)}
        for one in found
    ]


def _pairs(key: Any, value: Any, wanted: set[Any]) -> dict[Any, Any]:
    rows = db.session().execute(sa.select(key.label("key"), value.label("value")).where(key.in_(wanted)))
    return {one.key: one.value for one in rows}

"""Putting a check-in into the database: one call of `keep_check_in` (migration 0010), in one of two ways.

The function raises the patient's version, looks at what held for the patient, flags by it, and inserts; a second call
with the same id inserts nothing. `keep` calls it in the running transaction. `keep_at_once` is a transaction of its own
in one autocommitted statement, for a check-in that asks nothing further of anybody: it names the caller, asks for its
standing and writes the audit row too (HOUSE decision 6, for the write that phones make most).
"""

from dataclasses import dataclass, fields
from functools import cache
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from api import audit, db, hotlines
from api.checkins.models import Kept
from api.patients import versions, zones
from api.prepared import Prepared

_INSTANT = sa.DateTime(timezone=True)
_TAKES: dict[str, sa.types.TypeEngine[Any]] = {
    "id": sa.Uuid(),
    "instrument": sa.Text(),
    "instrument_version": sa.Text(),
    "answers": sa.Text(),
    "complete": sa.Boolean(),
    "total": sa.Integer(),
    "safety": sa.Boolean(),
    "flags": ARRAY(sa.Text()),
    "occurred_at": _INSTANT,
    "told_at": _INSTANT,
    "sent_at": _INSTANT,
    "received_at": _INSTANT,
    "clinic_zone": sa.Text(),
}
"""The function's parameters after whose it is and whether the caller stands, in order."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of it. Not `added`: the id was known. `flags` are those of the row, with what the database added."""

    added: bool
    stamp: int
    flags: list[str]
    language: str | None
    task_over_total: int | None


def keep(*, patient_id: UUID, row: dict[str, Any]) -> Outcome:
    """Keep `row` (the columns of a check-in but version and whose it is) in the running transaction."""
    found = _KEEP.one(patient_id=patient_id, stands=True, **_given(row))
    versions.remember(patient_id, found.stamp)
    return Outcome(found.added, found.stamp, found.flags, found.language, found.task_over_total)


def keep_at_once(*, caller: db.Caller, row: dict[str, Any], operation: str, request_id: str) -> Outcome | None:
    """Keep `row` in a transaction of its own; None when the id was known: then nothing was kept.

    Raises `db.SignedOut`, or `errors.Unavailable` when the database is out of reach.
    """
    asked = {
        "caller_id": str(caller.patient_id),
        "app_session_id": caller.app_session_id,
        "audit_id": db.uuid7(),
        "operation": operation,
        "request_id": request_id,
        **_given(row),
    }
    stands, *found = hotlines.current().ask(_at_once(), asked)
    db.refuse_unless(None if stands is None else stands.decode())
    added, stamp, flags, language = (None if column is None else column.decode() for column in found)
    return Outcome(True, int(stamp or 0), orjson.loads(flags or "[]"), language, None) if added == "t" else None


def _given(row: dict[str, Any]) -> dict[str, Any]:
    given = {name: row[name] for name in _TAKES if name in row}
    return given | {"answers": orjson.dumps(row["answers"]).decode(), "clinic_zone": zones.clinic()}


def _call(patient_id: Any, stands: Any) -> sa.TableValuedAlias:
    parameters = [sa.bindparam(name, type_=kind) for name, kind in _TAKES.items()]
    given = [sa.cast(one, JSONB) if one.key == "answers" else one for one in parameters]
    columns: list[sa.ColumnClause[Any]] = [sa.column(one.name) for one in fields(Outcome)]
    return sa.func.keep_check_in(patient_id, stands, *given).table_valued(*columns, name="kept")


_KEEP = Prepared(sa.select(_call(sa.bindparam("patient_id", type_=sa.Uuid), sa.bindparam("stands", type_=sa.Boolean))))


@cache
def _at_once() -> hotlines.Prepared:
    """The order is forced by what each part takes from the one before: the caller is named before its standing is
    asked, and that is known before the function is called, which does nothing for a caller who does not stand."""
    named = sa.func.set_config("app.patient_id", sa.bindparam("caller_id", type_=sa.Text), True)
    session_id = sa.bindparam("app_session_id", type_=sa.Uuid).label("app_session_id")
    caller = sa.select(sa.cast(named, sa.Uuid).label("id"), session_id).cte("caller").prefix_with("MATERIALIZED")
    standing = sa.select(db.standing("patient", caller).label("stands")).correlate(caller)
    asked = standing.offset(sa.literal_column("0")).lateral("asked")
    call = _call(caller.c.id, asked.c.stands == db.STANDS).lateral("kept")
    kept = (
        sa.select(caller.c.id, caller.c.app_session_id, asked.c.stands, call.c.added, call.c.stamp, call.c.flags)
        .add_columns(call.c.language)
        .select_from(caller.join(asked, sa.true()).outerjoin(call, sa.true()))
        .cte("outcome")
        .prefix_with("MATERIALIZED")
    )
    return hotlines.Prepared(
        sa.select(kept.c.stands, kept.c.added, kept.c.stamp, kept.c.flags, kept.c.language).add_cte(_audited(kept))
    )


def _audited(kept: sa.CTE) -> sa.CTE:
    """The audit row of a write that was done, as a part of the statement that does it."""
    columns: dict[str, Any] = {
        "id": sa.bindparam("audit_id", type_=sa.Uuid),
        "caller_kind": sa.literal("patient", sa.Text),
        "app_session_id": kept.c.app_session_id,
        "patient_id": kept.c.id,
        "action": sa.literal("create", sa.Text),
        "operation": sa.bindparam("operation", type_=sa.Text),
        "resource_id": sa.bindparam("id", type_=sa.Uuid),
        "outcome": sa.literal("done", sa.Text),
        "request_id": sa.bindparam("request_id", type_=sa.Text),
    }
    row = sa.select(*columns.values()).where(kept.c.added)
    return sa.insert(audit.AuditEvent).from_select(list(columns), row, include_defaults=False).cte("audited")


def answered(*, patient_id: UUID, row: dict[str, Any], outcome: Outcome) -> Kept:
    """What was kept, as its sender is answered."""
    return Kept(patient_id=patient_id, version=outcome.stamp, **{**row, "flags": outcome.flags})

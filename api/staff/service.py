"""The verbs on alerts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from api import db, errors, pages
from api.staff import whose
from api.staff.models import Alert, AlertHit, AlertNotice

HITS_SHOWN, NOTICES_SHOWN = 100, 100
_COLUMNS = Alert.__table__.c


@dataclass(frozen=True, slots=True)
class SafetyAnswer:
    """One answer that asks for a person at the clinic."""

    instrument: str
    item: str
    answer: str


class FurtherHits(errors.Conflict):
    """Somebody acknowledges what they saw, and more has come since."""

    title = "More has come in"
    detail = "Further answers were added to this alert after it was read. Read it again, then acknowledge it."
    title_es = "Llegó algo más"
    detail_es = "Se agregaron más respuestas a esta alerta después de leerla. Léala de nuevo y confírmela."
    retry = "after_refresh"


def raise_alert(
    *,
    patient_id: UUID,
    answers: Sequence[SafetyAnswer],
    source: str,
    at: datetime,
    report_id: UUID | None = None,
    circumstances: Sequence[str] = (),
    occurred_at: datetime | None = None,
) -> bool:
    """Write `answers` to the patient's open alert, opening one where there is none; due to be told at once.

    `source` names the body that they came in: what stands in the open alert from the same source is not written
    again. Once that was acknowledged, only a check-in that was kept (`report_id`) and is sent again opens nothing: a
    refused body may be a new cry in the same words. Says whether anything was written.
    """
    parameters = {
        "patient_id": patient_id,
        "alert_id": db.uuid7(),
        "ids": [db.uuid7() for _ in answers],
        "instruments": [one.instrument for one in answers],
        "items": [one.item for one in answers],
        "given": [one.answer for one in answers],
        "source": source,
        "report_id": report_id,
        "circumstances": list(circumstances),
        "occurred_at": occurred_at,
        "at": at,
    }
    return db.session().execute(_RAISE, parameters).first() is not None


_RAISE = sa.text(
    """
    WITH fresh AS (
        SELECT given.id, given.instrument, given.item, given.answer
        FROM unnest(:ids, :instruments, :items, :given) AS given(id, instrument, item, answer)
        WHERE NOT EXISTS (
            SELECT FROM alert_hits AS known JOIN alerts ON alerts.id = known.alert_id
            WHERE known.patient_id = :patient_id AND known.source = :source
              AND known.item = given.item AND known.answer = given.answer
              AND (alerts.status = 'open' OR known.report_id = :report_id)
        )
    ), opened AS (
        INSERT INTO alerts (id, patient_id, opened_at, next_notice_at)
        SELECT :alert_id, :patient_id, :at, :at WHERE EXISTS (SELECT FROM fresh)
        ON CONFLICT (patient_id) WHERE status = 'open' DO UPDATE SET patient_id = alerts.patient_id
        RETURNING id
    )
    INSERT INTO alert_hits (id, alert_id, patient_id, source, instrument, item, answer, report_id, circumstances,
        occurred_at, received_at)
    SELECT fresh.id, opened.id, :patient_id, :source, fresh.instrument, fresh.item, fresh.answer, :report_id,
        :circumstances, :occurred_at, :at
    FROM fresh CROSS JOIN opened
    ON CONFLICT DO NOTHING
    RETURNING item
    """
).bindparams(
    sa.bindparam("patient_id", type_=sa.Uuid),
    sa.bindparam("alert_id", type_=sa.Uuid),
    sa.bindparam("report_id", type_=sa.Uuid),
    sa.bindparam("ids", type_=ARRAY(sa.Uuid)),
    *(sa.bindparam(name, type_=ARRAY(sa.Text)) for name in ("instruments", "items", "given", "circumstances")),
    *(sa.bindparam(name, type_=sa.DateTime(timezone=True)) for name in ("at", "occurred_at")),
    sa.bindparam("source", type_=sa.Text),
)


def alerts(
    *, status: str | None, asked: int, page_token: str | None, bound_to: Sequence[Any]
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of alerts, newest first, each with its hits and notices; `status` None means any."""
    select = sa.select(Alert).where(Alert.status == status if status else sa.true())
    rows, more = pages.page(
        select,
        keys=[_COLUMNS.opened_at, _COLUMNS.id],
        asked=asked,
        page_token=page_token,
        bound_to=(*bound_to, status),
        descending=True,
    )
    return _told(rows), more


def alert(*, alert_id: UUID) -> dict[str, Any]:
    """One alert with its hits and notices. Raises `errors.NotFound`."""
    found = db.session().get(Alert, alert_id)
    if found is None:
        raise errors.NotFound
    return _told([found])[0]


def acknowledge(
    *, alert_id: UUID, by: str, role: str, at: datetime, hits_seen: int, note: str | None = None
) -> dict[str, Any]:
    """Take the alert on: it is told to nobody further. Again is once: the first to acknowledge stands.

    `hits_seen` is how many hits the caller has read. Raises `FurtherHits` when there are more, `errors.NotFound`.
    """
    session = db.session()
    found = session.get(Alert, alert_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise errors.NotFound
    if found.status == "open":
        _refuse_unseen(alert_id, hits_seen)
        found.status, found.acknowledged_at, found.note = "acknowledged", at, note
        found.acknowledged_by, found.acknowledged_role = by, role
        session.flush()
    return _told([found])[0]


def _refuse_unseen(alert_id: UUID, hits_seen: int) -> None:
    hits = db.session().scalar(sa.select(sa.func.count()).where(AlertHit.alert_id == alert_id)) or 0
    if hits_seen < hits:
        raise FurtherHits(extra={"hits": hits})


def _told(found: Sequence[Alert]) -> list[dict[str, Any]]:
    """Alerts as the clinic reads them."""
    ids = [one.id for one in found]
    hits = _by_alert(
        sa.select(AlertHit).where(AlertHit.alert_id.in_(ids)).order_by(AlertHit.received_at, AlertHit.item, AlertHit.id)
    )
    notices = _by_alert(sa.select(AlertNotice).where(AlertNotice.alert_id.in_(ids)).order_by(AlertNotice.number))
    names = whose.external_ids(one.patient_id for one in found)
    return [
        {
            **{column.key: getattr(one, column.key) for column in _COLUMNS},
            "patient_external_id": names[one.patient_id],
            "deadline_at": one.next_notice_at if one.status == "open" and one.notices_sent else None,
            "hits": hits.get(one.id, [])[-HITS_SHOWN:],
            "hits_total": len(hits.get(one.id, [])),
            "notices": notices.get(one.id, [])[-NOTICES_SHOWN:],
        }
        for one in found
    ]


def _by_alert(select: sa.Select[Any]) -> dict[UUID, list[Any]]:
    grouped: dict[UUID, list[Any]] = {}
    for row in db.session().scalars(select):
        grouped.setdefault(row.alert_id, []).append(row)
    return grouped

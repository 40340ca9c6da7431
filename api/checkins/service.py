"""Check-ins come in: always kept, flagged, scored, and looked at for safety in the same transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from psycopg.types.json import Jsonb
from sqlalchemy.dialects.postgresql import insert

from api import db, errors
from api.checkins import answers, instruments, safety, scoring, surroundings
from api.checkins.envelope import Happened, happened
from api.checkins.instruments.model import Instrument
from api.checkins.models import CheckIn, Kept
from api.checkins.surroundings import Surroundings
from api.prepared import Prepared
from api.staff import service as staff
from api.staff import tasks


class UnknownInstrument(errors.Unprocessable):
    """Neither offered now nor ever before, in that version."""

    title = "Unknown questionnaire"
    detail = "This questionnaire, or this version of it, is not known here. Please update the app."
    title_es = "Cuestionario desconocido"
    detail_es = "Aquí no se conoce este cuestionario o esta versión. Actualice la aplicación."
    retry = "after_refresh"


def submit(*, patient_id: UUID, asked: Mapping[str, Any], at: datetime) -> tuple[Kept, str | None]:
    """Keep a check-in; the same id again is the same check-in, whatever it says then. Answers it with the patient's
    own language, which was read on the way.

    Nothing is refused for coming late, partial, outside a window, for an older version or after discharge: that is
    flagged. A safety answer opens or joins the patient's alert, also when the id was known already.
    Raises `UnknownInstrument`, `errors.Invalid`.
    """
    instrument = instruments.version(asked["instrument"], asked["instrument_version"])
    if instrument is None:
        raise UnknownInstrument
    given = answers.checked(instrument, asked["answers"])
    when = happened(occurred_at=asked["occurred_at"], sent_at=asked["sent_at"], received_at=at)
    around = surroundings.of(patient_id=patient_id, instrument=instrument.key, given_at=when.at, at=at)
    hits = safety.hits({"answers": asked["answers"]})
    kept = _keep(_row(patient_id, asked, instrument, given, when, around, at) | {"safety": bool(hits)})
    if hits:
        alert(patient_id=patient_id, hits=hits, source=source(asked["id"]), at=at, check_in=kept)
    if kept.version == around.stamp:
        _open_task(kept, around, at)
    return kept, around.language


def alert(*, patient_id: UUID, hits: list[safety.Hit], source: str, at: datetime, check_in: Kept | None = None) -> None:
    """Have somebody at the clinic look at the hits; without a check-in, their body was refused."""
    staff.raise_alert(
        patient_id=patient_id,
        answers=[staff.SafetyAnswer(hit.instrument, hit.item, hit.answer) for hit in hits],
        source=source,
        at=at,
        report_id=check_in.id if check_in else None,
        circumstances=check_in.flags if check_in else ["refused"],
        occurred_at=check_in.occurred_at if check_in else None,
    )


def source(check_in_id: object) -> str:
    """What names a body in alerts: the check-in's id, so that a body first refused and then accepted is one hit."""
    return f"check-in:{check_in_id}"


def one(*, patient_id: UUID, check_in_id: UUID) -> CheckIn:
    """Raises `errors.NotFound`."""
    found = db.session().get(CheckIn, (patient_id, check_in_id))
    if found is None:
        raise errors.NotFound
    return found


def _keep(row: dict[str, Any]) -> Kept:
    if _KEEP.one(**row | {"answers": Jsonb(row["answers"])}):
        return Kept(**row)
    found = one(patient_id=row["patient_id"], check_in_id=row["id"])
    return Kept(**{name: getattr(found, name) for name in Kept.__slots__})


_KEEP = Prepared(
    insert(CheckIn.__table__)  # type: ignore[arg-type]
    .values({name: sa.bindparam(name, type_=CheckIn.__table__.c[name].type) for name in Kept.__slots__})
    .on_conflict_do_nothing(index_elements=[CheckIn.patient_id, CheckIn.id])
    .returning(CheckIn.__table__.c.version)
)


def _row(
    patient_id: UUID,
    asked: Mapping[str, Any],
    instrument: Instrument,
    given: dict[str, int | str],
    when: Happened,
    around: Surroundings,
    at: datetime,
) -> dict[str, Any]:
    score = scoring.score(instrument, given)
    return {
        "patient_id": patient_id,
        "id": asked["id"],
        "instrument": instrument.key,
        "instrument_version": instrument.version,
        "answers": given,
        "complete": score.complete,
        "total": score.total,
        "flags": _flags(instrument, score, when, around),
        "occurred_at": when.at,
        "told_at": asked["occurred_at"],
        "sent_at": asked["sent_at"],
        "received_at": at,
        "version": around.stamp,
    }


def _flags(instrument: Instrument, score: scoring.Score, when: Happened, around: Surroundings) -> list[str]:
    """In the order of `vocabulary.CHECK_IN_FLAGS`."""
    applies = {
        "partial": not score.complete,
        "late": when.late,
        "outside_window": not around.asked_at(when.at),
        "older_version": instrument is not instruments.current(instrument.key),
        "after_discharge": not around.enrolled,
        "switched_off": not around.offered,
        "clock_corrected": when.clock_corrected,
    }
    return [flag for flag, holds in applies.items() if holds]


def _open_task(kept: Kept, around: Surroundings, at: datetime) -> None:
    limit = around.task_over_total
    if limit is not None and kept.total is not None and kept.total > limit:
        tasks.open_task(patient_id=kept.patient_id, cause="score_to_look_at", subject_id=kept.id, at=at)

"""Check-ins come in: always kept, flagged, scored, and looked at for safety in the same transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from api import db, errors, phoneclock
from api.checkins import answers, instruments, keeping, safety, scoring
from api.checkins.instruments.model import Instrument
from api.checkins.models import CheckIn, Kept
from api.staff import duty, tasks
from api.staff import service as staff


class UnknownInstrument(errors.Unprocessable):
    """Neither offered now nor ever before, in that version."""

    title = "Unknown questionnaire"
    detail = "This questionnaire, or this version of it, is not known here. Please update the app."
    title_es = "Cuestionario desconocido"
    detail_es = "Aquí no se conoce este cuestionario o esta versión. Actualice la aplicación."
    retry = "after_refresh"


@dataclass(frozen=True, slots=True)
class Submitted:
    """`language` is the patient's own, read on the way. `asks_for_help`: this body does, whatever was kept before
    under its id. `told`: its safety answers are new, and there is somebody at the clinic whom they reach."""

    kept: Kept
    language: str | None
    asks_for_help: bool
    told: bool


def submit(*, patient_id: UUID, asked: Mapping[str, Any], at: datetime) -> Submitted:
    """Keep a check-in; the same id again is the same check-in, whatever it says then.

    Nothing is refused for coming late, partial, outside a window, for an older version or after discharge: that is
    flagged. A safety answer opens or joins the patient's alert, also when the id was known already.
    Raises `UnknownInstrument`, `errors.Invalid`.
    """
    row = read(asked, at)
    outcome = keeping.keep(patient_id=patient_id, row=row)
    kept = keeping.answered(patient_id=patient_id, row=row, outcome=outcome) if outcome.added else None
    kept = kept or _known(patient_id, asked["id"])
    hits = safety.hits({"answers": asked["answers"]})
    fresh = bool(hits) and alert(patient_id=patient_id, hits=hits, source=source(asked["id"]), at=at, check_in=kept)
    if outcome.added:
        _open_task(kept, outcome.task_over_total, at)
    return Submitted(kept, outcome.language, bool(hits), fresh and duty.somebody_is_told())


def read(asked: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """What is kept of a check-in that came in at `at`, judged by itself alone: the columns of its row.

    Raises `UnknownInstrument`, `errors.Invalid`.
    """
    instrument = instruments.version(asked["instrument"], asked["instrument_version"])
    if instrument is None:
        raise UnknownInstrument
    given = answers.checked(instrument, asked["answers"])
    when = phoneclock.happened(occurred_at=asked["occurred_at"], sent_at=asked["sent_at"], received_at=at)
    score = scoring.score(instrument, given)
    return {
        "id": asked["id"],
        "instrument": instrument.key,
        "instrument_version": instrument.version,
        "answers": given,
        "complete": score.complete,
        "total": score.total,
        "safety": bool(safety.hits({"answers": asked["answers"]})),
        "flags": _flags(instrument, score, when),
        "occurred_at": when.at,
        "told_at": asked["occurred_at"],
        "sent_at": asked["sent_at"],
        "received_at": at,
    }


def alert(*, patient_id: UUID, hits: list[safety.Hit], source: str, at: datetime, check_in: Kept | None = None) -> bool:
    """Have somebody at the clinic look at the hits; without a check-in, their body was refused. Says whether any of
    them is new."""
    return staff.raise_alert(
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


def _known(patient_id: UUID, check_in_id: UUID) -> Kept:
    found = one(patient_id=patient_id, check_in_id=check_in_id)
    return Kept(**{name: getattr(found, name) for name in Kept.__slots__})


def _flags(instrument: Instrument, score: scoring.Score, when: phoneclock.Happened) -> list[str]:
    applies = {
        "partial": not score.complete,
        "late": when.late,
        "older_version": instrument is not instruments.current(instrument.key),
        "clock_corrected": when.clock_corrected,
    }
    return [flag for flag, holds in applies.items() if holds]


def _open_task(kept: Kept, over: int | None, at: datetime) -> None:
    if over is not None and kept.total is not None and kept.total > over:
        tasks.open_task(patient_id=kept.patient_id, cause="score_to_look_at", subject_id=kept.id, at=at)

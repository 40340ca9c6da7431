"""Check-ins come in: always kept, flagged, scored, and looked at for safety in the same transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import db, errors
from api.checkins import answers, due, instruments, safety, scoring
from api.checkins.envelope import Happened, happened
from api.checkins.instruments.model import Instrument
from api.checkins.models import CheckIn, CheckInSchedule, CheckInSwitch, InstrumentSettings
from api.checkins.windows import Schedule, window_at
from api.enrollments import service as enrollments
from api.enrollments.models import Enrollment
from api.patients import versions
from api.patients.models import Patient
from api.staff import service as staff
from api.staff import tasks


class UnknownInstrument(errors.Unprocessable):
    """Neither offered now nor ever before, in that version."""

    title = "Unknown questionnaire"
    detail = "This questionnaire, or this version of it, is not known here. Please update the app."
    title_es = "Cuestionario desconocido"
    detail_es = "Aquí no se conoce este cuestionario o esta versión. Actualice la aplicación."
    retry = "after_refresh"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What held for the patient around a check-in: as of receipt, but the schedule as of when it was given."""

    enrolled: bool
    offered: bool
    task_over_total: int | None
    zone: ZoneInfo
    began_at: datetime | None
    schedule: Schedule | None

    def asked_at(self, at: datetime) -> bool:
        """Whether a window of the instrument was open."""
        if self.schedule is None or self.began_at is None:
            return False
        window = window_at(self.schedule, began_at=self.began_at, zone=self.zone, at=at)
        return window is not None and window.covers(at)


def submit(*, patient_id: UUID, asked: Mapping[str, Any], at: datetime) -> CheckIn:
    """Keep a check-in; the same id again is the same check-in, whatever it says then.

    Nothing is refused for coming late, partial, outside a window, for an older version or after discharge: that is
    flagged. A safety answer opens or joins the patient's alert, also when the id was known already.
    Raises `UnknownInstrument`, `errors.Invalid`.
    """
    instrument = instruments.version(asked["instrument"], asked["instrument_version"])
    if instrument is None:
        raise UnknownInstrument
    given = answers.checked(instrument, asked["answers"])
    stamp = versions.touch([patient_id])[patient_id]
    when = happened(occurred_at=asked["occurred_at"], sent_at=asked["sent_at"], received_at=at)
    around = _around(patient_id, instrument, when.at, at)
    hits = safety.hits({"answers": asked["answers"]})
    row = _row(patient_id, asked, instrument, given, when, around, at) | {"safety": bool(hits), "version": stamp}
    kept = _keep(row)
    if hits:
        alert(patient_id=patient_id, hits=hits, source=source(asked["id"]), at=at, check_in=kept)
    if kept.version == stamp:
        _open_task(kept, around, at)
    return kept


def alert(
    *, patient_id: UUID, hits: list[safety.Hit], source: str, at: datetime, check_in: CheckIn | None = None
) -> None:
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


def _keep(row: dict[str, Any]) -> CheckIn:
    statement = insert(CheckIn).values(row).on_conflict_do_nothing(index_elements=[CheckIn.patient_id, CheckIn.id])
    added = db.session().execute(statement.returning(CheckIn.version)).scalar()
    if added is None:
        return one(patient_id=row["patient_id"], check_in_id=row["id"])
    return CheckIn(**row)


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
        "reviewed_at": None,
        "reviewed_by": None,
        "reviewed_role": None,
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


def _open_task(kept: CheckIn, around: Surroundings, at: datetime) -> None:
    limit = around.task_over_total
    if limit is not None and kept.total is not None and kept.total > limit:
        tasks.open_task(patient_id=kept.patient_id, cause="score_to_look_at", subject_id=kept.id, at=at)


def _around(patient_id: UUID, instrument: Instrument, given_at: datetime, at: datetime) -> Surroundings:
    """Everything that a check-in is judged by, in one statement."""
    then = (
        sa.select(Enrollment.starts_at, CheckInSchedule)
        .outerjoin(
            CheckInSchedule,
            sa.and_(
                CheckInSchedule.program_slug == Enrollment.program_slug, CheckInSchedule.instrument == instrument.key
            ),
        )
        .where(Enrollment.patient_id == patient_id, enrollments.holds_at(given_at))
        .subquery("held")
    )
    schedule = sa.orm.aliased(CheckInSchedule, then)
    now = sa.exists().where(Enrollment.patient_id == patient_id, enrollments.holds_at(at))
    row = (
        db.session()
        .execute(
            sa.select(
                due.zone(), now, CheckInSwitch.offered, InstrumentSettings.task_over_total, then.c.starts_at, schedule
            )
            .select_from(Patient)
            .outerjoin(then, sa.true())
            .outerjoin(
                CheckInSwitch,
                sa.and_(CheckInSwitch.patient_id == patient_id, CheckInSwitch.instrument == instrument.key),
            )
            .outerjoin(InstrumentSettings, InstrumentSettings.instrument == instrument.key)
            .where(Patient.id == patient_id)
        )
        .one()
    )
    zone, enrolled, offered, limit, began_at, rule = row
    return Surroundings(enrolled, offered is not False, limit, ZoneInfo(zone), began_at, rule and rule.schedule())

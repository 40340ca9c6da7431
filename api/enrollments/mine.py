"""A patient's own view of now: the level in the program's words and numbers, since when, and what typically follows.

Reads no reason, counts nothing down, and computes nothing from answers or weeks.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.enrollments import words
from api.enrollments.models import Enrollment
from api.enrollments.service import held
from api.patients import service as patients
from api.patients import zones
from api.programs import about, crisis, presentation, wording
from api.programs import service as programs
from api.programs.edition import Edition

Json = dict[str, Any]


def level(*, patient_id: UUID, language: str, at: datetime) -> Json:
    """Where the patient is at the instant, as `MyEnrollmentAnswer` has it; also before and after any program."""
    edition = programs.catalogue()
    stay = shown(stays(patient_id), at)
    return {
        "status": state(stay, at),
        "time_zone": zones.of(patients.one(patient_id=patient_id)),
        **(_of(stay, edition, language, at) if stay else {"status_text": words.STATUS["none"][language]}),
        "contact": _contact(words.CONTACT if stay and stay.is_open else words.WAY_BACK, language),
        "help": _help(edition, language, at),
        "placement_note": wording.PLACEMENT[language],
    }


def own(patient_id: UUID) -> sa.Select[Enrollment]:
    """The patient's enrollments but those entered in error."""
    return sa.select(Enrollment).where(Enrollment.patient_id == patient_id, held())


def stays(patient_id: UUID) -> Sequence[Enrollment]:
    """The patient's stays, the first one first."""
    return db.session().scalars(own(patient_id).order_by(Enrollment.starts_at)).all()


def state(stay: Enrollment | None, at: datetime) -> str:
    """What the enrollment is to the patient at the instant: one that has not begun is `planned`."""
    if stay is None:
        return "none"
    return "planned" if stay.is_open and stay.starts_at > at else stay.status


def program(edition: Edition, slug: str, language: str) -> Json:
    """The program as anyone may read it; programs are never removed."""
    found = edition.program(slug)
    assert found is not None
    return presentation.program(edition, found, language)


def shown(stays: Sequence[Enrollment], at: datetime) -> Enrollment | None:
    """The stay that holds; else the one to come, or the last one."""
    covering = [one for one in stays if one.covers(at)]
    return next(reversed(covering or stays), None)


def _of(stay: Enrollment, edition: Edition, language: str, at: datetime) -> Json:
    shown = program(edition, stay.program_slug, language)
    return {
        "id": stay.id,
        "status_text": words.STATUS[state(stay, at)][language].format(name=shown["name"]),
        "level": shown,
        "since": stay.starts_at,
        "paused_since": stay.status_since if stay.paused else None,
        "ended_at": stay.ended_at,
        "follows": _follows(edition, stay.program_slug, language) if stay.is_open else None,
    }


def _follows(edition: Edition, slug: str, language: str) -> Json:
    following = [program(edition, one.slug, language) for one in edition.steps_to(slug)]
    names = wording.listed([one["name"] for one in following], language, joint="or")
    text = words.FOLLOWS if following else words.NOTHING_FOLLOWS
    return {"text": text[language].format(names=names), "programs": following}


def _contact(text: dict[str, str], language: str) -> Json:
    clinic = about.clinic()
    return {"text": text[language], "name": clinic.name, "phone": clinic.phone}


def _help(edition: Edition, language: str, at: datetime) -> Json:
    """Without the note on when somebody will look: nothing is sent here that anybody could look at."""
    found = crisis.help_at(at, clinic=about.clinic(), locations=edition.locations, language=language)
    return {key: value for key, value in found.items() if key != "attention_note"}

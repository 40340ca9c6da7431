"""By what a phone knows that what it read of its care still holds, found without reading all of it: the patient's
version, the catalogue's, the language, how many beginnings and ends of stays the clock has passed, and what is told of
help at this hour."""

from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from api import db
from api.enrollments.models import Enrollment
from api.enrollments.service import held
from api.patients.models import PatientVersion
from api.programs import about, crisis
from api.programs import service as programs


def of_timeline(*, patient_id: UUID, language: str, at: datetime) -> tuple[Any, ...]:
    """Changes whenever the patient's timeline would."""
    version, begun, ended = db.session().execute(_passed(patient_id, at)).one()
    return version, programs.catalogue().version, language, begun, ended


def of_level(*, patient_id: UUID, language: str, at: datetime) -> tuple[Any, ...]:
    """Changes whenever what is told of now would; help is told by the hours of the clinic."""
    locations = programs.catalogue().locations
    told = crisis.help_at(at, clinic=about.clinic(), locations=locations, language=language)
    help_told = blake2b(orjson.dumps(told), digest_size=8).hexdigest()
    return *of_timeline(patient_id=patient_id, language=language, at=at), help_told


def _passed(patient_id: UUID, at: datetime) -> sa.Select[Any]:
    """The version, and how many stays have begun and ended."""
    stays = sa.select(Enrollment.starts_at, Enrollment.ended_at).where(Enrollment.patient_id == patient_id, held())
    each = stays.subquery()
    begun, ended = (sa.func.count().filter(edge <= at) for edge in (each.c.starts_at, each.c.ended_at))
    version = sa.select(PatientVersion.version).where(PatientVersion.patient_id == patient_id)
    return sa.select(version.scalar_subquery(), begun, ended).select_from(each)

"""The verbs on patients."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import db, errors, events
from api.patients import versions
from api.patients.events import PatientStatusChanged, PreferencesChanged
from api.patients.models import Patient, PatientVersion

CHOICES = ("language", "time_zone", "discreet_label")


def one(*, patient_id: UUID) -> Patient:
    """Raises `errors.NotFound`."""
    if (patient := db.session().get(Patient, patient_id)) is None:
        raise errors.NotFound
    return patient


def by_external_id(external_id: str) -> Patient:
    """The patient whom the record system knows by `external_id`. Raises `errors.NotFound`."""
    patient = db.session().scalar(sa.select(Patient).where(Patient.external_id == external_id))
    if patient is None:
        raise errors.NotFound
    return patient


def language(patient_id: UUID) -> str | None:
    """The language the patient chose, if any."""
    return db.session().scalar(sa.select(Patient.language).where(Patient.id == patient_id))


def upsert(
    *, external_id: str, at: datetime, preferred_name: str | None = None, language: str | None = None
) -> Patient:
    """Make or change the patient of the record system's `external_id`; two at once converge on one.

    What is None is left as it is: the app's own choice of language outlives the record system's silence.
    """
    given = {name: value for name, value in (("preferred_name", preferred_name), ("language", language)) if value}
    made: Patient | None = db.session().scalar(
        insert(Patient)
        .values(id=db.uuid7(), external_id=external_id, created_at=at, **given)
        .on_conflict_do_nothing(index_elements=[Patient.external_id])
        .returning(Patient)
    )
    if made is not None:
        db.session().execute(sa.insert(PatientVersion).values(patient_id=made.id))
        return made
    patient = by_external_id(external_id)
    if changed := {name: value for name, value in given.items() if value != getattr(patient, name)}:
        _change(patient, changed)
    return patient


def _change(patient: Patient, values: dict[str, Any]) -> None:
    patient.version = versions.touch([patient.id])[patient.id]
    if values.keys() & set(CHOICES):
        patient.preferences_version += 1
    for name, value in values.items():
        setattr(patient, name, value)
    db.session().flush()


def set_status(*, patient_id: UUID, status: str, at: datetime) -> Patient:
    """Suspend, reinstate, or record a death or a merger. Setting the same status again changes nothing."""
    patient = one(patient_id=patient_id)
    if patient.status != status:
        _change(patient, {"status": status})
        events.announce(PatientStatusChanged(patient_id, status, at))
    return patient


def set_preferences(*, patient_id: UUID, choices: dict[str, Any], expected: int | None, at: datetime) -> Patient:
    """Replace the patient's own choices; what is absent goes back to the clinic's. `expected` is the version
    last read, None for any. Raises `errors.PreconditionFailed`."""
    stamp = versions.touch([patient_id]).get(patient_id)
    changed = db.session().scalar(
        sa.update(Patient)
        .where(
            Patient.id == patient_id, (Patient.preferences_version == expected) if expected is not None else sa.true()
        )
        .values(
            **{name: choices.get(name) for name in CHOICES},
            preferences_version=Patient.preferences_version + 1,
            version=stamp,
        )
        .returning(Patient)
        .execution_options(populate_existing=True)
    )
    if changed is None:
        raise errors.PreconditionFailed
    events.announce(PreferencesChanged(patient_id, at))
    return changed

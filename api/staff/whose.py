"""Patients by the id that the clinic's record system knows them by."""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.patients.models import Patient


def external_ids(patient_ids: Iterable[UUID]) -> dict[UUID, str]:
    rows = db.session().execute(sa.select(Patient.id, Patient.external_id).where(Patient.id.in_(set(patient_ids))))
    return {row.id: row.external_id for row in rows}

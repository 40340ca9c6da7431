"""The clinic's door to patients: upsert from the record system, and status."""

from typing import Any

from api import answering, clock
from api.blueprint import Door
from api.patients import service as patients
from api.patients.models import Patient
from schemas.patients import PatientAnswer, PatientAsk, PatientStatusAsk

door = Door("patients", kind="clinic", tag="Patients")


@door.put("/patients/<external_id>", operation="putPatient", scope="patients:write", summary="Upsert a patient")
@door.asks(PatientAsk)
@door.answers(PatientAnswer)
def put_patient(known: dict[str, Any], external_id: str) -> Patient:
    """Makes the patient if the record system's id is new, changes the named members otherwise."""
    return _about(patients.upsert(external_id=external_id, at=clock.now(), **known))


@door.get("/patients/<external_id>", operation="getPatient", scope="patients:read", summary="One patient")
@door.answers(PatientAnswer)
def get_patient(external_id: str) -> Patient:
    """The patient of the record system's id."""
    return _about(patients.by_external_id(external_id))


@door.put(
    "/patients/<external_id>/status",
    operation="putPatientStatus",
    scope="patients:write",
    summary="Suspend, reinstate, record a death or a merger",
)
@door.asks(PatientStatusAsk)
@door.answers(PatientAnswer)
def put_patient_status(asked: dict[str, Any], external_id: str) -> Patient:
    """Anything but `active` ends sign-ins and reminders in the same transaction."""
    patient = _about(patients.by_external_id(external_id))
    return patients.set_status(patient_id=patient.id, status=asked["status"], at=clock.now())


def _about(patient: Patient) -> Patient:
    answering.about(patient.id)
    return patient

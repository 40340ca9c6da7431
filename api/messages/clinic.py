"""The clinic's door to where a patient's texts and mail go, as its record system knows them."""

from typing import Any
from uuid import UUID

from api import answering, clock
from api.blueprint import Door
from api.messages import mail_addresses, numbers, phones, showing
from api.patients import service as patients
from schemas.messages import EmailAnswer, EmailAsk, PatientPhoneAnswer, PhoneAsk

door = Door("contacts", kind="clinic", tag="Contact")


@door.get("/patients/<external_id>/phone", operation="getPatientPhone", scope="patients:read", summary="Where texts go")
@door.answers(PatientPhoneAnswer)
def get_patient_phone(external_id: str) -> dict[str, Any]:
    """The number, and why texts are off if they are."""
    return showing.phone(patient_id=_about(external_id))


@door.put(
    "/patients/<external_id>/phone",
    operation="putPatientPhone",
    scope="patients:write",
    summary="The number in the record system",
    refusals=(numbers.NotATextNumber, phones.PatientsOwnNumber),
)
@door.asks(PhoneAsk)
@door.answers(PatientPhoneAnswer)
def put_patient_phone(asked: dict[str, Any], external_id: str) -> dict[str, Any]:
    """Nothing is sent to it before the patient confirms it in the app. It never takes the place of another number that
    the patient has confirmed."""
    patient_id = _about(external_id)
    phones.take_over(patient_id=patient_id, number=asked["number"], at=clock.now())
    return showing.phone(patient_id=patient_id)


@door.delete(
    "/patients/<external_id>/phone", operation="deletePatientPhone", scope="patients:write", summary="A number is gone"
)
@door.answers(None, status=204)
def delete_patient_phone(external_id: str) -> None:
    """Texts end at once, as when the phone was lost."""
    phones.remove(patient_id=_about(external_id), at=clock.now())


@door.get(
    "/patients/<external_id>/email", operation="getPatientEmail", scope="patients:read", summary="Where mail goes"
)
@door.answers(EmailAnswer)
def get_patient_email(external_id: str) -> dict[str, Any]:
    """The address, and why mail is off if it is."""
    return showing.email(patient_id=_about(external_id))


@door.put(
    "/patients/<external_id>/email",
    operation="putPatientEmail",
    scope="patients:write",
    summary="The address in the record system",
    refusals=(mail_addresses.NotAMailAddress, mail_addresses.PatientsOwnAddress),
)
@door.asks(EmailAsk)
@door.answers(EmailAnswer)
def put_patient_email(asked: dict[str, Any], external_id: str) -> dict[str, Any]:
    """Nothing is sent to it before the patient confirms it in the app. It never takes the place of another address that
    the patient has confirmed."""
    patient_id = _about(external_id)
    mail_addresses.take_over(patient_id=patient_id, address=asked["address"], at=clock.now())
    return showing.email(patient_id=patient_id)


@door.delete(
    "/patients/<external_id>/email",
    operation="deletePatientEmail",
    scope="patients:write",
    summary="An address is gone",
)
@door.answers(None, status=204)
def delete_patient_email(external_id: str) -> None:
    """Mail ends at once."""
    mail_addresses.remove(patient_id=_about(external_id), at=clock.now())


def _about(external_id: str) -> UUID:
    patient = patients.by_external_id(external_id)
    answering.about(patient.id)
    return patient.id

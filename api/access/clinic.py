"""The clinic's door to access: inviting a patient to the app, the first time or after a lost phone."""

from typing import Any
from uuid import UUID

from flask import g, request

from api import answering
from api.access import activation, early
from api.blueprint import Door
from api.patients import service as patients
from schemas.access import ActivationCodeAnswer, ActivationCodeAsk

door = Door("access", kind="clinic", tag="Patients")


def _hash_early() -> None:
    asked = early.read(ActivationCodeAsk, request.get_data(cache=True))
    g.made = activation.make(asked["handed_over"]) if asked else None


def _again(activation_id: UUID) -> activation.Issued:
    return activation.again(activation_id)


@door.post(
    "/patients/<external_id>/activation-codes",
    operation="createActivationCode",
    scope="patients:write",
    summary="Invite a patient to the app",
    refusals=[activation.PatientNotActive],
    idempotent=True,
    replay=_again,
    prepares=_hash_early,
)
@door.asks(ActivationCodeAsk)
@door.answers(ActivationCodeAnswer, status=201)
def create_activation_code(asked: dict[str, Any], external_id: str) -> activation.Issued:
    """Check who the person is before handing a code over: it lets its holder in. It ends the patient's earlier codes
    that were not used. Both forms are shown this once: a replay under the Idempotency-Key answers without them."""
    patient = patients.by_external_id(external_id)
    answering.about(patient.id)
    issued = activation.issue(patient_id=patient.id, made=g.made)
    answering.made(issued.id)
    return issued

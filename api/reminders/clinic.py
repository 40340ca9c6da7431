"""The clinic's door to reminders: what did not arrive, without the words."""

from typing import Any

from api import answering, clock, errors
from api.blueprint import Door
from api.messages import deliveries
from api.patients import service as patients
from schemas.deliveries import DeliveryProblemsAnswer, DeliveryProblemsQuery

door = Door("delivery-problems", kind="clinic", tag="Reminders")


@door.get(
    "/patients/<external_id>/delivery-problems",
    operation="listDeliveryProblems",
    scope="patients:read",
    summary="Messages to a patient that did not arrive",
    refusals=[errors.NotFound],
)
@door.query(DeliveryProblemsQuery)
@door.answers(DeliveryProblemsAnswer)
def list_delivery_problems(asked: dict[str, Any], external_id: str) -> dict[str, Any]:
    """Of the last 30 days, newest first: over which channel, and the carrier's own code, or why it reached no carrier.
    Neither texts nor addresses are shown. What could not be said in time is in the queue of tasks, as
    `undeliverable_messages`."""
    patient_id = patients.by_external_id(external_id).id
    answering.about(patient_id)
    items, more = deliveries.problems(
        patient_id=patient_id,
        at=clock.now(),
        asked=asked["page_size"],
        page_token=asked["page_token"],
    )
    return {"items": items, "next_page_token": more}

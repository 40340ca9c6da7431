"""The clinic's door to the audit. Reading it is an act as any other, and stands in it."""

from typing import Any

from api import answering, errors
from api.access import trail
from api.blueprint import Door
from api.patients import service as patients
from schemas.audit import AuditListAnswer, AuditQuery

door = Door("audit", kind="clinic", tag="Audit")


@door.get(
    "/audit",
    operation="listAuditEvents",
    scope="audit:read",
    summary="Who did what, newest first",
    refusals=[errors.NotFound],
)
@door.query(AuditQuery)
@door.answers(AuditListAnswer)
def list_audit_events(query: dict[str, Any]) -> dict[str, Any]:
    """Every sign-in, refusal, change, and read of a patient by the clinic: ids, kinds and outcomes, never values. A
    flood of refusals is a few of them and one that counts the others. The chain is verified by a command, not here."""
    patient_id = None
    if external_id := query["patient_external_id"]:
        patient_id = patients.by_external_id(external_id).id
        answering.about(patient_id)
    items, more = trail.events(
        patient_id=patient_id,
        since=query["since"],
        until=query["until"],
        operation=query["operation"],
        outcome=query["outcome"],
        asked=query["page_size"],
        page_token=query["page_token"],
        bound_to=("audit", answering.caller().client_id),
    )
    return {"items": items, "next_page_token": more}

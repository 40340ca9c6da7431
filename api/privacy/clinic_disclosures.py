"""The clinic's door to the ledger of disclosures: what it told without us is written down here."""

from typing import Any
from uuid import UUID

from api import answering, clock
from api.blueprint import Door
from api.patients import service as patients
from api.privacy import disclosures
from api.privacy.models import Disclosure
from schemas.disclosures import DisclosureAnswer, DisclosureAsk, DisclosuresAnswer, DisclosuresQuery

door = Door("disclosures", kind="clinic", tag="Privacy")


def replayed_disclosure(disclosure_id: UUID) -> Disclosure:
    found = disclosures.one(disclosure_id=disclosure_id)
    answering.about(found.patient_id)
    return found


@door.post(
    "/patients/<external_id>/disclosures",
    operation="recordDisclosure",
    scope="privacy:write",
    summary="Record what was told in an emergency, or elsewhere",
    idempotent=True,
    replay=replayed_disclosure,
    refusals=[disclosures.DisclosedInTheFuture, disclosures.NotTheirConsent],
)
@door.asks(DisclosureAsk)
@door.answers(DisclosureAnswer, status=201)
def record_disclosure(asked: dict[str, Any], external_id: str) -> Disclosure:
    """The patient reads it in the app, in these words. It is never changed: what was wrong is put right by another."""
    patient_id, caller = _patient(external_id), answering.caller()
    recorded = disclosures.record(
        patient_id=patient_id,
        told=asked,
        by=caller.acting_user or "",
        role=caller.acting_role or "",
        at=clock.now(),
    )
    answering.made(recorded.id)
    return recorded


@door.get(
    "/patients/<external_id>/disclosures",
    operation="listDisclosures",
    scope="privacy:read",
    summary="Who was told what of a patient, the latest first",
)
@door.query(DisclosuresQuery)
@door.answers(DisclosuresAnswer)
def list_disclosures(query: dict[str, Any], external_id: str) -> dict[str, Any]:
    """The accounting of 42 CFR 2.25: what partners read under a consent, and what was recorded by hand."""
    found, more = disclosures.page(
        patient_id=_patient(external_id),
        since=query["since"],
        until=query["until"],
        asked=query["page_size"],
        page_token=query["page_token"],
        bound_to=("disclosures", answering.caller().client_id),
    )
    return {"items": found, "next_page_token": more}


def _patient(external_id: str) -> UUID:
    patient_id = patients.by_external_id(external_id).id
    answering.about(patient_id)
    return patient_id

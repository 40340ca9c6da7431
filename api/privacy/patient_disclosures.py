"""The patient's door to who was told what outside, and to who looked at the record inside."""

from typing import Any

from api import answering, language
from api.blueprint import Door
from api.privacy import access_log, access_words, disclosure_words, disclosures, role_words
from api.privacy.models import Disclosure
from schemas.disclosures import AccessesQuery, AccessLogAnswer, DisclosuresQuery, MyDisclosuresAnswer

door = Door("disclosures", kind="patient", tag="Privacy")


@door.get(
    "/disclosures",
    operation="listMyDisclosures",
    scope="privacy:read",
    summary="Who outside the clinic was told what of me",
)
@door.query(DisclosuresQuery)
@door.answers(MyDisclosuresAnswer)
def list_my_disclosures(query: dict[str, Any]) -> dict[str, Any]:
    """All of it, the latest first: whom, what, when, why, and under which permission. A partner that asks often is
    told often, and each time is listed."""
    patient_id, spoken = answering.patient_id(), language.chosen()
    found, more = disclosures.page(
        patient_id=patient_id,
        since=query["since"],
        until=query["until"],
        asked=query["page_size"],
        page_token=query["page_token"],
        bound_to=("my disclosures", patient_id),
    )
    return {"items": [_shown(one, spoken) for one in found], "next_page_token": more}


@door.get(
    "/access-log",
    operation="getMyAccessLog",
    scope="privacy:read",
    summary="Who at the clinic looked at my record",
)
@door.query(AccessesQuery)
@door.answers(AccessLogAnswer)
def get_my_access_log(query: dict[str, Any]) -> dict[str, Any]:
    """Also who changed it, the latest first: what they are at the clinic, by which system, and what for. What the
    patient did by the app is left out."""
    patient_id, spoken = answering.patient_id(), language.chosen()
    found, more = access_log.page(
        patient_id=patient_id,
        since=query["since"],
        until=query["until"],
        asked=query["page_size"],
        page_token=query["page_token"],
        bound_to=("my access log", patient_id),
    )
    return {"items": [_accessed(one, spoken) for one in found], "next_page_token": more}


def _shown(one: Disclosure, spoken: str) -> dict[str, Any]:
    return {
        "id": one.id,
        "disclosed_at": one.disclosed_at,
        "recipient_name": one.recipient_name,
        "recipient_affiliation": one.recipient_affiliation,
        "recipient_address": one.recipient_address,
        "categories": one.categories,
        "what": one.description or disclosure_words.what(one.categories, spoken),
        "why": disclosure_words.why(one.purpose, one.basis, spoken),
        "basis": one.basis,
        "rests_on": disclosure_words.rests_on(one.basis, spoken),
        "consent_id": one.consent_id,
        "nature": one.nature,
        "recorded_at": one.recorded_at,
    }


def _accessed(one: dict[str, Any], spoken: str) -> dict[str, Any]:
    return {
        "id": one["id"],
        "at": one["at"],
        "who": role_words.who(caller_kind=one["caller_kind"], role=one["acting_role"], language=spoken),
        "role": one["acting_role"],
        "system": one["system_name"],
        "action": one["action"],
        "operation": one["operation"],
        "did": access_words.did(action=one["action"], operation=one["operation"], language=spoken),
        "why": access_words.why(operation=one["operation"], language=spoken),
    }

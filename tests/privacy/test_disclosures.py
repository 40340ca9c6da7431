"""The ledger as the patient reads it, and what the clinic writes down by hand."""

import re
from dataclasses import astuple
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from api import clock
from api.app import operations
from api.privacy import access_words, disclosure_words, role_words
from api.vocabulary import CONSENT_PURPOSES, DISCLOSURE_BASES, DISCLOSURE_CATEGORIES, LANGUAGES
from schemas.disclosures import DisclosureAsk
from tests.knocking import Knocker
from tests.privacy.gating import NOON, Files, asked, held

EMERGENCY = DisclosureAsk.example
ELSEWHERE = {
    "basis": "elsewhere",
    "recipient_name": "Riverside Pharmacy",
    "description": "The dates of your stay.",
    "purpose": "To fill your prescription.",
    "made_by": "Jordan Lee, RN",
    "disclosed_at": "2026-11-20T15:00:00Z",
}
KINDS = ("clinic", "worker", "owner")
ROLES = (None, "counselor", "nurse", "privacy_officer", "front_desk", "x-17")
TELLS = {"presence": True, "referral_outcome": "admitted"}


def recorded(clinic: Knocker, patient: Knocker, body: Any = EMERGENCY, **more: Any) -> Any:
    return clinic.post(f"/v1/clinic/patients/{patient.external_id}/disclosures", json={**body, **more})


def mine(patient: Knocker, **query: Any) -> list[dict[str, Any]]:
    answer = patient.get("/v1/me/disclosures", query_string=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json["items"]
    return found


def test_the_patient_reads_who_was_told_what_why_and_under_which_consent(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    consent = files.sign(patient.id, partner, "presence", "referral_outcome")
    asked(partner, held(patient.id, TELLS))
    (told,) = mine(patient)
    assert told["recipient_name"] == "Harbor Detox" and told["consent_id"] == str(consent)
    assert told["disclosed_at"] == "2026-11-24T12:00:00Z"
    assert told["what"] == "That you are or were in treatment here; what became of your referral."
    assert told["why"] == "For your treatment." and told["basis"] == "consent"
    assert told["rests_on"] == "You allowed this by a permission that you signed."


def test_it_is_told_in_spanish_to_who_reads_spanish(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner, purpose="patient_request")
    asked(partner, held(patient.id))
    answer = patient.get("/v1/me/disclosures", headers={"Accept-Language": "es"})
    (told,) = answer.json["items"]
    assert (told["what"], told["why"]) == ("Qué pasó con su derivación.", "Porque usted lo pidió.")


def test_everything_has_its_words_in_both_languages() -> None:
    for language in LANGUAGES:
        assert set(disclosure_words.CATEGORIES[language]) == set(DISCLOSURE_CATEGORIES)
        assert set(disclosure_words.PURPOSES[language]) == set(CONSENT_PURPOSES)
        assert set(disclosure_words.BASES[language]) == set(DISCLOSURE_BASES)


def test_the_scope_of_a_consent_is_explained_in_a_sentence(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner, "presence", "progress", expires_on_event="end_of_treatment")
    (release,) = asked(partner, held(patient.id, TELLS)).values()
    assert disclosure_words.scope(release.permissions[0], ["presence"], "en") == (
        "Released under the patient's written consent of 2026-11-23 for Harbor Detox, for these categories only:"
        " presence. Purpose: treatment. It ends on 2027-11-24. It ends with the treatment."
    )


def test_somebody_elses_ledger_is_not_there(files: Files, patient: Knocker, other_patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)
    asked(partner, held(patient.id))
    assert len(mine(patient)) == 1 and mine(other_patient) == []


def test_pages_go_back_for_years(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner, signed_at=NOON - timedelta(days=3000))
    times = [NOON - timedelta(days=days) for days in (2, 1000, 1500)]
    for at in times:
        asked(partner, held(patient.id), at=at)
    first = patient.get("/v1/me/disclosures", query_string={"page_size": 2}).json
    rest = patient.get("/v1/me/disclosures", query_string={"page_size": 2, "page_token": first["next_page_token"]}).json
    seen = [one["disclosed_at"] for one in (*first["items"], *rest["items"])]
    assert seen == [at.strftime("%Y-%m-%dT%H:%M:%SZ") for at in times] and "next_page_token" not in rest
    narrowed = mine(patient, **{"from": seen[2], "to": seen[0]})
    assert [one["disclosed_at"] for one in narrowed] == seen[1:]


def test_an_emergency_is_recorded_with_its_elements_and_shown(clinic: Knocker, patient: Knocker) -> None:
    answer = recorded(clinic, patient)
    assert answer.status_code == 201, answer.text
    kept = answer.json
    assert {name: kept[name] for name in EMERGENCY if name != "consent_id"} == EMERGENCY
    assert (kept["recorded_by"], kept["recorded_role"]) == ("u-17", "counselor")
    (told,) = mine(patient)
    assert (told["what"], told["why"]) == (EMERGENCY["description"], EMERGENCY["purpose"])
    assert told["nature"] == EMERGENCY["nature"] and told["basis"] == "emergency"
    assert "u-17" not in str(told) and EMERGENCY["made_by"] not in str(told)


@pytest.mark.parametrize("element", ["nature", "recipient_affiliation", "made_by", "recipient_name", "description"])
def test_an_emergency_without_an_element_is_refused(clinic: Knocker, patient: Knocker, element: str) -> None:
    body = {name: value for name, value in EMERGENCY.items() if name != element}
    assert recorded(clinic, patient, body).status_code == 422
    assert mine(patient) == []


def test_what_was_told_elsewhere_may_name_the_consent(clinic: Knocker, files: Files, patient: Knocker) -> None:
    consent = files.sign(patient.id, files.partner())
    answer = recorded(clinic, patient, ELSEWHERE, consent_id=str(consent), recipient_address="1 River Road, Salem")
    assert answer.status_code == 201, answer.text
    (told,) = mine(patient)
    assert told["consent_id"] == str(consent) and told["recipient_address"] == "1 River Road, Salem"


def test_a_consent_of_somebody_else_or_of_nobody_is_refused(
    clinic: Knocker, files: Files, patient: Knocker, other_patient: Knocker
) -> None:
    for consent in (files.sign(other_patient.id, files.partner()), uuid4()):
        answer = recorded(clinic, patient, ELSEWHERE, consent_id=str(consent))
        assert answer.status_code == 422 and answer.json["type"].endswith("/not-their-consent")


def test_what_lies_ahead_was_not_told(clinic: Knocker, patient: Knocker) -> None:
    ahead = (clock.now() + timedelta(minutes=5)).isoformat()
    answer = recorded(clinic, patient, disclosed_at=ahead)
    assert answer.status_code == 422 and answer.json["type"].endswith("/disclosed-in-the-future")


def test_what_the_gate_wrote_cannot_be_written_by_hand(clinic: Knocker, patient: Knocker) -> None:
    assert recorded(clinic, patient, basis="consent").status_code == 422


def test_recording_again_is_recording_once(clinic: Knocker, patient: Knocker) -> None:
    address = f"/v1/clinic/patients/{patient.external_id}/disclosures"
    first, again = (clinic.post(address, json=EMERGENCY, key="told-1") for _ in range(2))
    assert first.json == again.json and len(mine(patient)) == 1
    accesses = patient.get("/v1/me/access-log").json["items"]
    assert [one["operation"] for one in accesses] == ["recordDisclosure"] * 2


def test_the_clinic_lists_what_partners_read_and_what_it_wrote(clinic: Knocker, files: Files, patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)
    asked(partner, held(patient.id))
    recorded(clinic, patient, ELSEWHERE)
    items = clinic.get(f"/v1/clinic/patients/{patient.external_id}/disclosures").json["items"]
    assert [one["basis"] for one in items] == ["consent", "elsewhere"]
    assert items[0]["notice_version"] == "2024" and items[0]["recipient_client_id"] == str(partner)


def test_every_operation_of_the_clinic_has_words() -> None:
    of_clinic = {one.id for one in operations() if one.audience == "clinic"}
    for language in LANGUAGES:
        assert {access_words.about(one) for one in of_clinic} == set(access_words.WORDS[language])
    assert access_words.did(action="read", operation="getPatient", language="en") == "Looked at your record."
    assert access_words.did(action="override", operation="x", language="es") == "Cambió su expediente."
    assert access_words.did(action="create", operation="previewConsent", language="en") == (
        "Looked at your privacy choices."
    )


# What is ours, or the name of a program or its level, is nothing to read for a patient.
NOT_SHOWN = r"[a-z][A-Z]|_|(?i:\b(op|iop|php|asam|programa?|level|nivel|api|operation|record system)\b)"


def test_what_is_shown_of_an_access_is_in_plain_words_of_each_language() -> None:
    shown = {
        language: {sentence for words in access_words.WORDS[language].values() for sentence in astuple(words)}
        | {role_words.who(caller_kind=kind, role=role, language=language) for kind in KINDS for role in ROLES}
        for language in LANGUAGES
    }
    assert not [one for told in shown.values() for one in told if re.search(NOT_SHOWN, one)]
    assert len(shown["en"]) == len(shown["es"]) and shown["en"].isdisjoint(shown["es"])

"""The clinic records what was signed on paper, what was taken back by letter or phone, and what has ended."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.knocking import Knocker
from tests.privacy.signing import OF_A_MATTER, OF_TREATMENT, NewPartner, given, new_partner, slug, sure

__all__ = ["new_partner", "sure"]
SQL = Callable[..., list[tuple[Any, ...]]]
PAPER = {
    **OF_TREATMENT,
    "recipient_class": "treating_providers",
    "form_version": "release-2",
    "signer_name": "Sam Rivers",
    "signed_on": "2026-11-20",
    "document_sha256": "ab" * 32,
}


@pytest.fixture(autouse=True)
def in_november(travel: Callable[[str], Any]) -> None:
    travel("2026-11-23T15:00:00Z")


def record(clinic: Knocker, patient: Knocker, **change: Any) -> Any:
    return clinic.post(f"/v1/clinic/patients/{patient.external_id}/consents", json={**PAPER, **change})


def test_a_paper_is_recorded_with_its_hash_and_by_whom(clinic: Knocker, patient: Knocker) -> None:
    recorded = record(clinic, patient)
    assert recorded.status_code == 201, recorded.text
    assert recorded.json["document_sha256"] == "ab" * 32 and recorded.json["signed_how"] == "paper"
    assert (recorded.json["recorded_by"], recorded.json["recorded_role"]) == ("u-17", "counselor")
    assert recorded.json["signed_at"] == "2026-11-20T05:00:00Z"


def test_the_text_on_record_is_the_one_that_was_printed(clinic: Knocker, patient: Knocker) -> None:
    path = f"/v1/clinic/patients/{patient.external_id}/consent-form"
    printed = clinic.post(path, key="", json={**OF_TREATMENT, "recipient_class": "treating_providers"}).json
    recorded = record(clinic, patient).json
    assert (recorded["text"], recorded["text_sha256"]) == (printed["text"], printed["text_sha256"])


def test_a_paper_printed_before_the_words_changed_is_on_record_as_it_was_printed(
    clinic: Knocker, patient: Knocker
) -> None:
    recorded = record(clinic, patient, form_version="release-1")
    assert recorded.status_code == 201 and recorded.json["form_version"] == "release-1"
    assert "180 days" not in recorded.json["text"] and "180 days" in record(clinic, patient).json["text"]


def test_the_patient_sees_it_and_takes_it_back_in_the_app(clinic: Knocker, patient: Knocker) -> None:
    recorded = record(clinic, patient).json
    seen = patient.get("/v1/me/consents").json["items"]
    assert [one["id"] for one in seen] == [recorded["id"]]
    assert patient.post(f"/v1/me/consents/{recorded['id']}/revocation", key="").json["state"] == "revoked"


def test_whoever_is_authorized_may_sign_for_the_patient(clinic: Knocker, patient: Knocker) -> None:
    recorded = record(clinic, patient, signer="authorized_person", signer_name="Alex Rivers").json
    assert (recorded["signer"], recorded["signer_name"]) == ("authorized_person", "Alex Rivers")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"form_version": "release-9"}, "unknown-form"),
        ({"form_version": "criminal-justice-1"}, "unknown-form"),
        ({"signed_on": "2026-11-24"}, "signed-in-the-future"),
        ({"categories": ["counseling_notes"]}, "counseling-notes-apart"),
        ({"expires_on": "2026-11-21"}, "already-over"),
    ],
)
def test_what_no_consent_can_say_is_not_recorded_either(
    clinic: Knocker, patient: Knocker, change: dict[str, Any], why: str
) -> None:
    assert slug(record(clinic, patient, **change)) == (422, why)


def test_a_revocation_by_phone_names_who_took_it(clinic: Knocker, sure: Knocker) -> None:
    consent = given(sure, {**OF_TREATMENT, "recipient_class": "treating_providers"})
    path = f"/v1/clinic/consents/{consent['id']}/revocation"
    first, second = (clinic.post(path, key="", json={"how": "phone"}).json for _ in range(2))
    assert first == second and (first["state"], first["revoked_how"]) == ("revoked", "phone")
    assert (first["revocation_taken_by"], first["revocation_taken_role"]) == ("u-17", "counselor")
    assert sure.get(f"/v1/me/consents/{consent['id']}").json["state"] == "revoked"


def test_the_clinic_cannot_say_that_the_app_was_used(clinic: Knocker, sure: Knocker) -> None:
    consent = given(sure, {**OF_TREATMENT, "recipient_class": "treating_providers"})
    assert clinic.post(f"/v1/clinic/consents/{consent['id']}/revocation", json={"how": "app"}).status_code == 422


def test_the_final_disposition_ends_what_could_not_be_taken_back(
    clinic: Knocker, sure: Knocker, new_partner: NewPartner
) -> None:
    consent = given(sure, {**OF_A_MATTER, "recipient_id": new_partner("criminal_justice")})
    path = f"/v1/clinic/consents/{consent['id']}"
    assert slug(clinic.post(f"{path}/revocation", key="", json={"how": "writing"})) == (409, "not-revocable-yet")
    ended = clinic.post(f"{path}/end", key="", json={"reason": "event_came_about"}).json
    assert (ended["state"], ended["ended_reason"], ended["ended_by"]) == ("ended", "event_came_about", "u-17")
    revoked = sure.post(f"/v1/me/consents/{consent['id']}/revocation", key="")
    assert (revoked.status_code, revoked.json["state"]) == (200, "revoked")


def test_ending_again_changes_nothing(clinic: Knocker, patient: Knocker) -> None:
    path = f"/v1/clinic/consents/{record(clinic, patient).json['id']}/end"
    first = clinic.post(path, key="", json={"reason": "deficient"}).json
    assert clinic.post(path, key="", json={"reason": "event_came_about"}).json == first


def test_a_consent_without_an_event_does_not_end_by_one(clinic: Knocker, patient: Knocker) -> None:
    until = {**PAPER, "expires_on": "2027-03-01"}
    del until["expires_on_event"]
    recorded = clinic.post(f"/v1/clinic/patients/{patient.external_id}/consents", json=until).json
    refused = clinic.post(f"/v1/clinic/consents/{recorded['id']}/end", key="", json={"reason": "event_came_about"})
    assert slug(refused) == (409, "not-its-event")


def test_the_clinic_lists_a_patients_consents_with_their_texts(clinic: Knocker, patient: Knocker) -> None:
    made = [record(clinic, patient).json["id"] for _ in range(2)]
    listed = clinic.get(f"/v1/clinic/patients/{patient.external_id}/consents").json["items"]
    assert [one["id"] for one in listed] == made[::-1] and listed[0]["text"].startswith("Permission to share")


def test_each_of_it_stands_in_the_audit_of_the_patient(clinic: Knocker, patient: Knocker, owner_sql: SQL) -> None:
    consent = record(clinic, patient).json["id"]
    clinic.post(f"/v1/clinic/consents/{consent}/revocation", key="", json={"how": "in_person"})
    noted = "SELECT operation FROM audit_events WHERE patient_id = %s AND outcome = 'done' ORDER BY id"
    assert [row for (row,) in owner_sql(noted, patient.id)][-2:] == ["recordConsent", "recordRevocation"]

"""A patient reads a form, signs it after a fresh sign-in, keeps it, and takes it back."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.knocking import Knocker
from tests.privacy.signing import (
    CONSENTS,
    FORM,
    OF_A_MATTER,
    OF_TREATMENT,
    NewPartner,
    given,
    new_partner,
    sign,
    slug,
    sure,
)
from tests.world import freshly

__all__ = ["new_partner", "sure"]
SQL = Callable[..., list[tuple[Any, ...]]]
Travel = Callable[[str], Any]


def test_the_partners_who_can_be_named_are_those_active(sure: Knocker, new_partner: NewPartner, owner_sql: SQL) -> None:
    harbor, _ = new_partner(), new_partner("criminal_justice", "County Court")
    owner_sql("UPDATE api_clients SET status = 'suspended' WHERE name = 'County Court'")
    found = sure.get("/v1/me/consent-recipients").json["items"]
    assert found == [{"id": harbor, "name": "Harbor Detox", "kind": "treating_provider"}]


def test_what_is_signed_is_what_was_shown(sure: Knocker, new_partner: NewPartner) -> None:
    wanted = {**OF_TREATMENT, "recipient_id": new_partner()}
    shown = sure.post(FORM, key="", json=wanted).json
    consent = given(sure, wanted)
    assert (consent["text"], consent["form_version"]) == (shown["text"], shown["form_version"])
    assert consent["text_sha256"] == shown["text_sha256"] == hashlib.sha256(shown["text"].encode()).hexdigest()
    assert (consent["state"], consent["recipient_name"], consent["signed_how"]) == ("effective", "Harbor Detox", "app")
    assert consent["shared"] == {"times": 0, "categories": []}


def test_how_it_was_signed_is_kept(sure: Knocker, owner_sql: SQL) -> None:
    given(sure, {**OF_TREATMENT, "recipient_class": "treating_providers"})
    kept = "SELECT patient_name, discloser, signer, signer_name, acr, app_session_id, form_version FROM consents"
    who = ("Sam Rivers", "Trinity Wellness Group", "patient", "Sam Rivers")
    assert owner_sql(kept) == [(*who, "phr", sure.app_session_id, "release-2")]


def test_another_text_than_the_one_shown_is_not_signed(sure: Knocker, owner_sql: SQL) -> None:
    wanted = {**OF_TREATMENT, "recipient_class": "treating_providers"}
    refused = sign(sure, wanted, categories=["presence", "attendance", "referral_outcome"])
    assert slug(refused) == (409, "form-text-changed") and refused.json["retry"] == "after_refresh"
    assert owner_sql("SELECT count(*) FROM consents") == [(0,)]


def test_a_partner_renamed_meanwhile_is_another_text(sure: Knocker, new_partner: NewPartner, owner_sql: SQL) -> None:
    wanted = {**OF_TREATMENT, "recipient_id": new_partner()}
    shown = sure.post(FORM, key="", json=wanted).json["text_sha256"]
    owner_sql("UPDATE api_clients SET name = 'Harbor Recovery' WHERE name = 'Harbor Detox'")
    refused = sure.post(CONSENTS, json={**wanted, "text_sha256": shown, "signature": "Sam Rivers"})
    assert slug(refused) == (409, "form-text-changed")


def test_giving_asks_for_a_fresh_sign_in_and_taking_back_does_not(patient: Knocker) -> None:
    wanted = {**OF_TREATMENT, "recipient_class": "treating_providers"}
    assert sign(patient, wanted).status_code == 401
    consent = given(freshly(patient), wanted)
    assert patient.post(f"{CONSENTS}/{consent['id']}/revocation", key="").status_code == 200


def test_sent_twice_under_one_key_it_is_one_consent(sure: Knocker) -> None:
    wanted = {**OF_TREATMENT, "recipient_class": "treating_providers"}
    shown = sure.post(FORM, key="", json=wanted).json["text_sha256"]
    body = {**wanted, "text_sha256": shown, "signature": "Sam Rivers"}
    first, second = (sure.post(CONSENTS, key="once", json=body) for _ in range(2))
    assert first.json["id"] == second.json["id"] and len(sure.get(CONSENTS).json["items"]) == 1


def test_a_replay_shows_the_consent_as_it_is_now(sure: Knocker) -> None:
    wanted = {**OF_TREATMENT, "recipient_class": "treating_providers"}
    shown = sure.post(FORM, key="", json=wanted).json["text_sha256"]
    body = {**wanted, "text_sha256": shown, "signature": "Sam Rivers"}
    consent = sure.post(CONSENTS, key="once", json=body).json
    sure.post(f"{CONSENTS}/{consent['id']}/revocation", key="")
    assert sure.post(CONSENTS, key="once", json=body).json["state"] == "revoked"


def test_taking_back_counts_at_once_and_again_is_once(sure: Knocker, owner_sql: SQL) -> None:
    consent = given(sure, {**OF_TREATMENT, "recipient_class": "treating_providers"})
    first, second = (sure.post(f"{CONSENTS}/{consent['id']}/revocation", key="").json for _ in range(2))
    assert first == second and first["state"] == "revoked" and first["revoked_how"] == "app"
    assert "cannot be called back" in first["note"] and first["revocable_now"] is False
    assert owner_sql("SELECT count(*) FROM consents WHERE revoked_at IS NOT NULL") == [(1,)]


def test_taking_back_says_what_was_told_before(sure: Knocker, new_partner: NewPartner, owner_sql: SQL) -> None:
    partner = new_partner()
    consent = given(sure, {**OF_TREATMENT, "recipient_id": partner})
    told = """
        INSERT INTO disclosures (id, patient_id, recipient_client_id, recipient_name, categories, purpose, basis,
            consent_id, notice_version, disclosed_at)
        VALUES (gen_random_uuid(), %s, %s, 'Harbor Detox', %s, 'treatment', 'consent', %s, '2024', %s)"""
    owner_sql(told, sure.id, partner, ["referral_outcome"], consent["id"], "2026-11-23T15:00:00Z")
    owner_sql(told, sure.id, partner, ["presence", "referral_outcome"], consent["id"], "2026-11-24T15:00:00Z")
    revoked = sure.post(f"{CONSENTS}/{consent['id']}/revocation", key="").json
    assert revoked["shared"] == {
        "times": 2,
        "categories": ["presence", "referral_outcome"],
        "first_at": "2026-11-23T15:00:00Z",
        "last_at": "2026-11-24T15:00:00Z",
    }


def test_an_expired_consent_is_said_to_be_without_anybody_doing_anything(sure: Knocker, travel: Travel) -> None:
    travel("2026-11-23T15:00:00Z")
    wanted = {**OF_TREATMENT, "recipient_class": "treating_providers", "expires_on": "2026-11-30"}
    consent = given(sure, wanted)
    assert consent["expires_at"] == "2026-12-01T05:00:00Z"
    states = []
    for when in ("2026-12-01T04:59:59Z", "2026-12-01T05:00:00Z"):
        travel(when)
        states.append(sure.get(f"{CONSENTS}/{consent['id']}").json["state"])
    assert states == ["effective", "expired"]


def test_terms_of_a_legal_matter_bind_as_they_said(sure: Knocker, new_partner: NewPartner) -> None:
    court = new_partner("criminal_justice", "County Court")
    consent = given(sure, {**OF_A_MATTER, "recipient_id": court})
    assert consent["revocable_now"] is False
    refused = sure.post(f"{CONSENTS}/{consent['id']}/revocation", key="")
    assert slug(refused) == (409, "not-revocable-yet")
    assert sure.get(f"{CONSENTS}/{consent['id']}").json["state"] == "effective"


def test_from_the_day_that_was_said_it_can_be_taken_back(
    sure: Knocker, new_partner: NewPartner, travel: Travel
) -> None:
    travel("2026-11-23T15:00:00Z")
    court = new_partner("criminal_justice", "County Court")
    terms = {**OF_A_MATTER, "revocable": "from_date", "revocable_on": "2027-01-15", "recipient_id": court}
    consent = given(sure, terms)
    found = []
    for when in ("2027-01-15T04:59:59Z", "2027-01-15T05:00:00Z"):
        travel(when)
        found.append(sure.post(f"{CONSENTS}/{consent['id']}/revocation", key="").status_code)
    assert found == [409, 200]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"categories": ["counseling_notes"]}, "counseling-notes-apart"),
        ({"categories": ["presence", "check_in_answers"]}, "answers-stay-here"),
        ({"purpose": "legal_proceedings"}, "legal-proceedings-apart"),
        ({"recipient_id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e99"}, "unknown-recipient"),
        ({"expires_on": "2026-11-22"}, "already-over"),
        ({"expires_on_event": "final_disposition"}, "for-a-legal-matter-only"),
        ({"matter": "Case 27-118"}, "for-a-legal-matter-only"),
        ({"revocable": "from_final_disposition"}, "for-a-legal-matter-only"),
        ({"purpose": "criminal_justice"}, "not-of-criminal-justice"),
        ({"terms": "criminal_justice", "purpose": "criminal_justice", "matter": "Case 1"}, "not-of-criminal-justice"),
    ],
)
def test_what_no_consent_can_say_is_refused_with_the_reason(
    sure: Knocker, new_partner: NewPartner, travel: Travel, change: dict[str, Any], why: str
) -> None:
    travel("2026-11-23T15:00:00Z")
    wanted = {**OF_TREATMENT, "recipient_id": new_partner(), **change}
    assert slug(sure.post(FORM, key="", json=wanted)) == (422, why)
    signed = {**wanted, "text_sha256": "0" * 64, "signature": "Sam Rivers"}
    assert slug(sure.post(CONSENTS, json=signed)) == (422, why)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"categories": ["presence"]}, "more-than-the-matter-needs"),
        ({"matter": None}, "matter-not-named"),
        ({"purpose": "treatment"}, "not-of-criminal-justice"),
    ],
)
def test_a_legal_matter_gets_no_more_than_it_needs(
    sure: Knocker, new_partner: NewPartner, change: dict[str, Any], why: str
) -> None:
    asked = {**OF_A_MATTER, "recipient_id": new_partner("criminal_justice"), **change}
    wanted = {name: value for name, value in asked.items() if value is not None}
    assert slug(sure.post(FORM, key="", json=wanted)) == (422, why)


def test_only_those_who_treat_are_named_for_treatment(sure: Knocker, new_partner: NewPartner) -> None:
    wanted = {**OF_TREATMENT, "recipient_id": new_partner("other")}
    assert slug(sure.post(FORM, key="", json=wanted)) == (422, "not-a-treating-provider")
    assert sure.post(FORM, key="", json={**wanted, "purpose": "patient_request"}).status_code == 200


def test_the_class_is_for_treatment_only(sure: Knocker) -> None:
    wanted = {**OF_TREATMENT, "recipient_class": "treating_providers", "purpose": "patient_request"}
    assert slug(sure.post(FORM, key="", json=wanted)) == (422, "not-for-the-class")
    of_a_matter = {**OF_A_MATTER, "recipient_class": "treating_providers"}
    assert slug(sure.post(FORM, key="", json=of_a_matter)) == (422, "not-of-criminal-justice")


def test_a_suspended_partner_and_a_system_of_the_clinics_are_nobody_to_name(
    sure: Knocker, clinic: Knocker, new_partner: NewPartner, owner_sql: SQL
) -> None:
    wanted = {**OF_TREATMENT, "recipient_id": new_partner()}
    owner_sql("UPDATE api_clients SET status = 'suspended' WHERE name = 'Harbor Detox'")
    refused = sure.post(FORM, key="", json=wanted)
    unknown = sure.post(FORM, key="", json={**wanted, "recipient_id": str(clinic.id)})
    assert slug(refused) == slug(unknown) == (422, "unknown-recipient")


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"recipient_id": None, "recipient_class": None}, "/recipient_id"),
        ({"expires_on_event": None}, "/expires_on"),
        ({"revocable": "from_date"}, "/revocable_on"),
        ({"categories": []}, "/categories"),
        ({"patient_name": "Sam\nWith: anybody."}, "/patient_name"),
    ],
)
def test_a_form_that_lacks_something_is_no_form(sure: Knocker, change: dict[str, Any], where: str) -> None:
    asked = {**OF_TREATMENT, "recipient_class": "treating_providers", **change}
    wanted = {name: value for name, value in asked.items() if value is not None}
    refused = sure.post(FORM, key="", json=wanted)
    assert refused.status_code == 422 and where in [one["pointer"].lstrip("#") for one in refused.json["errors"]]


def test_somebody_elses_consent_is_not_there(sure: Knocker, other_patient: Knocker) -> None:
    consent = given(sure, {**OF_TREATMENT, "recipient_class": "treating_providers"})
    for path in ("", "/document"):
        assert other_patient.get(f"{CONSENTS}/{consent['id']}{path}").status_code == 404
    assert other_patient.post(f"{CONSENTS}/{consent['id']}/revocation", key="").status_code == 404
    assert other_patient.get(CONSENTS).json["items"] == []


def test_consents_are_listed_the_latest_first_page_by_page(sure: Knocker) -> None:
    wanted = {**OF_TREATMENT, "recipient_class": "treating_providers"}
    made = [given(sure, wanted)["id"] for _ in range(3)]
    first = sure.get(f"{CONSENTS}?page_size=2").json
    rest = sure.get(f"{CONSENTS}?page_size=2&page_token={first['next_page_token']}").json
    assert [one["id"] for one in first["items"] + rest["items"]] == made[::-1]


def test_the_document_is_a_page_that_stands_alone(sure: Knocker, new_partner: NewPartner) -> None:
    partner = new_partner(name="<b>Harbor & Sons</b>")
    consent = given(sure, {**OF_TREATMENT, "recipient_id": partner})
    page = sure.get(f"{CONSENTS}/{consent['id']}/document")
    assert page.content_type.startswith("text/html") and "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"
    assert consent["text_sha256"] in page.text and "With: &lt;b&gt;Harbor &amp; Sons&lt;/b&gt;." in page.text
    assert "http" not in page.text and "src=" not in page.text and "<b>" not in page.text


def test_the_document_speaks_the_language_that_was_signed(sure: Knocker) -> None:
    consent = given(sure, {**OF_TREATMENT, "recipient_class": "treating_providers", "language": "es"})
    page = sure.get(f"{CONSENTS}/{consent['id']}/document")
    assert 'lang="es"' in page.text and "Vigente el" in page.text and page.headers["Content-Language"] == "es"
    sure.post(f"{CONSENTS}/{consent['id']}/revocation", key="")
    assert "Retirado el" in sure.get(f"{CONSENTS}/{consent['id']}/document").text


def test_giving_and_taking_back_raise_the_patients_version(sure: Knocker, owner_sql: SQL) -> None:
    versions = "SELECT v.version, c.version FROM patient_versions v JOIN consents c ON c.patient_id = v.patient_id"
    consent = given(sure, {**OF_TREATMENT, "recipient_class": "treating_providers"})
    ((before, stamped),) = owner_sql(versions)
    sure.post(f"{CONSENTS}/{consent['id']}/revocation", key="")
    assert before == stamped and owner_sql(versions) == [(before + 1, before + 1)]


def test_a_patients_own_role_cannot_rewrite_what_was_signed(sure: Knocker, superuser: Any) -> None:
    given(sure, {**OF_TREATMENT, "recipient_class": "treating_providers"})
    allowed = "SELECT has_column_privilege(%s, 'consents', %s, 'UPDATE')"
    for role in ("continuum_app", "continuum_clinic"):
        for column in ("text", "text_hash", "categories", "recipient_client_id", "expires_at", "signed_at"):
            assert superuser.execute(allowed, [role, column]).fetchone() == (False,), (role, column)

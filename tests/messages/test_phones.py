"""Texts are off until the number has answered a code and the patient has agreed; much turns them off again."""

import pytest

from api import db, events
from api.messages import codes, consent_texts, phones
from api.messages.events import MessagesStarted, MessagesStopped
from schemas.messages import PhoneAnswer
from tests.messages.contacts import (
    AT,
    NUMBER,
    OTHER_NUMBER,
    as_patient,
    digits,
    number_of,
    recorded,
    send_code,
    turned_on,
)

__all__ = ["recorded"]
PHONE, CONFIRMATION = "/v1/me/phone", "/v1/me/phone/confirmation"
CONSENT = {"text_id": "appointment-texts-1", "language": "en"}


def on(patient_id):
    with db.transaction(db.WORKER):
        return patient_id in phones.addresses_of([patient_id])


def why_off(patient):
    return patient.get(PHONE).json.get("why_off")


def test_without_a_number_texts_are_off(patient):
    assert patient.get(PHONE).json["why_off"] == "not_set" and not on(patient.id)


def test_a_number_is_kept_in_one_form_however_it_is_written(patient):
    assert patient.put(PHONE, json={"number": "(212) 555-0123"}).json["number"] == NUMBER


@pytest.mark.parametrize("number", ["123", "+44 7911 123456", "+1 876 555 0123", "911", "+12125550123x9", "words"])
def test_texts_go_to_mobile_numbers_of_the_country_only(patient, number):
    refused = patient.put(PHONE, json={"number": number})
    assert refused.status_code == 422
    assert refused.json.get("errors", [{}])[0]["pointer"] == "/number"


def test_the_code_comes_by_text_and_says_nothing_else(patient, owner_sql, recorded):
    patient.put(PHONE, json={"number": NUMBER})
    send_code(owner_sql, patient.id)
    ((message, address),) = recorded.said
    assert address.target == NUMBER
    assert message.text == f"Your code is {digits(owner_sql, patient.id)}. Do not give it to anybody."


def test_a_code_that_was_used_is_not_sent_any_more(patient, owner_sql, recorded):
    turned_on(owner_sql, patient)
    send_code(owner_sql, patient.id)
    assert recorded.said == []


def test_a_carrier_in_trouble_leaves_the_code_to_the_queue(patient, owner_sql, recorded):
    recorded.verdict = "retry"
    patient.put(PHONE, json={"number": NUMBER})
    with pytest.raises(Exception, match=r"^$"):
        send_code(owner_sql, patient.id)


def test_texts_are_on_with_both_the_code_and_the_consent(patient, owner_sql):
    patient.put(PHONE, json={"number": NUMBER})
    assert why_off(patient) == "not_confirmed"
    said = patient.post(CONFIRMATION, json={"code": digits(owner_sql, patient.id)})
    assert said.json["why_off"] == "no_consent" and not on(patient.id)
    said = patient.post(PHONE + "/consent", json=CONSENT)
    assert "why_off" not in said.json and "consented_at" in said.json and on(patient.id)
    assert not PhoneAnswer().validate(said.json)


def test_consent_before_the_code_turns_nothing_on(patient):
    patient.put(PHONE, json={"number": NUMBER})
    assert patient.post(PHONE + "/consent", json=CONSENT).json["why_off"] == "not_confirmed"
    assert not on(patient.id)


def test_the_record_of_consent_quotes_the_words_by_id_and_hash(patient, owner_sql):
    turned_on(owner_sql, patient)
    ((number, text_id, language, text_hash, given_at),) = owner_sql(
        "SELECT number, text_id, language, text_hash, given_at FROM text_consents WHERE patient_id = %s", patient.id
    )
    shown = consent_texts.shown(text_id, language)
    assert (number, given_at) == (NUMBER, AT) and text_hash == shown.hash


def test_the_words_that_the_app_shows_are_the_ones_that_are_recorded(patient):
    told = patient.get(PHONE, headers={"Accept-Language": "es"}).json
    assert told["consent_text"] == consent_texts.shown(told["consent_text_id"], "es").text
    example = PhoneAnswer.example
    assert example["consent_text"] == consent_texts.current(example["consent_language"]).text


def test_consent_to_other_words_than_the_current_is_refused(patient):
    patient.put(PHONE, json={"number": NUMBER})
    refused = patient.post(PHONE + "/consent", json={**CONSENT, "text_id": "older-words"})
    assert (refused.status_code, refused.json["retry"]) == (409, "after_refresh")


def test_without_a_number_there_is_nothing_to_agree_to_or_to_confirm(patient):
    assert patient.post(PHONE + "/consent", json=CONSENT).status_code == 409
    assert patient.post(CONFIRMATION, json={"code": "123456"}).status_code == 409


def test_another_number_begins_from_nothing(patient, owner_sql):
    turned_on(owner_sql, patient)
    assert patient.put(PHONE, json={"number": OTHER_NUMBER}).json["why_off"] == "not_confirmed"
    assert not on(patient.id)
    assert owner_sql("SELECT end_reason FROM text_consents WHERE patient_id = %s", patient.id) == [("replaced",)]


def test_the_same_number_again_changes_nothing(patient, owner_sql):
    turned_on(owner_sql, patient)
    assert "why_off" not in patient.put(PHONE, json={"number": NUMBER}).json
    assert on(patient.id)


def test_a_removed_number_leaves_the_record_of_consent(patient, owner_sql):
    turned_on(owner_sql, patient)
    assert patient.delete(PHONE).status_code == 204 == patient.delete(PHONE).status_code
    assert not on(patient.id)
    assert owner_sql("SELECT end_reason FROM text_consents WHERE patient_id = %s", patient.id) == [("removed",)]


def wrong(owner_sql, patient):
    return f"{(int(digits(owner_sql, patient.id)) + 1) % 10**6:06d}"


def test_five_wrong_tries_end_a_code(patient, owner_sql):
    patient.put(PHONE, json={"number": NUMBER})
    for _ in range(codes.MOST_TRIES):
        tried = patient.post(CONFIRMATION, json={"code": wrong(owner_sql, patient)})
        assert tried.json["type"].endswith("/wrong-code")
    right = patient.post(CONFIRMATION, json={"code": digits(owner_sql, patient.id)})
    assert right.status_code == 422


def test_a_wrong_try_costs_no_more_than_itself(patient, owner_sql):
    patient.put(PHONE, json={"number": NUMBER})
    patient.post(CONFIRMATION, json={"code": wrong(owner_sql, patient)})
    assert patient.post(CONFIRMATION, json={"code": digits(owner_sql, patient.id)}).status_code == 200


def test_a_code_lives_ten_minutes_by_the_databases_clock(patient, owner_sql, travel):
    patient.put(PHONE, json={"number": NUMBER})
    owner_sql("UPDATE contact_codes SET expires_at = now() - interval '1 second'")
    travel("2020-01-01T00:00:00Z")
    tried = patient.post(CONFIRMATION, json={"code": digits(owner_sql, patient.id)})
    assert tried.json["type"].endswith("/wrong-code")


def test_a_new_code_ends_the_one_before(patient, owner_sql):
    patient.put(PHONE, json={"number": NUMBER})
    first = digits(owner_sql, patient.id)
    patient.put(PHONE, json={"number": NUMBER})
    assert first != digits(owner_sql, patient.id)
    assert patient.post(CONFIRMATION, json={"code": first}).status_code == 422


def test_codes_of_an_hour_are_few_whatever_the_number(patient):
    asked = [patient.put(PHONE, json={"number": f"+1212555012{last}"}) for last in range(4)]
    assert [one.status_code for one in asked] == [200, 200, 200, 429]
    assert 0 < int(asked[-1].headers["Retry-After"]) <= 3600


def test_only_ids_stand_in_the_job_that_sends_a_code(patient, owner_sql):
    patient.put(PHONE, json={"number": NUMBER})
    asked = "SELECT args::text FROM jobs.procrastinate_jobs WHERE task_name = %s ORDER BY id DESC LIMIT 1"
    ((args,),) = owner_sql(asked, codes.JOB)
    assert digits(owner_sql, patient.id) not in args and NUMBER not in args


@pytest.mark.parametrize(
    ("reason", "off"), [("21610", "stopped"), ("30005", "undeliverable"), ("21211", "undeliverable")]
)
def test_what_the_provider_says_turns_texts_off(patient, owner_sql, reason, off):
    turned_on(owner_sql, patient)
    with db.transaction(db.WORKER):
        phones.forget_dead({phones.of_patient(patient_id=patient.id).id: reason}, at=AT)
    assert why_off(patient) == off and not on(patient.id)


def test_a_number_that_bounced_has_to_be_confirmed_and_agreed_to_anew(patient, owner_sql):
    turned_on(owner_sql, patient)
    with db.transaction(db.WORKER):
        phones.bounced(number=NUMBER, reason="30005", at=AT)
    assert patient.put(PHONE, json={"number": NUMBER}).json["why_off"] == "not_confirmed"
    patient.post(CONFIRMATION, json={"code": digits(owner_sql, patient.id)})
    assert why_off(patient) == "no_consent"


def test_a_stop_is_taken_back_in_the_app_by_agreeing_again(patient, owner_sql):
    turned_on(owner_sql, patient)
    with db.transaction(as_patient(patient.id)):
        phones.stop(patient_id=patient.id, reason="stopped", at=AT)
    assert not on(patient.id)
    assert "why_off" not in patient.post(PHONE + "/consent", json=CONSENT).json
    assert on(patient.id)


def test_whoever_plans_hears_when_texts_go_on_and_off(patient, owner_sql):
    with events.recorded() as heard:
        turned_on(owner_sql, patient)
        with db.transaction(as_patient(patient.id)):
            phones.stop(patient_id=patient.id, reason="stopped", at=AT)
            phones.stop(patient_id=patient.id, reason="stopped", at=AT)
    told = [one for one in heard if isinstance(one, MessagesStarted | MessagesStopped)]
    assert told == [MessagesStarted(patient.id, "sms", AT), MessagesStopped(patient.id, "sms", AT)]


def test_two_of_one_household_may_share_a_number(patient, other_patient, owner_sql):
    turned_on(owner_sql, patient)
    turned_on(owner_sql, other_patient)
    assert on(patient.id) and on(other_patient.id)


def test_a_write_stamps_the_patients_version(patient, owner_sql):
    turned_on(owner_sql, patient)
    ((version,),) = owner_sql("SELECT version FROM patient_versions WHERE patient_id = %s", patient.id)
    assert number_of(patient.id).version == version


def test_the_record_system_gives_a_number_that_is_not_confirmed(patient, clinic):
    path = f"/v1/clinic/patients/{patient.external_id}/phone"
    assert clinic.put(path, json={"number": NUMBER}).json == {
        "is_on": False,
        "number": NUMBER,
        "set_by": "clinic",
        "why_off": "not_confirmed",
    }
    assert patient.get(PHONE).json["number"] == NUMBER


def test_the_record_system_does_not_take_the_place_of_the_patients_own(patient, clinic, owner_sql):
    turned_on(owner_sql, patient)
    path = f"/v1/clinic/patients/{patient.external_id}/phone"
    assert clinic.put(path, json={"number": OTHER_NUMBER}).status_code == 409
    assert "why_off" not in clinic.put(path, json={"number": NUMBER}).json
    assert clinic.delete(path).status_code == 204
    assert clinic.put(path, json={"number": OTHER_NUMBER}).status_code == 200
    assert clinic.get(path).json["number"] == OTHER_NUMBER

"""Texts that come in: signed, met once, answered in the response, and never kept in words."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from api import carriers, db, events
from api.messages import inbound, signatures, wording
from api.messages.events import DeliveryReported
from api.patients import service as patients
from tests.messages.contacts import AT, NUMBER, number_of, texted, turned_on
from tests.messages.fakes.sms import settings, signed

SMS, STATUS = "/hooks/sms", "/hooks/sms/status"
NOT_READ = wording.SENTENCES["not_read"]["en"]


@pytest.fixture(autouse=True)
def gateway(app, monkeypatch, travel):
    """The house has a gateway for texts, and it is three in the afternoon."""
    monkeypatch.setattr(app, "settings", replace(app.settings, carriers=carriers.Carriers(sms=settings())))
    travel(AT)


@pytest.fixture
def sam(patient, owner_sql):
    turned_on(owner_sql, patient)
    return patient


@pytest.fixture
def robin(other_patient, owner_sql):
    """Of the same household."""
    turned_on(owner_sql, other_patient)
    return other_patient


@pytest.fixture
def say(visitor):
    def said(body, *, sid=None, number=NUMBER):
        form = {"MessageSid": sid or f"SM{uuid4().hex}", "From": number, "To": "+12125550100", "Body": body}
        return visitor.request("POST", SMS, data=form, headers=signed(SMS, form))

    return said


def answered(response):
    assert (response.status_code, response.mimetype) == (200, "text/xml")
    inner = response.text.removeprefix('<?xml version="1.0" encoding="UTF-8"?><Response>').removesuffix("</Response>")
    return inner.removeprefix("<Message>").removesuffix("</Message>") or None


def why_off(patient):
    return number_of(patient.id).why_off


def speak_spanish(patient):
    with db.transaction(db.SYSTEM):
        patients.upsert(external_id=patient.external_id, at=AT, language="es")


# Whose a request is


def test_the_gateways_own_example_of_a_signature():
    """https://www.twilio.com/docs/usage/security"""
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert signatures.signature("12345", url, form.items()) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@pytest.mark.parametrize("path", [SMS, STATUS])
@pytest.mark.parametrize("headers", [{}, {signatures.HEADER: "c2lnbmF0dXJl"}, {signatures.HEADER: "ñ"}])
def test_what_is_not_signed_is_refused(visitor, path, headers):
    refused = visitor.request("POST", path, data={"MessageSid": "SM1", "From": NUMBER, "Body": "STOP"}, headers=headers)
    assert (refused.status_code, refused.json["type"].rsplit("/", 1)[1]) == (403, "not-signed")


@pytest.mark.parametrize("changed", [{"Body": "STOP"}, {"From": "+12125550199"}, {"Extra": "1"}])
def test_a_form_that_was_changed_is_refused(visitor, changed):
    form = {"MessageSid": "SM1", "From": NUMBER, "Body": "1"}
    refused = visitor.request("POST", SMS, data=form | changed, headers=signed(SMS, form))
    assert refused.status_code == 403


def test_a_signature_for_another_address_is_refused(visitor):
    form = {"MessageSid": "SM1", "From": NUMBER, "Body": "1"}
    assert visitor.request("POST", SMS, data=form, headers=signed(STATUS, form)).status_code == 403
    elsewhere = signed(SMS, form, public_url="https://evil.example")
    sent = {**elsewhere, "Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}
    assert visitor.request("POST", SMS, data=form, headers=sent).status_code == 403


def test_without_a_gateway_nothing_is_let_in(app, monkeypatch, say):
    monkeypatch.setattr(app, "settings", replace(app.settings, carriers=carriers.Carriers()))
    assert say("STOP").status_code == 403


def test_an_empty_value_is_signed_too(visitor, sam):
    form = {"MessageSid": "SM1", "From": NUMBER, "Body": "", "MediaUrl0": ""}
    assert visitor.request("POST", SMS, data=form, headers=signed(SMS, form)).status_code == 200


# STOP, START, HELP


@pytest.mark.parametrize("word", ["STOP", "stop", "Quit", "END", "Revoke", "opt out", "CANCEL", "Unsubscribe", "ALTO"])
def test_stop_and_its_like_end_texts_at_once(say, sam, word):
    say(word)
    assert why_off(sam) == "stopped"


def test_one_text_confirms_a_stop(say, sam):
    assert answered(say("STOP")) == "You will get no more texts. Reply START to get them again."
    assert answered(say("STOP")) is None


def test_stop_ends_texts_for_the_whole_household(say, sam, robin):
    say("STOP")
    assert (why_off(sam), why_off(robin)) == ("stopped", "stopped")


def test_stop_holds_for_a_number_that_was_never_confirmed(say, patient):
    patient.put("/v1/me/phone", json={"number": NUMBER})
    say("STOP")
    assert why_off(patient) == "stopped"


def test_nothing_may_be_sent_after_a_stop(say, sam):
    say("STOP")
    assert not texted(sam.id)


def test_start_takes_a_stop_back_by_the_words_consented_to(say, sam, owner_sql):
    say("STOP")
    assert answered(say("START")) == "You will get texts again. Reply STOP to end them."
    assert why_off(sam) is None
    asked = "SELECT text_id, given_by, end_reason FROM text_consents ORDER BY given_at, id"
    assert owner_sql(asked) == [("appointment-texts-1", "app", "stopped"), ("appointment-texts-1", "text", None)]


def test_after_a_start_a_stop_is_confirmed_anew(say, sam):
    for word in ("STOP", "START"):
        say(word)
    assert answered(say("STOP")).startswith("You will get no more texts")


def test_start_cannot_take_the_place_of_consent(say, patient, owner_sql):
    patient.put("/v1/me/phone", json={"number": NUMBER})
    assert answered(say("START")) == "To get texts, please open the app."
    assert why_off(patient) == "not_confirmed"


def test_start_does_not_bring_back_a_number_that_is_another_persons(say, sam):
    assert answered(say("Wrong number")) == "Sorry. You will get no more texts."
    assert answered(say("START")) == "To get texts, please open the app."
    assert why_off(sam) == "wrong_number" and number_of(sam.id).confirmed_at is None


def test_help_says_nothing_of_who_we_are(say, sam):
    assert answered(say("HELP")) == "Automated texts about appointments. Reply STOP to end. Emergency 911."


# Anything else


def test_other_words_are_not_read_and_say_where_help_is(say, sam):
    assert answered(say("I am running late")) == NOT_READ


def test_that_is_said_at_most_hourly(say, sam, travel):
    assert answered(say("hello")) == NOT_READ
    travel(AT + timedelta(minutes=59))
    assert answered(say("are you there")) is None
    travel(AT + timedelta(minutes=61))
    assert answered(say("hello?")) == NOT_READ


def test_the_hour_is_each_numbers_own(say, sam):
    say("hello")
    assert answered(say("hello", number="+12125550177")).startswith(NOT_READ)


def test_a_stranger_is_answered_in_both_languages(say):
    assert answered(say("hello")) == f"{NOT_READ} / No se lee. Emergencia 911, crisis 988."


def test_the_answer_is_in_the_patients_language(say, sam):
    speak_spanish(sam)
    assert answered(say("hello")) == "No se lee. Emergencia 911, crisis 988."


def test_an_answer_is_written_in_the_alphabet_of_texts(say, sam):
    speak_spanish(sam)
    assert answered(say("STOP")) == "No recibira mas mensajes. Responda START para recibirlos otra vez."


def test_a_word_of_crisis_raises_an_alert_and_is_always_answered(say, sam, owner_sql):
    assert answered(say("I want to die")) == NOT_READ == answered(say("I want to die"))
    ((alert_id,),) = owner_sql("SELECT id FROM alerts WHERE patient_id = %s AND status = 'open'", sam.id)
    hits = owner_sql("SELECT instrument, item, answer, circumstances FROM alert_hits WHERE alert_id = %s", alert_id)
    assert set(map(str, hits)) == {str(("text", "words", "crisis", []))}


def test_staff_read_of_the_alert_what_they_need(say, sam, clinic):
    say("I want to die")
    ((alert),) = clinic.get("/v1/clinic/alerts").json["items"]
    assert alert["patient_external_id"] == sam.external_id
    assert alert["hits"][0]["instrument"] == "text" and "die" not in str(alert)


def test_in_a_household_the_alert_says_that_the_number_is_shared(say, sam, robin, owner_sql):
    say("suicide")
    hits = owner_sql("SELECT patient_id, circumstances FROM alert_hits ORDER BY patient_id")
    assert hits == sorted([(sam.id, ["shared_number"]), (robin.id, ["shared_number"])])


def test_a_word_of_crisis_from_a_number_nobody_confirmed_accuses_nobody(say, patient, owner_sql):
    patient.put("/v1/me/phone", json={"number": NUMBER})
    assert answered(say("I want to die")) == NOT_READ
    assert owner_sql("SELECT count(*) FROM alerts") == [(0,)]


def test_a_stop_with_a_word_of_crisis_is_both(say, sam, owner_sql):
    say("Stop texting me I want to die")
    assert why_off(sam) == "stopped" and owner_sql("SELECT count(*) FROM alerts") == [(1,)]


def test_the_one_confirmation_of_a_stop_with_a_word_of_crisis_says_where_help_is(say, sam, owner_sql):
    confirmation = "You will get no more texts. Crisis 988, emergency 911. Reply START to undo."
    assert answered(say("STOP I want to die")) == confirmation
    assert why_off(sam) == "stopped" and owner_sql("SELECT count(*) FROM alerts") == [(1,)]
    assert answered(say("STOP")) is None


def test_it_says_so_in_the_patients_language(say, sam):
    speak_spanish(sam)
    confirmation = "No recibira mas mensajes. Crisis 988, emergencia 911. START para recibirlos."
    assert answered(say("ALTO, quiero morirme")) == confirmation


def test_once_a_stop_was_confirmed_a_word_of_crisis_is_told_where_help_is_and_no_more(say, sam):
    say("STOP")
    assert answered(say("STOP I want to die")) == NOT_READ


def agree_again(patient):
    agreed = {"text_id": "appointment-texts-1", "language": "en"}
    assert patient.post("/v1/me/phone/consent", key="", json=agreed).json["is_on"]


@pytest.mark.parametrize(
    ("body", "confirmation"),
    [
        ("STOP", "You will get no more texts. Reply START to get them again."),
        ("STOP I want to die", "You will get no more texts. Crisis 988, emergency 911. Reply START to undo."),
    ],
)
def test_after_texts_were_agreed_to_again_in_the_app_a_stop_is_confirmed_anew(say, sam, travel, body, confirmation):
    say("STOP")
    travel(AT + timedelta(minutes=10))
    agree_again(sam)
    travel(AT + timedelta(minutes=20))
    assert answered(say(body)) == confirmation
    assert why_off(sam) == "stopped"
    assert answered(say("STOP")) is None


def test_in_a_household_a_stop_is_confirmed_anew_once_any_of_them_agreed_again(say, sam, robin, travel):
    say("STOP")
    travel(AT + timedelta(minutes=10))
    agree_again(robin)
    travel(AT + timedelta(minutes=20))
    assert answered(say("STOP")).startswith("You will get no more texts")


def test_a_wrong_number_with_a_word_of_crisis_is_told_where_help_is(say, sam):
    assert answered(say("Wrong number, I am not safe")) == wording.SENTENCES["wrong_number_crisis"]["en"]


# What is kept


def test_neither_words_nor_the_number_are_kept(say, sam, owner_sql, capfdbinary):
    say("a secret about my aunt Quentina")
    ((kept,),) = owner_sql("SELECT to_jsonb(t)::text FROM inbound_texts t")
    assert "Quentina" not in kept and NUMBER not in kept
    log = capfdbinary.readouterr().out
    assert b"Quentina" not in log and NUMBER.encode() not in log


def test_a_text_that_comes_again_is_one_text_with_one_answer(say, sam, owner_sql):
    assert answered(say("hello", sid="SM1")) == NOT_READ == answered(say("hello", sid="SM1"))
    assert owner_sql("SELECT sid, kind, answer FROM inbound_texts") == [("SM1", "other", "not_read")]


def test_a_stop_that_comes_again_after_a_start_stops_nothing(say, sam):
    say("STOP", sid="SM1")
    say("START")
    say("STOP", sid="SM1")
    assert why_off(sam) is None


def test_a_stop_leaves_a_trail(say, sam, owner_sql):
    say("STOP")
    acts = owner_sql("SELECT operation, caller_kind FROM audit_events WHERE patient_id = %s", sam.id)
    assert ("receiveText", "patient") in acts


@pytest.mark.parametrize("form", [{"From": NUMBER}, {"MessageSid": "S" * 65, "From": NUMBER}, {"MessageSid": "SM1"}])
def test_a_form_without_what_it_needs_is_malformed(visitor, form):
    assert visitor.request("POST", SMS, data=form, headers=signed(SMS, form)).status_code == 400


def test_old_texts_are_forgotten(say, sam, owner_sql):
    say("hello")
    with db.transaction(db.WORKER):
        inbound.forget_old(at=AT + timedelta(days=31))
    assert owner_sql("SELECT count(*) FROM inbound_texts") == [(0,)]


# What became of ours


@pytest.fixture
def report(visitor):
    def reported(status, **told):
        form = {"MessageSid": "SM7", "MessageStatus": status, "To": NUMBER, **told}
        return visitor.request("POST", STATUS, data=form, headers=signed(STATUS, form))

    return reported


@pytest.mark.parametrize("code", ["30005", "30006"])
def test_a_number_that_is_gone_or_reassigned_gets_no_more(report, sam, robin, code):
    assert report("undelivered", ErrorCode=code).status_code == 204
    assert (why_off(sam), why_off(robin)) == ("undeliverable", "undeliverable")


def test_an_opt_out_at_the_provider_is_a_stop(report, sam):
    report("failed", ErrorCode="21610")
    assert why_off(sam) == "stopped"


@pytest.mark.parametrize(("status", "code"), [("undelivered", "30003"), ("undelivered", "30007"), ("delivered", "")])
def test_what_may_pass_leaves_the_number_alone(report, sam, status, code):
    report(status, **({"ErrorCode": code} if code else {}))
    assert why_off(sam) is None


def test_the_same_report_again_changes_nothing(report, sam):
    for _ in range(2):
        assert report("undelivered", ErrorCode="30005").status_code == 204


def test_a_number_that_is_nobodys_is_no_matter(report):
    assert report("undelivered", ErrorCode="30005", To="+442071838750").status_code == 204


def test_whoever_keeps_deliveries_hears_the_report(report, monkeypatch):
    heard = []
    monkeypatch.setitem(events._handlers, DeliveryReported, [heard.append])
    report("undelivered", ErrorCode="30003")
    report("delivered", ErrorCode="words")
    told = [(one.provider, one.provider_id, one.status, one.reason) for one in heard]
    assert told == [("sms", "SM7", "failed", "30003"), ("sms", "SM7", "delivered", "")]

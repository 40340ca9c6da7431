"""Whoever holds the address in a mail may end mail, without signing in; looking at it changes nothing."""

import pytest

from api import db, events
from api.messages import mail_addresses
from api.messages.events import MessagesStarted, MessagesStopped
from tests.messages.contacts import AT, as_patient, digits, recorded, send_code

__all__ = ["recorded"]
EMAIL, CONFIRMATION, ADDRESS = "/v1/me/email", "/v1/me/email/confirmation", "sam@example.com"


def on(patient_id):
    with db.transaction(db.WORKER):
        return mail_addresses.addresses_of([patient_id]).get(patient_id, [])


@pytest.fixture
def sam(patient, owner_sql):
    patient.put(EMAIL, json={"address": ADDRESS})
    patient.post(CONFIRMATION, json={"code": digits(owner_sql, patient.id, "email")})
    return patient


def path(patient):
    ((address),) = on(patient.id)
    return f"/unsubscribe/{address.details['unsubscribe']}"


def test_mail_is_on_once_the_address_has_answered(patient, owner_sql, recorded):
    assert patient.get(EMAIL).json == {"is_on": False, "why_off": "not_set"}
    assert patient.put(EMAIL, json={"address": ADDRESS}).json["why_off"] == "not_confirmed" and not on(patient.id)
    send_code(owner_sql, patient.id, "email")
    ((message, address),) = recorded.said
    assert (address.target, address.details) == (ADDRESS, {})
    code = message.text.removeprefix("Your code is ")[:6]
    assert "why_off" not in patient.post(CONFIRMATION, json={"code": code}).json
    assert [one.target for one in on(patient.id)] == [ADDRESS]


@pytest.mark.parametrize(
    "address",
    [
        *("sam", "sam@", "@example.com", "sam@example", "a b@example.com", "sam@example.com\r\nBcc: x@example.com"),
        *("sam@example.com,robin@example.com", '"sam"@example.com', "sam..o@example.com", ".sam@example.com"),
        *("sam@-example-.c", "é@example.com", "x" * 65 + "@example.com"),
    ],
)
def test_what_is_no_single_address_is_refused(patient, address):
    refused = patient.put(EMAIL, json={"address": address})
    assert refused.status_code == 422 and refused.json["errors"][0]["pointer"] == "/address"


def test_looking_changes_nothing(sam, visitor):
    page = visitor.get(path(sam))
    assert page.status_code == 200 and "Do you want to get no more e-mails?" in page.text
    assert on(sam.id)


def test_the_button_and_the_mail_programs_request_end_mail(sam, visitor):
    ended = visitor.request("POST", path(sam), data={"List-Unsubscribe": "One-Click"})
    assert ended.status_code == 200 and "You will get no more e-mails." in ended.text
    assert sam.get(EMAIL).json["why_off"] == "stopped" and not on(sam.id)


def test_ending_twice_is_ending_once(sam, visitor):
    where = path(sam)
    with events.recorded() as heard:
        for _ in range(2):
            assert visitor.request("POST", where).status_code == 200
    assert [one for one in heard if isinstance(one, MessagesStopped)]
    assert sum(isinstance(one, MessagesStopped) for one in heard) == 1


@pytest.mark.parametrize("secret", ["nobodys", "A" * 43, "é", "A" * 500, "%00"])
def test_nobodys_secret_is_answered_alike_and_ends_nothing(sam, visitor, secret):
    theirs = visitor.request("POST", path(sam))
    nobodys = visitor.request("POST", f"/unsubscribe/{secret}")
    assert (nobodys.status_code, nobodys.text) == (theirs.status_code, theirs.text)


def test_the_page_speaks_spanish_and_runs_no_script(sam, visitor):
    page = visitor.get(path(sam), headers={"Accept-Language": "es"})
    assert "¿Desea no recibir más correos?" in page.text and page.headers["Content-Language"] == "es"
    assert "script-src" not in page.headers["Content-Security-Policy"] and "default-src 'none'" in str(page.headers)
    assert page.headers["X-Robots-Tag"] == "noindex" and page.headers["Referrer-Policy"] == "no-referrer"


def test_one_secret_ends_one_patients_mail(sam, other_patient, owner_sql, visitor):
    other_patient.put(EMAIL, json={"address": ADDRESS})
    other_patient.post(CONFIRMATION, json={"code": digits(owner_sql, other_patient.id, "email")})
    visitor.request("POST", path(sam))
    assert not on(sam.id) and on(other_patient.id)


def test_the_secret_is_not_in_the_database(sam, owner_sql):
    ((kept,),) = owner_sql("SELECT to_jsonb(m)::text FROM mail_addresses m")
    assert path(sam).rsplit("/", 1)[1] not in kept


def test_an_end_leaves_a_trail(sam, visitor, owner_sql):
    visitor.request("POST", path(sam))
    acts = owner_sql("SELECT operation FROM audit_events WHERE patient_id = %s", sam.id)
    assert ("unsubscribe",) in acts


def test_choosing_the_address_again_begins_anew(sam, visitor, owner_sql):
    before = path(sam)
    visitor.request("POST", before)
    assert sam.put(EMAIL, json={"address": ADDRESS}).json["why_off"] == "not_confirmed"
    sam.post(CONFIRMATION, json={"code": digits(owner_sql, sam.id, "email")})
    assert on(sam.id) and path(sam) != before


def test_an_address_where_nobody_is_gets_no_more(sam):
    ((address),) = on(sam.id)
    with db.transaction(db.WORKER):
        mail_addresses.forget_dead([address.id], at=AT)
    assert sam.get(EMAIL).json["why_off"] == "undeliverable"


def test_a_removed_address_is_gone(sam):
    assert sam.delete(EMAIL).status_code == 204 == sam.delete(EMAIL).status_code
    assert sam.get(EMAIL).json == {"is_on": False, "why_off": "not_set"}


def test_whoever_plans_hears_when_mail_goes_on(patient, owner_sql):
    with db.transaction(as_patient(patient.id)):
        mail_addresses.choose(patient_id=patient.id, address=ADDRESS, at=AT)
    with events.recorded() as heard, db.transaction(as_patient(patient.id)):
        mail_addresses.confirm(patient_id=patient.id, code=digits(owner_sql, patient.id, "email"), at=AT)
    assert MessagesStarted(patient.id, "email", AT) in heard


def test_the_record_system_does_not_take_the_place_of_the_patients_own(sam, clinic):
    where = f"/v1/clinic/patients/{sam.external_id}/email"
    assert clinic.put(where, json={"address": "other@example.com"}).status_code == 409
    assert clinic.delete(where).status_code == 204
    assert clinic.put(where, json={"address": "other@example.com"}).json["why_off"] == "not_confirmed"
    assert clinic.get(where).json["set_by"] == "clinic"

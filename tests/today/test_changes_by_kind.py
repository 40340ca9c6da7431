"""Consents, requests, notices, calendar feeds, and where texts and mail go, as the delta sync tells of them."""

from collections.abc import Callable
from typing import Any

import pytest

from schemas.changes import MyChangesAnswer
from tests.knocking import Knocker
from tests.messages.contacts import turned_on
from tests.privacy.signing import OF_TREATMENT, NewPartner, given, new_partner, sure
from tests.today.syncing import WHOLES, Phone, everything
from tests.world import freshly

__all__ = ["new_partner", "sure"]
FEEDS = "/v1/me/calendar-feeds"
# What a consent's own reading says by the clock, and besides.
BY_THE_CLOCK = {"state", "revocable_now", "text", "shared", "note"}


@pytest.fixture
def phone(patient: Knocker, travel: Callable[[str], Any]) -> Phone:
    """A phone that has read everything about a patient of whom there is little."""
    travel("2026-11-23T15:00:00+00:00")
    phone = Phone(patient)
    phone.sync()
    return phone


def told(phone: Phone, kind: str) -> list[dict[str, Any]]:
    """What is told anew of a kind: each change loads as it is promised."""
    items = phone.sync()
    assert MyChangesAnswer().load({"items": items})
    return [one.get(kind) for one in items if one["kind"] == kind]


def make_feed(patient: Knocker, name: str = "Mine") -> str:
    made = patient.post(FEEDS, json={"name": name})
    assert made.status_code == 201, made.json
    return str(made.json["id"])


def test_a_consent_is_told_as_it_is_read_but_for_what_the_clock_decides(
    phone: Phone, sure: Knocker, new_partner: NewPartner
) -> None:
    signed = given(sure, {**OF_TREATMENT, "recipient_id": new_partner()})
    (change,) = told(phone, "consent")
    assert change == {name: said for name, said in signed.items() if name not in BY_THE_CLOCK}


def test_a_consent_that_was_taken_back_is_told_with_when_and_how(
    phone: Phone, sure: Knocker, new_partner: NewPartner
) -> None:
    signed = given(sure, {**OF_TREATMENT, "recipient_id": new_partner()})
    phone.sync()
    sure.post(f"/v1/me/consents/{signed['id']}/revocation", key="")
    (change,) = told(phone, "consent")
    assert (change["id"], change["revoked_how"]) == (signed["id"], "app")
    assert change["revoked_at"]


def test_a_request_is_told_and_so_is_what_the_clinic_answers(phone: Phone, clinic: Knocker) -> None:
    asked = phone.patient.post("/v1/me/restriction-requests", json={"categories": ["presence"], "wish": 'Not "here".'})
    assert told(phone, "restriction_request") == [asked.json]
    clinic.post(f"/v1/clinic/restriction-requests/{asked.json['id']}/answer", key="", json={"agreed": True})
    assert told(phone, "restriction_request") == phone.patient.get("/v1/me/restriction-requests").json["items"]


def test_a_request_that_was_taken_back_is_told_with_when(phone: Phone) -> None:
    asked = phone.patient.post("/v1/me/restriction-requests", json={}).json["id"]
    phone.sync()
    taken_back = freshly(phone.patient).post(f"/v1/me/restriction-requests/{asked}/withdrawal", key="")
    assert taken_back.status_code == 200 and taken_back.json["withdrawn_at"]
    assert told(phone, "restriction_request") == [taken_back.json]


def test_a_notice_that_was_seen_is_told(phone: Phone) -> None:
    phone.patient.post("/v1/me/notice-acknowledgements", key="", json={"version": "notice-1"})
    seen = phone.patient.get("/v1/me/notice-acknowledgements").json["items"]
    assert told(phone, "notice_acknowledgement") == seen and len(seen) == 1


def test_a_number_is_told_as_it_is_read(phone: Phone, owner_sql: Callable[..., Any]) -> None:
    words = {"consent_text_id", "consent_language", "consent_text"}
    phone.patient.put("/v1/me/phone", json={"number": "212-555-0123"})
    for why_off in ("not_confirmed", None, "stopped"):
        if why_off is None:
            turned_on(owner_sql, phone.patient)
        if why_off == "stopped":
            owner_sql("UPDATE text_numbers SET consent_id = NULL, confirmed_at = NULL, off_reason = 'stopped'")
        _raise(phone)
        read = phone.patient.get("/v1/me/phone").json
        assert read.get("why_off") == why_off
        assert told(phone, "phone") == [{name: said for name, said in read.items() if name not in words}]


def test_a_mail_address_is_told_as_it_is_read(phone: Phone) -> None:
    phone.patient.put("/v1/me/email", json={"address": "sam@example.com"})
    assert told(phone, "email") == [phone.patient.get("/v1/me/email").json]


@pytest.mark.parametrize(
    ("kind", "path", "body"),
    [("phone", "/v1/me/phone", {"number": "212-555-0123"}), ("email", "/v1/me/email", {"address": "sam@example.com"})],
)
def test_where_nothing_goes_any_more_is_told_as_gone(phone: Phone, kind: str, path: str, body: dict[str, str]) -> None:
    phone.patient.put(path, json=body)
    phone.sync()
    assert (kind, str(phone.patient.id)) in phone.kept
    phone.patient.delete(path)
    assert [one["deleted"] for one in phone.sync() if one["kind"] == kind] == [True]
    assert (kind, str(phone.patient.id)) not in phone.kept


def test_calendar_feeds_are_told_without_their_addresses(phone: Phone) -> None:
    make_feed(phone.patient, "First"), make_feed(phone.patient, "Second")
    listed = phone.patient.get(FEEDS).json
    assert told(phone, "calendar_feeds") == [listed]
    assert {frozenset(one) for one in listed["items"]} == {frozenset(("id", "name", "titles", "created_at"))}


def test_a_calendar_feed_that_was_taken_back_is_told_no_more_and_the_last_one_as_gone(phone: Phone) -> None:
    first, second = make_feed(phone.patient), make_feed(phone.patient)
    phone.sync()
    phone.patient.delete(f"{FEEDS}/{first}")
    ((left,),) = [change["items"] for change in told(phone, "calendar_feeds")]
    assert left["id"] == second
    phone.patient.delete(f"{FEEDS}/{second}")
    assert told(phone, "calendar_feeds") == [None]


def test_what_is_told_whole_comes_with_every_change_and_with_nothing_new_not_at_all(phone: Phone) -> None:
    make_feed(phone.patient)
    phone.sync()
    assert phone.sync() == []
    phone.patient.post("/v1/me/restriction-requests", json={})
    assert {one["kind"] for one in phone.sync()} > WHOLES


@pytest.mark.parametrize("size", [1, 2, 100])
def test_what_is_told_whole_closes_a_walk_once(phone: Phone, size: int) -> None:
    make_feed(phone.patient)
    phone.patient.put("/v1/me/phone", json={"number": "212-555-0123"})
    slow = Phone(phone.patient, size=size)
    items = slow.sync()
    assert [one["kind"] for one in items] == ["profile", "phone", "calendar_feeds"]
    assert slow.kept == everything(phone.patient)


def test_nothing_of_this_is_told_to_somebody_else(phone: Phone, other_patient: Knocker) -> None:
    make_feed(phone.patient)
    phone.patient.put("/v1/me/phone", json={"number": "212-555-0123"})
    phone.patient.post("/v1/me/restriction-requests", json={})
    assert {kind for kind, _ in everything(other_patient)} == {"profile"}


def _raise(phone: Phone) -> None:
    """Something else changes."""
    assert phone.patient.post("/v1/me/restriction-requests", json={}).status_code == 201

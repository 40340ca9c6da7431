"""What has changed since a phone last looked."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from api import clock
from api.reminders import worker
from api.today import changes
from schemas.changes import MyChangesAnswer
from tests.acts import change, place, schedule
from tests.conftest import sign_in
from tests.knocking import Knocker
from tests.today.syncing import CHANGES, WHOLES, Phone, everything

MONDAY = "2026-11-23T15:00:00+00:00"  # ten in the morning in New York
Travel = Callable[[Any], datetime]


@pytest.fixture
def phone(clinic: Knocker, patient: Knocker, travel: Travel) -> Phone:
    """A phone that has read everything about a patient in a group."""
    travel(MONDAY)
    place(clinic, patient)
    schedule(clinic, patient)
    phone = Phone(patient)
    phone.sync()
    return phone


def kinds(told: list[dict[str, Any]]) -> set[str]:
    """Of what changed."""
    return {one["kind"] for one in told} - WHOLES


def agree(told: dict[str, Any], read: dict[str, Any]) -> bool:
    """Whether two ways of telling of one thing say the same where both say something."""
    both = told.keys() & read.keys()
    return len(both) > 4 and all(told[name] == read[name] for name in both)


def decline(patient: Knocker, session: dict[str, Any]) -> None:
    body = {"reply": "not_attending", "starts_at": session["starts_at"]}
    assert patient.put(f"/v1/me/sessions/{session['id']}/reply", json=body).status_code == 200


def check_in(patient: Knocker, at: datetime) -> str:
    client_id, now = str(uuid.uuid4()), at.isoformat()
    answers = [{"item": "safe_now", "choice": "yes"}, {"item": "mood", "number": 6}]
    body = {"id": client_id, "instrument": "daily", "instrument_version": "1", "answers": answers}
    sent = patient.post("/v1/me/check-ins", json={**body, "occurred_at": now, "sent_at": now})
    assert sent.status_code == 201, sent.json
    return client_id


def test_the_first_reading_tells_of_everything_there_is(phone: Phone) -> None:
    assert {kind for kind, _ in phone.kept} == {"session", "enrollment", "reminder", "profile"}
    answer = phone.page().json
    assert MyChangesAnswer().load(answer)


def test_sessions_are_told_as_their_listing_tells_them(phone: Phone) -> None:
    listed = phone.patient.get("/v1/me/sessions").json["items"]
    assert [phone.kept["session", one["id"]] for one in listed] == listed


def test_reminders_are_told_as_the_ledger_tells_them(phone: Phone) -> None:
    ledger = phone.patient.get("/v1/me/reminders?from=2026-11-22T15:00:00Z&to=2027-01-01T00:00:00Z&page_size=100").json
    told = {one["id"]: one for one in ledger["items"]}
    mine = [one for (kind, _), one in phone.kept.items() if kind == "reminder"]
    assert len(mine) == len(told) > 12
    assert all(agree(one, told[one["id"]]) for one in mine)


def test_what_became_of_a_reminder_is_told(phone: Phone, travel: Travel) -> None:
    travel("2026-11-23T21:30:00+00:00")
    while worker.run():
        pass
    told = [one["reminder"] for one in phone.sync() if one["kind"] == "reminder"]
    ended = {one["id"] for one in told if one["state"] in ("sent", "not_sent")}
    ledger = phone.patient.get("/v1/me/reminders?page_size=100").json["items"]
    assert ended == {one["id"] for one in ledger if one["state"] in ("sent", "not_sent")}
    assert ended


def test_nothing_new_is_an_empty_page_and_the_same_token(phone: Phone) -> None:
    before = phone.since
    assert phone.sync() == []
    assert phone.since == before


def test_a_phone_that_polls_is_sent_nothing_until_something_changes(phone: Phone) -> None:
    address = f"{CHANGES}?since={phone.since}"
    tag = phone.patient.get(address).headers["ETag"]
    known = phone.patient.get(address, headers={"If-None-Match": tag})
    assert (known.status_code, known.data) == (304, b"")
    decline(phone.patient, next(one for (kind, _), one in phone.kept.items() if kind == "session"))
    assert phone.patient.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_changes_that_are_known_are_not_sent_again(phone: Phone) -> None:
    decline(phone.patient, phone.patient.get("/v1/me/sessions").json["items"][0])
    address = f"{CHANGES}?since={phone.since}"
    tag = phone.patient.get(address).headers["ETag"]
    assert phone.patient.get(address, headers={"If-None-Match": tag}).status_code == 304


def test_a_reply_is_told_with_the_reminders_that_it_holds_back(phone: Phone) -> None:
    session = phone.patient.get("/v1/me/sessions").json["items"][0]
    decline(phone.patient, session)
    told = phone.sync()
    assert kinds(told) == {"session", "reminder"}
    assert phone.kept["session", session["id"]]["reply"]["reply"] == "not_attending"
    held = [one["reminder"] for one in told if one["kind"] == "reminder"]
    assert {one["state"] for one in held if one.get("session_id") == session["id"]} == {"held"}
    assert "not_attending" in {one["reason"] for one in held}


@pytest.mark.parametrize("changed", [{"title": "Other group"}, {"starts_at": "2026-11-25T21:00:00Z"}])
def test_a_session_that_the_clinic_changes_is_told(clinic: Knocker, phone: Phone, changed: dict[str, str]) -> None:
    session = phone.patient.get("/v1/me/sessions").json["items"][1]
    change(clinic, session["id"], **changed)
    phone.sync()
    assert phone.kept["session", session["id"]].items() >= changed.items()


def test_places_that_are_gone_are_told_as_gone(clinic: Knocker, phone: Phone) -> None:
    series = clinic.get("/v1/clinic/session-series").json["items"][0]["id"]
    sessions = {row for kind, row in phone.kept if kind == "session"}
    clinic.delete(f"/v1/clinic/session-series/{series}/members/{phone.patient.id}")
    told = phone.sync()
    gone = [one for one in told if one["deleted"] and one["kind"] not in WHOLES]
    assert {one["id"] for one in gone} == sessions
    assert all("session" not in one for one in gone)
    assert everything(phone.patient) == {
        key: one for key, one in phone.kept.items() if key[0] != "reminder" or one["due_at"] >= "2026-11-22T15"
    }


def test_a_stay_that_was_entered_in_error_is_told_as_gone(clinic: Knocker, phone: Phone) -> None:
    stay = phone.patient.get("/v1/me/enrollment").json["id"]
    corrected = clinic.post(
        f"/v1/clinic/enrollments/{stay}/transitions", json={"kind": "correct", "reason": "entered_in_error"}
    )
    assert corrected.status_code == 200, corrected.json
    assert [one["deleted"] for one in phone.sync() if one["kind"] == "enrollment"] == [True]
    assert not [one for kind, one in everything(phone.patient) if kind == "enrollment"]


def test_a_step_tells_of_both_stays(clinic: Knocker, phone: Phone) -> None:
    stay = phone.patient.get("/v1/me/enrollment").json["id"]
    stepped = clinic.post(
        f"/v1/clinic/enrollments/{stay}/transitions", json={"kind": "step_down", "reason": "completed", "program": "op"}
    )
    assert stepped.status_code == 200, stepped.json
    phone.sync()
    stays = {row: one for (kind, row), one in phone.kept.items() if kind == "enrollment"}
    assert stays[stay]["status"] == "ended"
    assert [(one["program"], one["stepped_from"]) for one in stays.values() if one["id"] != stay] == [("op", stay)]


def test_a_check_in_is_told_without_its_answers(phone: Phone) -> None:
    sent = check_in(phone.patient, clock.now())
    phone.sync()
    told = phone.kept["check_in", sent]
    assert (told["instrument"], told["complete"]) == ("daily", True)
    assert "answers" not in told and "total" not in told


def test_choices_are_told(phone: Phone) -> None:
    tag = phone.patient.get("/v1/me/preferences").headers["ETag"]
    phone.patient.put(
        "/v1/me/preferences", json={"time_zone": "America/Chicago", "discreet_label": 'A "b"'}, if_match=tag
    )
    phone.patient.put("/v1/me/reminder-preferences", json={"quiet_from": "20:00"}, if_match='"0"')
    phone.sync()
    mine = str(phone.patient.id)
    assert phone.kept["profile", mine] == {
        "id": mine,
        "preferred_name": "Sam",
        "time_zone": "America/Chicago",
        "discreet_label": 'A "b"',
    }
    read = phone.patient.get("/v1/me/reminder-preferences").json
    assert agree(phone.kept["reminder_preferences", mine], read)
    assert read["quiet_from"] == "20:00"


@pytest.mark.parametrize("size", [1, 7, 100])
def test_pages_hold_everything_once_in_the_order_of_their_versions(phone: Phone, size: int) -> None:
    slow = Phone(phone.patient, size=size)
    told = slow.sync()
    assert len(told) == len({(one["kind"], one["id"]) for one in told})
    assert slow.kept == phone.kept
    assert slow.versions == sorted(slow.versions)


def test_what_changes_during_a_walk_comes_with_the_next_one(clinic: Knocker, phone: Phone) -> None:
    slow = Phone(phone.patient, size=3)
    first = slow.page().json
    slow.keep(first["items"])
    session = phone.patient.get("/v1/me/sessions").json["items"][0]
    decline(phone.patient, session)
    token = first["next_page_token"]
    while token:
        page = slow.page(token).json
        slow.keep(page["items"])
        token = page.get("next_page_token")
    assert max(slow.versions) <= max(phone.versions)
    slow.since = page["next_since"]
    slow.sync()
    phone.sync()
    assert slow.kept == phone.kept


def test_tokens_are_the_patients_own(phone: Phone, other_patient: Knocker) -> None:
    page = Phone(phone.patient, size=3).page().json["next_page_token"]
    for stolen in (f"since={phone.since}", f"page_token={page}", "since=nonsense", f"since={page}"):
        assert other_patient.get(f"{CHANGES}?{stolen}").json["type"].endswith("/problems/invalid-cursor")


def test_a_page_belongs_to_what_it_was_begun_with(phone: Phone) -> None:
    page = Phone(phone.patient, size=3).page().json["next_page_token"]
    assert phone.page(page).status_code == 400
    assert phone.patient.get(f"{CHANGES}?since={page}").status_code == 400
    assert phone.patient.get(f"{CHANGES}?page_token={phone.since}").status_code == 400


def test_who_was_away_for_long_starts_afresh(phone: Phone, travel: Travel) -> None:
    at = clock.now()
    travel(at + changes.KEPT)
    assert phone.page().status_code == 200
    travel(at + changes.KEPT + timedelta(seconds=1))
    gone = phone.page()
    assert (gone.status_code, gone.json["retry"]) == (410, "after_refresh")
    assert gone.json["type"].endswith("/problems/start-afresh")


def test_a_token_that_is_used_does_not_grow_old(phone: Phone, travel: Travel) -> None:
    at = clock.now()
    for _ in range(5):
        tag = phone.page().headers["ETag"]
        at = travel(at + timedelta(days=30))
        address = f"{CHANGES}?since={phone.since}&page_size=100"
        assert phone.patient.get(address, headers={"If-None-Match": tag}).status_code == 200
        assert phone.sync() == []


def test_a_record_that_was_suspended_is_read_afresh(clinic: Knocker, phone: Phone) -> None:
    within = Phone(phone.patient, size=3).page().json["next_page_token"]
    for status in ("suspended", "active"):
        clinic.put(f"/v1/clinic/patients/{phone.patient.external_id}/status", json={"status": status})
    again = sign_in(phone.patient.app, phone.patient.id)  # type: ignore[arg-type]
    assert again.get(f"{CHANGES}?since={phone.since}").status_code == 410
    assert again.get(f"{CHANGES}?page_token={within}&page_size=3").status_code == 410
    anew = Phone(again)
    anew.sync()
    assert anew.sync() == []


def test_what_a_restored_database_does_not_know_is_read_afresh(phone: Phone, owner_sql: Callable[..., Any]) -> None:
    owner_sql("UPDATE patient_versions SET version = version - 1 WHERE patient_id = %s", phone.patient.id)
    assert phone.page().status_code == 410


def test_another_language_is_read_afresh(phone: Phone) -> None:
    address = f"{CHANGES}?since={phone.since}"
    assert phone.patient.get(address, headers={"Accept-Language": "es"}).status_code == 410
    tag = phone.patient.get("/v1/me/preferences").headers["ETag"]
    phone.patient.put("/v1/me/preferences", json={"language": "es"}, if_match=tag)
    assert phone.page().status_code == 410
    spanish = Phone(phone.patient)
    assert spanish.page().headers["Content-Language"] == "es"
    spanish.sync()
    assert spanish.sync() == []


def test_nothing_of_another_patient_is_told(clinic: Knocker, phone: Phone, other_patient: Knocker) -> None:
    assert {kind for kind, _ in everything(other_patient)} == {"profile"}


def test_what_is_long_past_is_not_read_at_first_but_told_when_it_changes(
    clinic: Knocker, phone: Phone, travel: Travel
) -> None:
    session = phone.patient.get("/v1/me/sessions").json["items"][0]
    travel("2026-12-24T00:00:00+00:00")
    assert ("session", session["id"]) not in everything(phone.patient)
    marked = clinic.put(f"/v1/clinic/sessions/{session['id']}/attendance/{phone.patient.id}", json={"mark": "present"})
    assert marked.status_code == 200, marked.json
    phone.sync()
    assert phone.kept["session", session["id"]]["attendance"]["mark"] == "present"

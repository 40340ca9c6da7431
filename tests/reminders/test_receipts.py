"""What the app tells of a reminder reaches the ledger: the first of each event, corrected by our clock."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from api import clock, db
from schemas.receipts import ReceiptAnswer
from tests.knocking import Knocker

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def reminder_id(patient: Knocker, enroll: Callable[..., Any], book: Callable[..., Any]) -> str:
    enroll(patient.id)
    book([patient.id], "2026-06-10T18:00")
    return str(ledger(patient)[0]["id"])


def ledger(patient: Knocker) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = patient.get("/v1/me/reminders").get_json()["items"]
    return items


def tell(patient: Knocker, reminder_id: str, event: str = "opened", **more: Any) -> TestResponse:
    body = {"id": str(db.uuid7()), "event": event, "occurred_at": clock.now().isoformat(), **more}
    return patient.post(f"/v1/me/reminders/{reminder_id}/receipts", json=body, key="")


def told(patient: Knocker, reminder_id: str, event: str = "opened", **more: Any) -> dict[str, Any]:
    answer = tell(patient, reminder_id, event, **more)
    assert answer.status_code == 201, answer.text
    said: dict[str, Any] = answer.get_json()
    assert ReceiptAnswer().validate(said) == {}
    return said


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def test_the_ledger_tells_when_it_was_delivered_opened_and_dismissed(patient: Knocker, reminder_id: str) -> None:
    receipts = {event: told(patient, reminder_id, event) for event in ("delivered", "opened", "dismissed")}
    entry = ledger(patient)[0]
    for event, receipt in receipts.items():
        assert entry[f"{event}_at"] == receipt["occurred_at"]
    assert not {"delivered_at", "opened_at", "dismissed_at"} & set(ledger(patient)[1])


def test_what_was_opened_had_been_delivered(patient: Knocker, reminder_id: str) -> None:
    receipt = told(patient, reminder_id, "opened")
    assert ledger(patient)[0]["delivered_at"] == receipt["occurred_at"]


def test_the_first_of_each_event_stands(patient: Knocker, reminder_id: str) -> None:
    first = told(patient, reminder_id)
    assert told(patient, reminder_id, occurred_at="2026-06-09T20:00:00Z") == first
    assert ledger(patient)[0]["opened_at"] == first["occurred_at"]


def test_sent_again_it_is_the_same_receipt(patient: Knocker, reminder_id: str) -> None:
    receipt_id = str(db.uuid7())
    first, again = (told(patient, reminder_id, id=receipt_id) for _ in range(2))
    assert first == again


def test_an_id_stands_for_what_it_was_sent_with_first(patient: Knocker, reminder_id: str) -> None:
    receipt_id = str(db.uuid7())
    told(patient, reminder_id, "delivered", id=receipt_id)
    answer = tell(patient, reminder_id, "opened", id=receipt_id)
    assert (answer.status_code, answer.get_json()["type"].rpartition("/")[2]) == (409, "receipt-id-taken")


def test_told_by_many_at_once_it_is_one(patient: Knocker, reminder_id: str, owner_sql: Sql) -> None:
    answers: list[TestResponse] = []
    threads = [threading.Thread(target=lambda: answers.append(tell(patient, reminder_id))) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert {one.status_code for one in answers} == {201}
    assert len({one.get_json()["id"] for one in answers}) == 1
    assert owner_sql("SELECT count(*) FROM reminder_receipts") == [(1,)]


def test_a_phone_whose_clock_is_wrong_is_corrected(patient: Knocker, reminder_id: str) -> None:
    wrong = clock.now() + timedelta(days=400)
    said = told(
        patient,
        reminder_id,
        occurred_at=wrong.isoformat(),
        sent_at=(wrong + timedelta(minutes=5)).isoformat(),
    )
    assert at(said["received_at"]) - at(said["occurred_at"]) == timedelta(minutes=5)


def test_nothing_happens_after_it_was_received(patient: Knocker, reminder_id: str) -> None:
    said = told(patient, reminder_id, occurred_at=(clock.now() + timedelta(days=1)).isoformat())
    assert said["occurred_at"] == said["received_at"]


def test_someone_elses_reminder_is_not_there(patient: Knocker, other_patient: Knocker, reminder_id: str) -> None:
    assert tell(other_patient, reminder_id).status_code == 404
    assert tell(other_patient, str(db.uuid7())).status_code == 404


def test_two_patients_phones_may_make_the_same_id(
    patient: Knocker, other_patient: Knocker, reminder_id: str, enroll: Callable[..., Any], book: Callable[..., Any]
) -> None:
    enroll(other_patient.id)
    book([other_patient.id], "2026-06-10T18:00")
    receipt_id = str(db.uuid7())
    told(patient, reminder_id, id=receipt_id)
    assert told(other_patient, str(ledger(other_patient)[0]["id"]), id=receipt_id)["id"] == receipt_id


def test_a_new_receipt_raises_the_version_and_a_known_one_does_not(
    patient: Knocker, reminder_id: str, owner_sql: Sql
) -> None:
    versions = []
    for _ in range(2):
        told(patient, reminder_id)
        versions.append(owner_sql("SELECT version FROM patient_versions WHERE patient_id = %s", patient.id))
    assert versions[0] == versions[1]
    entry = owner_sql("SELECT version FROM reminders WHERE id = %s", reminder_id)
    assert entry == owner_sql("SELECT version FROM reminder_receipts") == versions[0]


@pytest.mark.parametrize("body", [{"event": "ignored"}, {"occurred_at": "yesterday"}, {"id": "no id"}])
def test_what_is_no_receipt_is_refused(patient: Knocker, reminder_id: str, body: dict[str, str]) -> None:
    assert tell(patient, reminder_id, **body).status_code == 422

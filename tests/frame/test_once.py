"""POST once; and of two writers with the same reading, one wins and one learns it."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from api import db, idempotency
from tests.knocking import Knocker

PLACEMENT = {"program": "iop", "starts_at": "2026-11-16T14:00:00Z", "focus": ["substance_use"]}


def place(clinic: Knocker, patient: Knocker, *, key: str, **changed: Any) -> Any:
    path = f"/v1/clinic/patients/{patient.external_id}/enrollments"
    return clinic.post(path, json={**PLACEMENT, **changed}, key=key)


def at_once(times: int, act: Callable[[], Any]) -> list[Any]:
    answers: list[Any] = []
    together = threading.Barrier(times)

    def run() -> None:
        together.wait()
        answers.append(act())

    threads = [threading.Thread(target=run) for _ in range(times)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return answers


def test_without_a_key_nothing_is_made(clinic: Knocker, patient: Knocker) -> None:
    refused = place(clinic, patient, key="")
    assert (refused.status_code, refused.json["type"].rpartition("/")[2]) == (400, "idempotency-key-missing")


def test_what_was_done_just_before_the_claim_is_not_done_again(patient: Knocker) -> None:
    done = {"principal": patient.id, "key": "k", "fingerprint": b"f", "resource_id": None}
    with pytest.raises(idempotency.IdempotencyInProgress), db.transaction(db.SYSTEM):
        idempotency.keep(**done)
        idempotency.keep(**done)


@pytest.mark.parametrize("key", ["é", "a b", '"unclosed', "x" * 256, '""'])
def test_a_key_that_is_none_is_refused(clinic: Knocker, patient: Knocker, key: str) -> None:
    assert place(clinic, patient, key=key).status_code == 400


def test_the_same_request_again_gets_the_same_answer(clinic: Knocker, patient: Knocker) -> None:
    first, again = (place(clinic, patient, key="once-1") for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.json == again.json
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_quoted_key_and_a_bare_one_are_one_key(clinic: Knocker, patient: Knocker) -> None:
    assert place(clinic, patient, key='"once-2"').json == place(clinic, patient, key="once-2").json


def test_another_request_with_the_key_is_refused(clinic: Knocker, patient: Knocker) -> None:
    place(clinic, patient, key="once-3")
    refused = place(clinic, patient, key="once-3", program="op")
    assert (refused.status_code, refused.json["type"].rpartition("/")[2]) == (422, "idempotency-key-reused")


def test_a_refusal_leaves_no_record(clinic: Knocker, patient: Knocker) -> None:
    assert place(clinic, patient, key="once-4", program="php").status_code == 409
    assert place(clinic, patient, key="once-4").status_code == 201


def test_twenty_at_once_do_it_once(
    clinic: Knocker, patient: Knocker, owner_sql: Callable[..., list[tuple[Any, ...]]]
) -> None:
    answers = at_once(20, lambda: place(clinic, patient, key="once-5"))
    assert {answer.status_code for answer in answers} <= {201, 409}
    made = [answer.json for answer in answers if answer.status_code == 201]
    assert made
    assert all(one == made[0] for one in made)
    assert owner_sql("SELECT count(*) FROM enrollments") == [(1,)]
    refused = [answer.json["type"].rpartition("/")[2] for answer in answers if answer.status_code == 409]
    assert set(refused) <= {"idempotency-in-progress"}


def test_of_two_writers_with_one_reading_one_wins(patient: Knocker) -> None:
    for _ in range(5):
        tag = patient.get("/v1/me/preferences").headers["ETag"]
        answers = at_once(2, lambda tag=tag: patient.put("/v1/me/preferences", json={"language": "es"}, if_match=tag))
        assert sorted(answer.status_code for answer in answers) == [200, 412]


def test_records_are_kept_thirty_days(
    clinic: Knocker, patient: Knocker, as_worker: Callable[..., Any], owner_sql: Callable[..., Any]
) -> None:
    place(clinic, patient, key="once-6")
    for age, left in ((29, 1), (31, 0)):
        owner_sql("UPDATE idempotency_records SET created_at = now() - make_interval(days => %s)", age)
        with as_worker():
            idempotency.forget_old()
        assert owner_sql("SELECT count(*) FROM idempotency_records") == [(left,)]

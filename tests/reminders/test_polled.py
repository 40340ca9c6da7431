"""The ledger, asked again and again: nothing is sent until it would say something else."""

from datetime import timedelta

import pytest

from api import clock
from api.reminders import collapsing
from api.reminders import service as reminders

WEDNESDAY = "2026-06-10T18:00"
LEDGER = "/v1/me/reminders"
WINDOW = f"{LEDGER}?from=2026-06-08T00:00:00Z&to=2026-06-20T00:00:00Z"


@pytest.fixture
def group(patient, enroll, book):
    enroll(patient.id)
    return book([patient.id], WEDNESDAY)


def polled(patient, path, tag):
    return patient.get(path, headers={"If-None-Match": tag}).status_code


def test_what_is_known_is_neither_sent_nor_worded(patient, group, monkeypatch):
    tag = patient.get(LEDGER).headers["ETag"]
    monkeypatch.delattr(reminders, "listed")
    known = patient.get(LEDGER, headers={"If-None-Match": tag})
    assert (known.status_code, known.data) == (304, b"")


def test_what_the_worker_said_is_sent(patient, group, tick):
    tag = patient.get(WINDOW).headers["ETag"]
    assert polled(patient, WINDOW, tag) == 304
    tick("2026-06-09T18:00")
    assert polled(patient, WINDOW, tag) == 200


def test_a_reply_is_sent(patient, group):
    tag = patient.get(WINDOW).headers["ETag"]
    body = {"reply": "not_attending", "starts_at": "2026-06-10T22:00:00Z"}
    assert patient.put(f"/v1/me/sessions/{group}/reply", json=body).status_code == 200
    assert polled(patient, WINDOW, tag) == 200


def test_an_entry_that_leaves_the_usual_window_is_sent(patient, group, travel):
    travel("2026-06-10T21:59:59Z")
    tag = patient.get(LEDGER).headers["ETag"]
    travel("2026-06-10T22:00:00Z")
    assert polled(patient, LEDGER, tag) == 304
    travel("2026-06-10T22:00:01Z")
    assert polled(patient, LEDGER, tag) == 200


def test_an_entry_that_an_app_may_show_from_now_on_is_sent(patient, group, travel):
    at = travel("2026-06-09T22:00:00Z") - collapsing.LOCAL_AHEAD
    travel(at - timedelta(seconds=1))
    tag = patient.get(WINDOW).headers["ETag"]
    travel(at)
    assert polled(patient, WINDOW, tag) == 200
    assert clock.now() == at


def test_another_window_another_language_and_another_state_are_other_answers(patient, group):
    tag = patient.get(WINDOW).headers["ETag"]
    assert polled(patient, f"{WINDOW}&state=planned", tag) == 200
    assert polled(patient, f"{WINDOW}&page_size=1", tag) == 200
    assert patient.get(WINDOW, headers={"If-None-Match": tag, "Accept-Language": "es"}).status_code == 200

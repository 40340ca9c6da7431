""" "I am here": from 30 minutes before the start to the end, twice is once, and late as phones are."""

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.knocking import Knocker
from tests.sessions.conftest import Schedule, check_in, mine

Travel = Callable[[str], Any]
Sql = Callable[..., list[Any]]


@pytest.fixture
def session_id(schedule: Schedule, patient: Knocker) -> str:
    """Today's session: 14:00 to 17:00 UTC, check-in from 13:30."""
    schedule.begin(patient)
    return mine(patient)[0]["id"]


def told(answer: Any) -> dict[str, Any]:
    """Where in time the arrival lies."""
    return {name: answer.json["arrival"][name] for name in ("placement", "arrived_at")}


@pytest.mark.parametrize("now", ["2026-11-23T13:30:00Z", "2026-11-23T14:00:00Z", "2026-11-23T17:00:00Z"])
def test_one_can_check_in_from_half_an_hour_before_the_start_to_the_end(
    session_id: str, patient: Knocker, travel: Travel, now: str
) -> None:
    travel(now)
    answer = check_in(patient, session_id)
    assert answer.status_code == 200
    assert told(answer) == {"placement": "in_window", "arrived_at": now}
    assert "attendance" not in answer.json


def test_too_early_is_refused_and_says_when(session_id: str, patient: Knocker, travel: Travel) -> None:
    travel("2026-11-23T13:29:59Z")
    refused = check_in(patient, session_id)
    assert refused.status_code == 409
    assert refused.json["type"].endswith("/problems/not-open-for-check-in")
    assert refused.json["retry"] == "later"
    assert refused.json["current"]["check_in_opens_at"] == "2026-11-23T13:30:00Z"
    assert "arrival" not in mine(patient)[0]


def test_after_the_end_it_is_kept_as_outside_the_window(session_id: str, patient: Knocker, travel: Travel) -> None:
    travel("2026-11-23T17:00:01Z")
    answer = check_in(patient, session_id)
    assert answer.status_code == 200
    assert answer.json["arrival"]["placement"] == "outside_window"


def test_twice_is_once(session_id: str, patient: Knocker, travel: Travel, owner_sql: Sql) -> None:
    travel("2026-11-23T13:40:00Z")
    first = check_in(patient, session_id)
    travel("2026-11-23T14:10:00Z")
    assert check_in(patient, session_id).json == first.json
    assert owner_sql("SELECT count(*) FROM session_arrivals") == [(1,)]


def test_two_taps_at_once_are_one_fact(
    session_id: str, patient: Knocker, travel: Travel, owner_sql: Sql, heard: list[Any]
) -> None:
    travel("2026-11-23T13:40:00Z")
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: check_in(patient, session_id), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.data for answer in answers}) == 1
    assert owner_sql("SELECT count(*) FROM session_arrivals") == [(1,)]
    assert [type(fact).__name__ for fact in heard] == ["Arrived"]


def test_an_arrival_while_offline_counts_when_it_happened(session_id: str, patient: Knocker, travel: Travel) -> None:
    travel("2026-11-23T21:00:00Z")
    answer = check_in(patient, session_id, occurred_at="2026-11-23T13:52:00Z", sent_at="2026-11-23T21:00:00Z")
    assert told(answer) == {"placement": "in_window", "arrived_at": "2026-11-23T13:52:00Z"}


def test_a_wrong_clock_is_corrected_by_ours(session_id: str, patient: Knocker, travel: Travel) -> None:
    travel("2026-11-23T14:20:00Z")
    answer = check_in(patient, session_id, occurred_at="2026-11-22T02:00:00Z", sent_at="2026-11-22T02:25:00Z")
    assert told(answer) == {"placement": "in_window", "arrived_at": "2026-11-23T13:55:00Z"}


def test_nothing_happens_later_than_it_is_received(session_id: str, patient: Knocker, travel: Travel) -> None:
    travel("2026-11-23T14:20:00Z")
    answer = check_in(patient, session_id, occurred_at="2026-11-23T16:00:00Z", sent_at="2026-11-23T15:00:00Z")
    assert answer.json["arrival"]["arrived_at"] == "2026-11-23T14:20:00Z"


def test_an_early_arrival_sent_once_check_in_is_open_is_kept_and_is_no_attendance(
    session_id: str, patient: Knocker, travel: Travel, heard: list[Any]
) -> None:
    travel("2026-11-23T13:35:00Z")
    early = {"occurred_at": "2026-11-23T13:00:00Z", "sent_at": "2026-11-23T13:35:00Z"}
    answer = check_in(patient, session_id, **early)
    assert told(answer) == {"placement": "outside_window", "arrived_at": "2026-11-23T13:00:00Z"}
    assert heard == []


def test_an_early_arrival_is_still_refused_while_it_is_too_early_now(
    session_id: str, patient: Knocker, travel: Travel
) -> None:
    travel("2026-11-23T13:10:00Z")
    early = {"occurred_at": "2026-11-23T13:00:00Z", "sent_at": "2026-11-23T13:10:00Z"}
    assert check_in(patient, session_id, **early).status_code == 409


def test_an_arrival_in_the_window_stands_over_one_outside_of_it(
    session_id: str, patient: Knocker, travel: Travel, owner_sql: Sql
) -> None:
    travel("2026-11-23T13:35:00Z")
    check_in(patient, session_id, occurred_at="2026-11-23T13:00:00Z", sent_at="2026-11-23T13:35:00Z")
    assert check_in(patient, session_id).json["arrival"]["placement"] == "in_window"
    late = check_in(patient, session_id, occurred_at="2026-11-23T13:01:00Z", sent_at="2026-11-23T13:35:00Z")
    assert late.json["arrival"]["placement"] == "in_window"
    assert owner_sql("SELECT placement FROM session_arrivals ORDER BY 1") == [("in_window",), ("outside_window",)]


def test_the_same_arrival_sent_again_after_the_session_moved_converges(
    schedule: Schedule, session_id: str, patient: Knocker, travel: Travel, owner_sql: Sql
) -> None:
    travel("2026-11-23T13:40:00Z")
    tap = str(uuid.uuid4())
    check_in(patient, session_id, id=tap)
    schedule.change(schedule.sessions()[0], starts_at="2026-11-23T20:00:00Z")
    again = check_in(patient, session_id, id=tap)
    assert again.status_code == 200
    assert again.json["arrival"]["placement"] == "outside_window"
    assert owner_sql("SELECT count(*) FROM session_arrivals") == [(1,)]


def test_a_session_that_moved_after_an_arrival_can_be_arrived_at_again(
    schedule: Schedule, session_id: str, patient: Knocker, travel: Travel
) -> None:
    travel("2026-11-23T13:40:00Z")
    check_in(patient, session_id)
    schedule.change(schedule.sessions()[0], starts_at="2026-11-23T20:00:00Z")
    travel("2026-11-23T19:45:00Z")
    assert told(check_in(patient, session_id)) == {"placement": "in_window", "arrived_at": "2026-11-23T19:45:00Z"}


def test_one_cannot_arrive_at_a_cancelled_session(
    schedule: Schedule, session_id: str, patient: Knocker, travel: Travel
) -> None:
    schedule.change(schedule.sessions()[0], status="cancelled")
    travel("2026-11-23T13:40:00Z")
    refused = check_in(patient, session_id)
    assert refused.status_code == 409
    assert refused.json["type"].endswith("/problems/session-is-cancelled")
    assert refused.json["current"]["status"] == "cancelled"


def test_a_tap_needs_an_id_of_its_own(session_id: str, patient: Knocker) -> None:
    assert patient.post(f"/v1/me/sessions/{session_id}/check-in", json={}).status_code == 422

"""Will I come? Said of a session as it was seen, and late or out of order as phones do."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from api.sessions import replies
from tests.knocking import Knocker
from tests.sessions.conftest import Schedule, mine, reply


@pytest.fixture
def session(schedule: Schedule, patient: Knocker) -> dict[str, Any]:
    schedule.begin(patient)
    return mine(patient)[1]


def moved(schedule: Schedule, to: str = "2026-11-25T20:00:00Z") -> None:
    assert schedule.change(schedule.sessions()[1], starts_at=to).status_code == 200


def test_a_reply_is_kept_beside_the_session(session: dict[str, Any], patient: Knocker) -> None:
    answer = reply(patient, session, "not_attending", reason="Dentist")
    assert answer.status_code == 200
    assert answer.json == mine(patient)[1]
    assert answer.json["reply"] == {
        "reply": "not_attending",
        "reason": "Dentist",
        "starts_at": "2026-11-25T14:00:00Z",
        "replied_at": "2026-11-23T12:00:00Z",
        "late": False,
        "late_cancellation": False,
        "asks_to_move": False,
    }


def test_the_last_reply_stands(session: dict[str, Any], patient: Knocker, travel: Callable[[str], Any]) -> None:
    reply(patient, session, "not_attending")
    travel("2026-11-23T13:00:00Z")
    assert reply(patient, session, "attending").json["reply"]["reply"] == "attending"


def test_saying_the_same_twice_is_saying_it_once(
    session: dict[str, Any], patient: Knocker, owner_sql: Callable[..., list[Any]]
) -> None:
    first, second = reply(patient, session, "attending"), reply(patient, session, "attending")
    assert first.json == second.json
    assert owner_sql("SELECT count(*) FROM session_replies") == [(1,)]


def test_not_attending_holds_even_if_the_session_moved(
    schedule: Schedule, session: dict[str, Any], patient: Knocker
) -> None:
    moved(schedule)
    answer = reply(patient, session, "not_attending")
    assert answer.status_code == 200
    assert answer.json["reply"]["reply"] == "not_attending"
    assert answer.json["starts_at"] == "2026-11-25T20:00:00Z"


def test_attending_a_session_that_moved_is_refused_with_the_session_as_it_stands(
    schedule: Schedule, session: dict[str, Any], patient: Knocker
) -> None:
    moved(schedule)
    refused = reply(patient, session, "attending")
    assert refused.status_code == 409
    assert refused.json["type"].endswith("/problems/session-has-changed")
    assert refused.json["retry"] == "after_refresh"
    assert refused.json["current"] == mine(patient)[1]
    assert reply(patient, refused.json["current"], "attending").status_code == 200


def test_attending_a_cancelled_session_is_refused_and_not_attending_holds(
    schedule: Schedule, session: dict[str, Any], patient: Knocker
) -> None:
    schedule.change(schedule.sessions()[1], status="cancelled")
    refused = reply(patient, session, "attending")
    assert (refused.status_code, refused.json["current"]["status"]) == (409, "cancelled")
    assert reply(patient, session, "not_attending").status_code == 200


def test_a_yes_does_not_follow_a_move_and_a_no_does(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, other_patient: Knocker
) -> None:
    schedule.join(schedule.sessions()[1]["series_id"], other_patient)
    reply(patient, session, "attending")
    reply(other_patient, session, "not_attending")
    moved(schedule)
    assert "reply" not in mine(patient)[1]
    assert mine(other_patient)[1]["reply"]["reply"] == "not_attending"


def test_a_yes_holds_again_when_the_session_moves_back(
    schedule: Schedule, session: dict[str, Any], patient: Knocker
) -> None:
    reply(patient, session, "attending")
    moved(schedule)
    moved(schedule, to=session["starts_at"])
    assert mine(patient)[1]["reply"]["reply"] == "attending"


def test_of_replies_that_come_out_of_order_the_one_given_last_stands(
    session: dict[str, Any], patient: Knocker, owner_sql: Callable[..., list[Any]]
) -> None:
    reply(patient, session, "not_attending", occurred_at="2026-11-23T11:50:00Z", sent_at="2026-11-23T12:00:00Z")
    late = reply(patient, session, "attending", occurred_at="2026-11-23T11:40:00Z", sent_at="2026-11-23T12:00:00Z")
    assert late.status_code == 200
    assert late.json["reply"]["reply"] == "not_attending"
    assert owner_sql("SELECT reply FROM session_replies ORDER BY occurred_at") == [("attending",), ("not_attending",)]


def test_a_phone_whose_clock_is_a_day_ahead_is_counted_back(session: dict[str, Any], patient: Knocker) -> None:
    said = reply(patient, session, "attending", occurred_at="2026-11-24T11:30:00Z", sent_at="2026-11-24T12:00:00Z")
    assert said.json["reply"]["replied_at"] == "2026-11-23T11:30:00Z"


def test_a_reply_after_the_start_is_taken_and_says_so(
    session: dict[str, Any], patient: Knocker, travel: Callable[[str], Any]
) -> None:
    travel("2026-11-26T09:00:00Z")
    answer = reply(patient, session, "not_attending")
    assert (answer.status_code, answer.json["reply"]["late"]) == (200, True)


def cancels_late(answer: Any) -> bool:
    return bool(answer.json["reply"]["late_cancellation"])


@pytest.mark.parametrize(
    ("now", "late"),
    [
        ("2026-11-24T14:00:00Z", False),
        ("2026-11-24T14:00:01Z", True),
        ("2026-11-25T13:59:59Z", True),
        ("2026-11-25T14:00:00Z", False),
    ],
)
def test_a_no_within_a_day_of_the_start_is_a_late_cancellation_and_is_taken(
    session: dict[str, Any], patient: Knocker, travel: Callable[[str], Any], now: str, late: bool
) -> None:
    travel(now)
    answer = reply(patient, session, "not_attending")
    assert (answer.status_code, cancels_late(answer)) == (200, late)
    assert answer.json["reply"]["late"] is (now >= session["starts_at"])


def test_a_no_after_a_yes_is_late_only_within_that_day(
    session: dict[str, Any], patient: Knocker, travel: Callable[[str], Any]
) -> None:
    reply(patient, session, "attending")
    assert not cancels_late(reply(patient, session, "not_attending"))
    travel("2026-11-25T12:00:00Z")
    assert not cancels_late(reply(patient, session, "attending"))
    assert cancels_late(reply(patient, session, "not_attending"))


def test_a_no_that_was_said_in_time_does_not_become_late_by_being_said_again(
    session: dict[str, Any], patient: Knocker, travel: Callable[[str], Any]
) -> None:
    reply(patient, session, "not_attending")
    travel("2026-11-25T12:00:00Z")
    for reason in (None, "Still ill"):
        assert not cancels_late(reply(patient, session, "not_attending", **({"reason": reason} if reason else {})))


def test_a_no_given_in_time_by_an_offline_phone_is_not_late(
    session: dict[str, Any], patient: Knocker, travel: Callable[[str], Any]
) -> None:
    travel("2026-11-25T12:00:00Z")
    given = {"occurred_at": "2026-11-24T12:00:00Z", "sent_at": "2026-11-25T12:00:00Z"}
    assert not cancels_late(reply(patient, session, "not_attending", **given))


@pytest.mark.parametrize("change", [{"starts_at": "2026-11-25T20:00:00Z"}, {"status": "cancelled"}])
def test_nobody_cancels_late_what_the_clinic_has_changed(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, travel: Callable[[str], Any], change: dict[str, Any]
) -> None:
    travel("2026-11-25T12:00:00Z")
    schedule.change(schedule.sessions()[1], **change)
    assert not cancels_late(reply(patient, session, "not_attending"))


def test_the_clinic_sees_that_a_cancellation_was_late(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, travel: Callable[[str], Any]
) -> None:
    travel("2026-11-25T12:00:00Z")
    reply(patient, session, "not_attending")
    [place] = schedule.roster(session["id"])
    assert place["reply"]["late_cancellation"] is True


def test_how_much_notice_is_wanted_is_the_clinics_to_set(
    session: dict[str, Any], patient: Knocker, travel: Callable[[str], Any], notice: Callable[[int], None]
) -> None:
    travel("2026-11-25T12:00:00Z")
    notice(0)
    assert not cancels_late(reply(patient, session, "not_attending"))
    notice(3)
    reply(patient, session, "attending")
    assert cancels_late(reply(patient, session, "not_attending"))


@pytest.fixture
def notice() -> Iterator[Callable[[int], None]]:
    yield lambda hours: replies.use(timedelta(hours=hours))
    replies.use(timedelta(hours=24))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reply": "attending"},
        {"reply": "maybe", "starts_at": "2026-11-25T14:00:00Z"},
        {"reply": "attending", "starts_at": "2026-11-25"},
        {"reply": "not_attending", "starts_at": "2026-11-25T14:00:00Z", "reason": "x" * 501},
        {"reply": "not_attending", "starts_at": "2026-11-25T14:00:00Z", "reason": "a\u0000b"},
        {"reply": "attending", "starts_at": "2026-11-25T14:00:00Z", "extra": 1},
    ],
)
def test_what_is_no_reply_is_refused_and_nothing_is_kept(
    session: dict[str, Any], patient: Knocker, body: dict[str, Any]
) -> None:
    assert patient.put(f"/v1/me/sessions/{session['id']}/reply", json=body).status_code == 422
    assert "reply" not in mine(patient)[1]

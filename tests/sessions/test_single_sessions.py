"""One session moved, cancelled, restored or changed on its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.knocking import Knocker
from tests.sessions.conftest import Schedule, mine

Travel = Callable[[str], Any]


@pytest.fixture
def session(schedule: Schedule, patient: Knocker, heard: list[Any]) -> dict[str, Any]:
    """Wednesday's, 14:00 to 17:00 UTC."""
    schedule.begin(patient)
    heard.clear()
    return schedule.sessions()[1]


def names(heard: list[Any]) -> list[str]:
    return [type(fact).__name__ for fact in heard]


def revision(owner_sql: Callable[..., list[Any]], session: dict[str, Any]) -> int:
    return owner_sql("SELECT revision FROM care_sessions WHERE id = %s", session["id"])[0][0]


def test_a_moved_session_is_where_it_was_moved_to(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, heard: list[Any]
) -> None:
    answer = schedule.change(session, starts_at="2026-11-26T15:00:00Z", minutes=90)
    assert answer.status_code == 200
    assert answer.headers["ETag"] == '"2"'
    shown = mine(patient)[1]
    assert (shown["starts_at"], shown["ends_at"]) == ("2026-11-26T15:00:00Z", "2026-11-26T16:30:00Z")
    assert shown["check_in_opens_at"] == "2026-11-26T14:30:00Z"
    assert names(heard) == ["SessionMoved"]
    assert (heard[0].patient_ids, [str(one) for one in heard[0].session_ids]) == ((patient.id,), [session["id"]])


def test_a_moved_session_takes_its_place_in_the_order_of_time(
    schedule: Schedule, session: dict[str, Any], patient: Knocker
) -> None:
    schedule.change(session, starts_at="2026-12-01T15:00:00Z")
    assert [one["starts_at"][:10] for one in mine(patient)][:4] == [
        "2026-11-23",
        "2026-11-27",
        "2026-11-30",
        "2026-12-01",
    ]


def test_a_cancelled_session_is_still_shown_as_such(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, heard: list[Any]
) -> None:
    schedule.change(session, status="cancelled")
    assert mine(patient)[1]["status"] == "cancelled"
    assert names(heard) == ["SessionCancelled"]


def test_a_restored_session_is_a_new_thing_to_say(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, heard: list[Any], owner_sql: Any
) -> None:
    cancelled = schedule.change(session, status="cancelled").json
    schedule.change(cancelled, status="scheduled")
    assert mine(patient)[1]["status"] == "scheduled"
    assert names(heard) == ["SessionCancelled", "SessionRestored"]
    assert revision(owner_sql, session) == 3


def test_who_joined_while_it_was_cancelled_has_a_place_once_it_is_restored(
    schedule: Schedule, session: dict[str, Any], other_patient: Knocker
) -> None:
    cancelled = schedule.change(session, status="cancelled").json
    schedule.join(session["series_id"], other_patient)
    assert session["id"] not in [one["id"] for one in mine(other_patient)]
    schedule.change(cancelled, status="scheduled")
    assert session["id"] in [one["id"] for one in mine(other_patient)]


def test_another_room_is_no_move(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, heard: list[Any], owner_sql: Any
) -> None:
    schedule.change(session, room="7")
    assert mine(patient)[1]["room"] == "7"
    assert names(heard) == ["SessionDetailsChanged"]
    assert revision(owner_sql, session) == 1


def test_the_same_again_is_no_news(schedule: Schedule, session: dict[str, Any], heard: list[Any]) -> None:
    answer = schedule.change(session)
    assert (answer.status_code, answer.json["exception"], heard) == (200, False, [])


def test_a_session_that_has_begun_stays_where_it_is(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, travel: Travel
) -> None:
    travel("2026-11-25T14:00:00Z")
    assert schedule.change(session, starts_at="2026-11-26T15:00:00Z").status_code == 409
    refused = schedule.change(session, status="cancelled")
    assert refused.json["type"].endswith("/problems/session-begun")
    assert schedule.change(session, room="7").status_code == 200
    travel("2026-11-25T17:00:00Z")
    assert schedule.change(session, room="8", tag='"2"').status_code == 409
    assert patient.get(f"/v1/me/sessions/{session['id']}").json["room"] == "7"


def test_a_session_moves_to_a_time_that_lies_ahead(schedule: Schedule, session: dict[str, Any]) -> None:
    refused = schedule.change(session, starts_at="2026-11-23T12:00:00Z")
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/starts_at"


def test_a_session_moves_to_a_location_that_exists(schedule: Schedule, session: dict[str, Any]) -> None:
    refused = schedule.change(session, location_id="0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e03")
    assert refused.json["errors"][0]["pointer"] == "/location_id"


def test_a_change_needs_the_version_that_was_read(schedule: Schedule, session: dict[str, Any], clinic: Knocker) -> None:
    path = f"/v1/clinic/sessions/{session['id']}"
    assert clinic.get(path).headers["ETag"] == '"1"'
    assert schedule.change(session, room="7", tag='"9"').status_code == 412
    assert schedule.change(session, room="7", tag="garbage").status_code == 412
    assert schedule.change(session, room="7", tag="*").status_code == 200
    assert clinic.put(path, json={}).status_code in (422, 428)


def test_of_two_writers_who_read_the_same_version_one_gets_412(
    schedule: Schedule, session: dict[str, Any], patient: Knocker
) -> None:
    times = ("2026-11-25T20:00:00Z", "2026-11-25T21:00:00Z")
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda starts_at: schedule.change(session, starts_at=starts_at), times))
    assert sorted(answer.status_code for answer in answers) == [200, 412]
    won = next(answer for answer in answers if answer.status_code == 200)
    assert mine(patient)[1]["starts_at"] == won.json["starts_at"]


def test_a_move_and_a_joining_at_once_agree_on_the_time(
    schedule: Schedule, session: dict[str, Any], new_patient: Callable[..., Knocker]
) -> None:
    joining = [new_patient() for _ in range(4)]
    with ThreadPoolExecutor(5) as threads:
        moved = threads.submit(schedule.change, session, starts_at="2026-11-25T20:00:00Z")
        joined = list(threads.map(lambda one: schedule.join(session["series_id"], one).status_code, joining))
    assert (moved.result().status_code, set(joined)) == (200, {200})
    for one in joining:
        assert mine(one)[1]["starts_at"] == "2026-11-25T20:00:00Z"


def test_sessions_are_listed_in_a_window_without_their_patients(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, clinic: Knocker
) -> None:
    answer = clinic.get("/v1/clinic/sessions?from=2026-11-25T00:00:00Z&to=2026-11-26T00:00:00Z")
    assert answer.json == {"items": [session]}
    assert str(patient.id) not in answer.text


def test_a_list_needs_a_window_of_a_year_at_most(clinic: Knocker) -> None:
    assert clinic.get("/v1/clinic/sessions").status_code == 400
    assert clinic.get("/v1/clinic/sessions?from=2026-01-01T00:00:00Z&to=2027-06-01T00:00:00Z").status_code == 400


def test_a_session_that_is_not_there_is_not_found(schedule: Schedule, session: dict[str, Any]) -> None:
    nobodys = {**session, "id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e02"}
    assert schedule.change(nobodys).status_code == 404

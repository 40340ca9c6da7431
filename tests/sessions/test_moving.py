"""A request to move an individual session is a task for staff, and closes itself once nobody needs to do it."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from api import clock, db
from api.sessions import worker
from api.staff import tasks as staff_tasks
from tests.knocking import Knocker
from tests.sessions.conftest import Schedule, mine, reply

Travel = Callable[[str], Any]
ALONE = {"kind": "individual", "title": "Individual session", "rrule": "FREQ=WEEKLY;BYDAY=WE;COUNT=3"}


@pytest.fixture
def session(schedule: Schedule, patient: Knocker) -> dict[str, Any]:
    """Wednesday's, from 14:00 UTC."""
    schedule.begin(patient, **ALONE, first_on="2026-11-25", duration_minutes=60)
    return mine(patient)[0]


def ask(patient: Knocker, session: dict[str, Any], **more: Any) -> Any:
    return reply(patient, session, "not_attending", asks_to_move=True, **more)


def tasks(clinic: Knocker, status: str = "open") -> list[tuple[str, int]]:
    found = clinic.get(f"/v1/clinic/tasks?cause=request_to_move&status={status}").json["items"]
    return [(one["subject_id"], one["times"]) for one in found]


def test_a_request_is_a_no_and_opens_a_task_that_names_the_session(
    session: dict[str, Any], patient: Knocker, clinic: Knocker
) -> None:
    answer = ask(patient, session)
    assert (answer.status_code, answer.json["reply"]["asks_to_move"]) == (200, True)
    assert answer.json == mine(patient)[0]
    assert tasks(clinic) == [(session["id"], 1)]


def test_sending_the_request_again_is_asking_once(session: dict[str, Any], patient: Knocker, clinic: Knocker) -> None:
    for _ in range(3):
        ask(patient, session)
    assert tasks(clinic) == [(session["id"], 1)]


def test_a_group_is_not_moved_for_one_and_nothing_is_kept(schedule: Schedule, patient: Knocker) -> None:
    schedule.begin(patient)
    refused = ask(patient, mine(patient)[1])
    assert refused.status_code == 409
    assert refused.json["type"].endswith("/problems/group-is-not-moved")
    assert refused.json["retry"] == "never"
    assert refused.json["current"] == mine(patient)[1]
    assert "reply" not in mine(patient)[1]


def test_a_yes_cannot_ask_to_move(session: dict[str, Any], patient: Knocker) -> None:
    refused = reply(patient, session, "attending", asks_to_move=True)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/asks_to_move"


@pytest.mark.parametrize("word", ["attending", "not_attending"])
def test_any_other_reply_takes_the_request_back(
    session: dict[str, Any], patient: Knocker, clinic: Knocker, word: str
) -> None:
    ask(patient, session)
    reply(patient, session, word)
    assert tasks(clinic) == []
    assert tasks(clinic, "cause_gone") == [(session["id"], 1)]


def test_moving_the_session_answers_the_request_and_the_no_does_not_follow(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, clinic: Knocker
) -> None:
    ask(patient, session)
    schedule.change(schedule.sessions()[0], minutes=60, starts_at="2026-11-26T15:00:00Z")
    assert tasks(clinic) == []
    assert "reply" not in mine(patient)[0]


def test_a_plain_no_still_follows_a_move(schedule: Schedule, session: dict[str, Any], patient: Knocker) -> None:
    reply(patient, session, "not_attending")
    schedule.change(schedule.sessions()[0], minutes=60, starts_at="2026-11-26T15:00:00Z")
    assert mine(patient)[0]["reply"]["reply"] == "not_attending"


def test_a_change_of_the_room_answers_nothing(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, clinic: Knocker
) -> None:
    ask(patient, session)
    schedule.change(schedule.sessions()[0], minutes=60, room="7")
    assert tasks(clinic) == [(session["id"], 1)]


def test_a_cancelled_session_needs_no_moving(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, clinic: Knocker
) -> None:
    ask(patient, session)
    schedule.change(schedule.sessions()[0], minutes=60, status="cancelled")
    assert tasks(clinic) == []


def test_one_that_takes_place_after_all_is_asked_to_move_again(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, clinic: Knocker
) -> None:
    ask(patient, session)
    cancelled = schedule.change(schedule.sessions()[0], minutes=60, status="cancelled").json
    schedule.change(cancelled, minutes=60, status="scheduled")
    assert mine(patient)[0]["reply"]["asks_to_move"] is True
    assert tasks(clinic) == [(session["id"], 1)]


def test_nor_is_a_request_forgotten_by_a_move_there_and_back(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, clinic: Knocker
) -> None:
    ask(patient, session)
    moved = schedule.change(schedule.sessions()[0], minutes=60, starts_at="2026-11-26T15:00:00Z").json
    schedule.change(moved, minutes=60, starts_at=session["starts_at"])
    assert mine(patient)[0]["reply"]["asks_to_move"] is True
    assert tasks(clinic) == [(session["id"], 1)]


def test_a_session_that_is_only_made_longer_leaves_the_request_with_staff_as_it_was(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, clinic: Knocker
) -> None:
    ask(patient, session)
    schedule.change(schedule.sessions()[0], minutes=90)
    assert tasks(clinic) == [(session["id"], 1)]


def test_nor_does_one_that_is_no_longer_theirs(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, clinic: Knocker
) -> None:
    ask(patient, session)
    schedule.leave(schedule.sessions()[0]["series_id"], patient)
    assert tasks(clinic) == []


def test_nor_one_that_has_begun(session: dict[str, Any], patient: Knocker, clinic: Knocker, travel: Travel) -> None:
    ask(patient, session)
    travel("2026-11-25T13:59:59Z")
    worker.close_begun()
    assert tasks(clinic) == [(session["id"], 1)]
    travel("2026-11-25T14:00:00Z")
    worker.close_begun()
    assert tasks(clinic) == []


def test_a_request_that_comes_after_the_start_is_kept_and_is_nobodys_task(
    session: dict[str, Any], patient: Knocker, clinic: Knocker, travel: Travel
) -> None:
    travel("2026-11-25T15:30:00Z")
    late = ask(patient, session, occurred_at="2026-11-25T12:00:00Z", sent_at="2026-11-25T15:30:00Z")
    assert (late.status_code, late.json["reply"]["asks_to_move"]) == (200, True)
    assert tasks(clinic) == []


def test_a_request_to_move_what_has_moved_is_refused_with_the_session_as_it_stands(
    schedule: Schedule, session: dict[str, Any], patient: Knocker
) -> None:
    schedule.change(schedule.sessions()[0], minutes=60, starts_at="2026-11-26T15:00:00Z")
    refused = ask(patient, session)
    assert refused.status_code == 409
    assert refused.json["type"].endswith("/problems/session-has-changed")
    assert ask(patient, refused.json["current"]).status_code == 200


def test_one_task_holds_both_requests_until_neither_stands(
    schedule: Schedule, session: dict[str, Any], patient: Knocker, clinic: Knocker
) -> None:
    first, second, _ = mine(patient)
    ask(patient, first)
    ask(patient, second)
    assert tasks(clinic) == [(second["id"], 2)]
    schedule.change(schedule.sessions()[1], minutes=60, starts_at="2026-12-03T15:00:00Z")
    assert tasks(clinic) == [(first["id"], 2)]
    reply(patient, first, "attending")
    assert tasks(clinic) == []


def test_staff_that_declines_completes_the_task_and_the_no_stands(
    session: dict[str, Any], patient: Knocker, clinic: Knocker
) -> None:
    ask(patient, session)
    [task] = clinic.get("/v1/clinic/tasks?cause=request_to_move").json["items"]
    done = clinic.post(f"/v1/clinic/tasks/{task['id']}/completion", key="", json={"outcome": "No other time"})
    assert done.status_code == 200, done.json
    assert tasks(clinic) == []
    assert mine(patient)[0]["reply"]["reply"] == "not_attending"


def test_the_database_lets_a_patient_close_no_other_task(
    session: dict[str, Any], patient: Knocker, owner_sql: Callable[..., list[Any]]
) -> None:
    assert patient.id is not None
    with db.transaction(db.SYSTEM):
        staff_tasks.open_task(patient_id=patient.id, cause="outreach", at=clock.now())
    for status in ("cause_gone", "completed"):
        with (
            pytest.raises(exc.ProgrammingError, match="row-level security"),
            db.transaction(db.Caller(kind="patient", patient_id=patient.id)) as opened,
        ):
            opened.execute(sa.text(f"UPDATE tasks SET status = '{status}'"))
    assert owner_sql("SELECT status FROM tasks") == [("open",)]

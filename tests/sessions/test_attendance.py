"""What the clinic records is a second fact beside the patient's."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.knocking import Knocker
from tests.sessions.conftest import Schedule, check_in, mine, reply

Travel = Callable[[str], Any]


@pytest.fixture
def session_id(schedule: Schedule, patient: Knocker, travel: Travel) -> str:
    """A session of 180 minutes that has just ended."""
    schedule.begin(patient)
    session_id = mine(patient)[0]["id"]
    travel("2026-11-23T17:05:00Z")
    return session_id


def test_present_is_the_whole_session_unless_minutes_are_given(
    schedule: Schedule, session_id: str, patient: Knocker
) -> None:
    assert schedule.mark(session_id, patient, "present").json["attendance"] == {
        "mark": "present",
        "minutes": 180,
        "marked_at": "2026-11-23T17:05:00Z",
    }
    assert schedule.mark(session_id, patient, "present", minutes=95).json["attendance"]["minutes"] == 95
    assert mine(patient)[0]["attendance"]["minutes"] == 95


@pytest.mark.parametrize("mark", ["absent", "excused"])
def test_who_was_not_there_attended_no_minutes(
    schedule: Schedule, session_id: str, patient: Knocker, mark: str
) -> None:
    schedule.mark(session_id, patient, "present")
    assert "minutes" not in schedule.mark(session_id, patient, mark).json["attendance"]
    assert schedule.mark(session_id, patient, mark, minutes=10).status_code == 422


def test_nobody_attends_longer_than_the_session_lasts(schedule: Schedule, session_id: str, patient: Knocker) -> None:
    refused = schedule.mark(session_id, patient, "present", minutes=181)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/minutes"


def test_the_patients_arrival_and_the_clinics_record_never_overwrite_each_other(
    schedule: Schedule, session_id: str, patient: Knocker
) -> None:
    arrival = {"occurred_at": "2026-11-23T13:58:00Z", "sent_at": "2026-11-23T17:05:00Z"}
    check_in(patient, session_id, **arrival)
    schedule.mark(session_id, patient, "absent")
    shown = mine(patient)[0]
    assert shown["arrival"]["placement"] == "in_window"
    assert shown["attendance"]["mark"] == "absent"


def test_a_correction_is_a_further_fact_and_the_same_again_is_none(
    schedule: Schedule, session_id: str, patient: Knocker, owner_sql: Callable[..., list[Any]], heard: list[Any]
) -> None:
    for mark in ("absent", "absent", "present"):
        assert schedule.mark(session_id, patient, mark).status_code == 200
    assert owner_sql("SELECT mark, minutes, acting_user, acting_role FROM attendance_marks ORDER BY id") == [
        ("absent", None, "u-17", "counselor"),
        ("present", 180, "u-17", "counselor"),
    ]
    assert [(fact.mark, fact.minutes) for fact in heard] == [("absent", None), ("present", 180)]


def test_before_the_start_only_an_excuse_can_be_recorded(schedule: Schedule, session_id: str, patient: Knocker) -> None:
    coming = mine(patient)[1]["id"]
    assert schedule.mark(coming, patient, "present").status_code == 409
    assert schedule.mark(coming, patient, "absent").json["type"].endswith("/problems/session-not-begun")
    assert schedule.mark(coming, patient, "excused").status_code == 200


def test_nobody_is_present_at_a_cancelled_session(schedule: Schedule, session_id: str, patient: Knocker) -> None:
    coming = schedule.sessions()[1]
    schedule.change(coming, status="cancelled")
    assert schedule.mark(coming["id"], patient, "excused").status_code == 409


def test_who_has_no_place_cannot_be_marked(
    schedule: Schedule, session_id: str, other_patient: Knocker, visitor: Knocker
) -> None:
    visitor.id = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01"  # type: ignore[assignment]
    assert schedule.mark(session_id, other_patient, "present").status_code == 404
    assert schedule.mark(session_id, visitor, "present").status_code == 404


def test_the_clinic_reads_the_roster_with_all_three_facts(
    schedule: Schedule, session_id: str, patient: Knocker, other_patient: Knocker
) -> None:
    coming = mine(patient)[1]
    schedule.join(schedule.sessions()[0]["series_id"], other_patient)
    reply(patient, coming, "not_attending", reason="Work")
    schedule.mark(coming["id"], patient, "excused")
    roster = {one["patient_id"]: one for one in schedule.roster(coming["id"])}
    assert set(roster) == {str(patient.id), str(other_patient.id)}
    assert roster[str(patient.id)]["reply"]["reason"] == "Work"
    assert roster[str(patient.id)]["attendance"]["mark"] == "excused"
    assert roster[str(other_patient.id)] == {
        "patient_id": str(other_patient.id),
        "presence": {"status": "expected", "rests_on": "nothing"},
    }


def test_reading_a_roster_is_on_record_for_everybody_in_it(
    schedule: Schedule,
    session_id: str,
    patient: Knocker,
    other_patient: Knocker,
    owner_sql: Callable[..., list[Any]],
) -> None:
    schedule.join(schedule.sessions()[0]["series_id"], other_patient)
    coming = mine(patient)[1]["id"]
    schedule.roster(coming)
    read = owner_sql(
        "SELECT patient_id FROM audit_events WHERE operation = 'getSessionRoster' AND resource_id = %s", coming
    )
    assert {one for (one,) in read} == {patient.id, other_patient.id}


@pytest.mark.parametrize(
    ("times", "minutes"),
    [
        ({"arrived_at": "2026-11-23T14:25:00Z"}, 155),
        ({"left_at": "2026-11-23T16:00:00Z"}, 120),
        ({"arrived_at": "2026-11-23T14:25:30Z", "left_at": "2026-11-23T16:00:00Z"}, 94),
        ({"arrived_at": "2026-11-23T13:40:00Z", "left_at": "2026-11-23T17:20:00Z"}, 180),
    ],
)
def test_coming_late_and_leaving_early_give_the_minutes(
    schedule: Schedule, session_id: str, patient: Knocker, times: dict[str, str], minutes: int
) -> None:
    shown = schedule.mark(session_id, patient, "present", **times).json["attendance"]
    assert shown == {"mark": "present", "minutes": minutes, "marked_at": "2026-11-23T17:05:00Z", **times}
    assert mine(patient)[0]["attendance"] == shown


@pytest.mark.parametrize(
    ("told", "pointer"),
    [
        ({"arrived_at": "2026-11-23T17:00:00Z"}, "/arrived_at"),
        ({"left_at": "2026-11-23T14:00:00Z"}, "/left_at"),
        ({"arrived_at": "2026-11-23T15:00:00Z", "left_at": "2026-11-23T15:00:00Z"}, "/left_at"),
        ({"arrived_at": "2026-11-23T15:00:00Z", "minutes": 20}, "/minutes"),
    ],
)
def test_times_that_make_no_stay_are_refused(
    schedule: Schedule, session_id: str, patient: Knocker, told: dict[str, Any], pointer: str
) -> None:
    refused = schedule.mark(session_id, patient, "present", **told)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, pointer)
    assert "attendance" not in mine(patient)[0]


def test_who_was_not_there_neither_came_nor_left(schedule: Schedule, session_id: str, patient: Knocker) -> None:
    assert schedule.mark(session_id, patient, "absent", left_at="2026-11-23T16:00:00Z").status_code == 422


def test_a_correction_of_the_times_is_a_further_fact(
    schedule: Schedule, session_id: str, patient: Knocker, owner_sql: Callable[..., list[Any]]
) -> None:
    for arrived_at in ("2026-11-23T14:25:00Z", "2026-11-23T14:25:00Z", "2026-11-23T14:10:00Z"):
        schedule.mark(session_id, patient, "present", arrived_at=arrived_at)
    assert owner_sql("SELECT minutes FROM attendance_marks ORDER BY id") == [(155,), (170,)]
    schedule.mark(session_id, patient, "present")
    assert "arrived_at" not in mine(patient)[0]["attendance"]


def test_what_a_place_comes_to_says_on_whose_word(schedule: Schedule, session_id: str, patient: Knocker) -> None:
    def presence() -> tuple[str, str]:
        [place] = schedule.roster(session_id)
        assert place["presence"] == mine(patient)[0]["presence"]
        return place["presence"]["status"], place["presence"]["rests_on"]

    assert presence() == ("expected", "nothing")
    check_in(patient, session_id)
    assert presence() == ("expected", "nothing")
    check_in(patient, session_id, occurred_at="2026-11-23T13:58:00Z", sent_at="2026-11-23T17:05:00Z")
    assert presence() == ("attested", "patient")
    for mark, status in (("absent", "missed"), ("excused", "excused"), ("present", "attended")):
        schedule.mark(session_id, patient, mark)
        assert presence() == (status, "clinic")

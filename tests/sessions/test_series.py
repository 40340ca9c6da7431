"""The clinic keeps weekly series: local time, across both changes of the clocks, and changed for what is to come."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api.sessions import worker
from tests.knocking import Knocker
from tests.sessions.conftest import GROUP, Schedule, mine, reply

Travel = Callable[[str], Any]


def starts(schedule: Schedule, series: dict[str, Any], status: str = "scheduled") -> list[str]:
    return [one["starts_at"] for one in schedule.sessions(series["id"]) if one["status"] == status]


def names(heard: list[Any]) -> list[str]:
    return [type(fact).__name__ for fact in heard]


def test_a_series_is_kept_as_it_was_written(schedule: Schedule, clinic: Knocker) -> None:
    made = schedule.begin()
    assert {**GROUP, "id": made["id"], "version": 1} == made
    read = clinic.get(f"/v1/clinic/session-series/{made['id']}")
    assert (read.json, read.headers["ETag"]) == (made, '"1"')


def test_a_begun_series_is_found_by_its_location(schedule: Schedule, clinic: Knocker) -> None:
    made = clinic.post("/v1/clinic/session-series", json=GROUP)
    assert clinic.get(made.headers["Location"]).json == made.json


def test_the_same_key_begins_one_series(schedule: Schedule, clinic: Knocker) -> None:
    made = [clinic.post("/v1/clinic/session-series", json=GROUP, key="k-1") for _ in range(2)]
    assert made[0].json == made[1].json
    assert made[0].headers["Location"] == made[1].headers["Location"]
    assert len(schedule.sessions()) == 12


@pytest.mark.parametrize(
    ("first_on", "hours"),
    [("2026-10-30", ["13:00", "14:00"]), ("2027-03-12", ["14:00", "13:00"])],
)
def test_nine_in_the_morning_stays_nine_on_both_sides_of_a_change_of_the_clocks(
    schedule: Schedule, patient: Knocker, travel: Travel, first_on: str, hours: list[str]
) -> None:
    travel(f"{first_on}T05:00:00Z")
    schedule.begin(patient, first_on=first_on, rrule="FREQ=WEEKLY;BYDAY=FR,MO;COUNT=2")
    assert [one["starts_at"][11:16] for one in mine(patient)] == hours


@pytest.mark.parametrize(
    ("first_on", "local", "expected"),
    [
        ("2027-03-14", "02:30", "2027-03-14T07:30:00Z"),
        ("2026-11-01", "01:30", "2026-11-01T05:30:00Z"),
    ],
)
def test_a_local_time_that_is_missing_moves_forward_and_a_doubled_one_is_the_first(
    schedule: Schedule, travel: Travel, first_on: str, local: str, expected: str, patient: Knocker
) -> None:
    travel(f"{first_on}T04:00:00Z")
    schedule.begin(patient, first_on=first_on, starts_local=local, rrule="FREQ=WEEKLY;COUNT=1")
    assert [one["starts_at"] for one in mine(patient)] == [expected]


@pytest.mark.parametrize(
    "different",
    [
        {"rrule": "FREQ=MONTHLY;COUNT=3"},
        {"rrule": "FREQ=WEEKLY"},
        {"rrule": "FREQ=WEEKLY;BYDAY=TU;COUNT=3"},
        {"rrule": "FREQ=WEEKLY;UNTIL=20261101"},
        {"first_on": "2026-11-16", "rrule": "FREQ=WEEKLY;COUNT=1"},
        {"time_zone": "Mars/Olympus"},
        {"starts_local": "24:00"},
        {"duration_minutes": 0},
        {"kind": "party"},
        {"program": "nowhere"},
        {"location_id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e03"},
        {"title": "a\u0000b"},
        {"surprise": 1},
    ],
)
def test_what_is_no_series_is_refused(schedule: Schedule, clinic: Knocker, different: dict[str, Any]) -> None:
    refused = clinic.post("/v1/clinic/session-series", json={**GROUP, **different})
    assert refused.status_code == 422
    assert schedule.sessions() == []


def test_nobody_is_scheduled_into_a_program_that_is_not_offered_here(schedule: Schedule, clinic: Knocker) -> None:
    refused = clinic.post("/v1/clinic/session-series", json={**GROUP, "program": "php"})
    assert refused.status_code == 409


def test_sessions_are_made_twelve_weeks_ahead_and_further_with_time(
    schedule: Schedule, patient: Knocker, travel: Travel, app: Any
) -> None:
    series = schedule.begin(patient, rrule="FREQ=WEEKLY;BYDAY=MO;UNTIL=20270630")
    travel("2026-12-07T15:00:00Z")
    tag = patient.get("/v1/me/sessions").headers["ETag"]
    worker.run()
    window = "?from=2027-02-15T00:00:00Z&to=2027-12-31T00:00:00Z"
    assert [one["starts_at"][:10] for one in mine(patient, window)] == ["2027-02-15", "2027-02-22", "2027-03-01"]
    assert patient.get("/v1/me/sessions").headers["ETag"] != tag
    assert series["version"] == 1


def test_a_series_that_reaches_far_enough_is_left_alone(
    schedule: Schedule, patient: Knocker, travel: Travel, heard: list[Any]
) -> None:
    schedule.begin(patient, rrule="FREQ=WEEKLY;BYDAY=MO;UNTIL=20270630")
    schedule.begin(patient, starts_local="14:00")
    heard.clear()
    travel("2026-11-29T12:00:00Z")
    worker.run()
    assert heard == []


def test_a_new_hour_moves_what_is_to_come_and_leaves_what_was(
    schedule: Schedule, patient: Knocker, travel: Travel, heard: list[Any]
) -> None:
    series = schedule.begin(patient)
    travel("2026-11-25T14:30:00Z")  # in the middle of the second session
    heard.clear()
    assert schedule.rewrite(series, starts_local="10:00").status_code == 200
    found = [one["starts_at"] for one in mine(patient, "?from=2026-11-23T00:00:00Z")]
    assert found[:4] == [
        "2026-11-23T14:00:00Z",
        "2026-11-25T14:00:00Z",
        "2026-11-27T15:00:00Z",
        "2026-11-30T15:00:00Z",
    ]
    assert names(heard) == ["SessionMoved"]
    assert (heard[0].patient_ids, len(heard[0].session_ids)) == ((patient.id,), 10)


def test_another_day_of_the_week_is_a_move_where_a_week_gains_as_many_as_it_loses(
    schedule: Schedule, patient: Knocker, heard: list[Any]
) -> None:
    series = schedule.begin(patient, rrule="FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4")
    before = [one["id"] for one in mine(patient)]
    heard.clear()
    schedule.rewrite(series, rrule="FREQ=WEEKLY;BYDAY=MO,TH;COUNT=4")
    assert [(one["id"], one["starts_at"][:10], one["status"]) for one in mine(patient)] == [
        (before[0], "2026-11-23", "scheduled"),
        (before[1], "2026-11-26", "scheduled"),
        (before[2], "2026-11-30", "scheduled"),
        (before[3], "2026-12-03", "scheduled"),
    ]
    assert names(heard) == ["SessionMoved"]


def test_other_days_cancel_those_that_left_the_rule_and_make_the_new_ones(
    schedule: Schedule, patient: Knocker, heard: list[Any]
) -> None:
    series = schedule.begin(patient, rrule="FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4")
    heard.clear()
    schedule.rewrite(series, rrule="FREQ=WEEKLY;BYDAY=MO,TH,FR;COUNT=6")
    assert [(one["starts_at"][:10], one["status"]) for one in mine(patient)] == [
        ("2026-11-23", "scheduled"),
        ("2026-11-25", "cancelled"),
        ("2026-11-26", "scheduled"),
        ("2026-11-27", "scheduled"),
        ("2026-11-30", "scheduled"),
        ("2026-12-02", "cancelled"),
        ("2026-12-03", "scheduled"),
        ("2026-12-04", "scheduled"),
    ]
    assert names(heard) == ["SessionScheduled", "SessionCancelled"]


def test_days_that_come_back_to_the_rule_take_place_after_all(
    schedule: Schedule, patient: Knocker, heard: list[Any]
) -> None:
    series = schedule.begin(patient, rrule="FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4")
    shorter = schedule.rewrite(series, rrule="FREQ=WEEKLY;BYDAY=MO;COUNT=2").json
    heard.clear()
    schedule.rewrite(shorter, rrule="FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4")
    assert {one["status"] for one in mine(patient)} == {"scheduled"}
    assert names(heard) == ["SessionRestored"]


def test_a_new_facilitator_is_no_move(schedule: Schedule, patient: Knocker, heard: list[Any]) -> None:
    series = schedule.begin(patient)
    heard.clear()
    schedule.rewrite(series, facilitator="K. Example")
    assert {one["facilitator"] for one in mine(patient)} == {"K. Example"}
    assert names(heard) == ["SessionDetailsChanged"]


def test_a_session_changed_on_its_own_keeps_its_change(schedule: Schedule, patient: Knocker) -> None:
    series = schedule.begin(patient)
    second = schedule.sessions()[1]
    schedule.change(second, starts_at="2026-11-25T20:00:00Z", room="7")
    schedule.rewrite(series, starts_local="10:00", room="3")
    shown = mine(patient)
    assert (shown[1]["starts_at"], shown[1]["room"]) == ("2026-11-25T20:00:00Z", "7")
    assert (shown[2]["starts_at"], shown[2]["room"]) == ("2026-11-27T15:00:00Z", "3")


def test_a_session_that_was_put_off_beyond_its_day_outlives_changes_and_ticks(
    schedule: Schedule, patient: Knocker, travel: Travel
) -> None:
    series = schedule.begin(patient, rrule="FREQ=WEEKLY;BYDAY=MO,WE,FR;UNTIL=20270630")
    schedule.change(schedule.sessions()[0], starts_at="2026-12-03T20:00:00Z")
    travel("2026-12-02T18:00:00Z")
    worker.run()
    assert schedule.rewrite(series, room="3").status_code == 200
    put_off = mine(patient, "?from=2026-12-03T00:00:00Z&to=2026-12-04T00:00:00Z")
    assert [(one["status"], one["room"]) for one in put_off] == [("scheduled", "2")]


def test_todays_session_stays_when_its_new_hour_has_already_passed(
    schedule: Schedule, patient: Knocker, travel: Travel
) -> None:
    series = schedule.begin(patient)
    travel("2026-11-23T13:30:00Z")
    schedule.rewrite(series, starts_local="08:00")
    assert [(one["starts_at"], one["status"]) for one in mine(patient)][:2] == [
        ("2026-11-23T14:00:00Z", "scheduled"),
        ("2026-11-25T13:00:00Z", "scheduled"),
    ]


def test_a_day_that_comes_back_at_another_hour_is_restored_and_not_moved_as_well(
    schedule: Schedule, patient: Knocker, heard: list[Any]
) -> None:
    series = schedule.begin(patient, rrule="FREQ=WEEKLY;BYDAY=MO,WE;COUNT=2")
    shorter = schedule.rewrite(series, rrule="FREQ=WEEKLY;BYDAY=MO;COUNT=1").json
    heard.clear()
    schedule.rewrite(shorter, rrule="FREQ=WEEKLY;BYDAY=MO,WE;COUNT=2", starts_local="10:00")
    assert [(type(fact).__name__, len(fact.session_ids)) for fact in heard] == [
        ("SessionMoved", 1),
        ("SessionRestored", 1),
    ]
    assert [one["starts_at"][11:13] for one in mine(patient)] == ["15", "15"]


def test_a_yes_said_to_the_old_hour_is_not_taken_for_the_new_one(schedule: Schedule, patient: Knocker) -> None:
    series = schedule.begin(patient)
    reply(patient, mine(patient)[1], "attending")
    schedule.rewrite(series, starts_local="10:00")
    assert "reply" not in mine(patient)[1]


def test_a_series_stays_a_group_or_individual(schedule: Schedule) -> None:
    series = schedule.begin()
    assert schedule.rewrite(series, kind="individual").status_code == 422


def test_a_change_needs_the_version_that_was_read(schedule: Schedule, clinic: Knocker) -> None:
    series = schedule.begin()
    path = f"/v1/clinic/session-series/{series['id']}"
    assert clinic.put(path, json=GROUP).status_code == 428
    assert schedule.rewrite(series, room="3").headers["ETag"] == '"2"'
    assert schedule.rewrite(series, room="4").status_code == 412
    assert clinic.get(path).json["room"] == "3"


def test_of_two_writers_who_read_the_same_version_one_gets_412(schedule: Schedule, patient: Knocker) -> None:
    series = schedule.begin(patient)
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda room: schedule.rewrite(series, room=room), ("3", "4")))
    assert sorted(answer.status_code for answer in answers) == [200, 412]


def test_a_series_that_is_not_there_is_not_found(schedule: Schedule, clinic: Knocker, patient: Knocker) -> None:
    nowhere = "/v1/clinic/session-series/0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e02"
    assert clinic.get(nowhere).status_code == 404
    assert clinic.put(nowhere, json=GROUP, if_match='"1"').status_code == 404
    assert clinic.get(f"{nowhere}/members").status_code == 404
    assert clinic.put(f"{nowhere}/members/{patient.id}").status_code == 404


def test_series_are_listed_by_program_and_page_by_page(schedule: Schedule, clinic: Knocker) -> None:
    made = [schedule.begin(program=program)["id"] for program in ("iop", "op", "iop")]
    iop = clinic.get("/v1/clinic/session-series?program=iop").json["items"]
    assert [one["id"] for one in iop] == [made[0], made[2]]
    first = clinic.get("/v1/clinic/session-series?page_size=2").json
    rest = clinic.get(f"/v1/clinic/session-series?page_size=2&page_token={first['next_page_token']}").json
    assert [one["id"] for one in first["items"] + rest["items"]] == made
    assert "next_page_token" not in rest

"""A patient reads own weeks in kind words; staff read who attends less than planned."""

from collections.abc import Callable
from typing import Any

import pytest

from api.sessions import progress_words
from tests.enrollments.deciding import decide, place
from tests.knocking import Knocker
from tests.sessions.conftest import Schedule, check_in, mine

PROGRESS, DOSE = "/v1/me/enrollment/progress", "/v1/clinic/treatment-dose"
LAST_WEEK, AFTER = "2026-11-23", "2026-11-30T14:00:00Z"
Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def week(schedule: Schedule, clinic: Knocker, patient: Knocker) -> list[dict[str, Any]]:
    """The patient's sessions on Monday, Wednesday and Friday of a whole week in the program."""
    place(clinic, patient, starts_at="2026-11-02T14:00:00Z")
    schedule.begin(patient, program="iop")
    return mine(patient)[:3]


def attend(schedule: Schedule, patient: Knocker, session: dict[str, Any], travel: Any, mark: str = "present") -> None:
    travel(session["ends_at"])
    assert schedule.mark(session["id"], patient, mark).status_code == 200


def listed(clinic: Knocker, query: str = "") -> list[dict[str, Any]]:
    answer = clinic.get(f"{DOSE}{query}")
    assert answer.status_code == 200, answer.json
    return list(answer.json["items"])


def test_a_patient_reads_minutes_by_week_beside_the_levels_range(
    schedule: Schedule, patient: Knocker, week: list[dict[str, Any]], travel: Any
) -> None:
    attend(schedule, patient, week[0], travel)
    travel(week[1]["starts_at"])
    check_in(patient, week[1]["id"])
    travel(AFTER)
    told = patient.get(PROGRESS).json
    assert told["level_range"] | {"text": ""} == {
        "min": 540, "max": 900, "unit": "minutes_per_week", "qualifier": "about", "derived": True, "text": "",
    }  # fmt: skip
    assert [one["starts_on"] for one in told["weeks"]][:2] == ["2026-11-30", LAST_WEEK]
    assert told["weeks"][1] == {
        "starts_on": LAST_WEEK,
        "scheduled_minutes": 540,
        "attended_minutes": 180,
        "attested_minutes": 180,
        "partial": False,
        "text": "You took part for 3 hours. You told us of 3 hours; the clinic has yet to record it.",
    }


def test_a_patient_is_told_of_no_floor_and_of_nothing_missed(
    schedule: Schedule, patient: Knocker, week: list[dict[str, Any]], travel: Any
) -> None:
    for one in week:
        attend(schedule, patient, one, travel, "absent")
    travel(AFTER)
    said = patient.get(PROGRESS)
    told = said.json["weeks"][1]
    assert set(told) == {
        "starts_on", "scheduled_minutes", "attended_minutes", "attested_minutes", "partial", "text",
    }  # fmt: skip
    assert told["text"].endswith("your team can help.")
    assert not any(word in said.text.lower() for word in ("below", "floor", "missed", "absent", "only"))


def test_the_words_are_spanish_for_whom_they_should_be(patient: Knocker, week: list[dict[str, Any]]) -> None:
    said = patient.get(PROGRESS, headers={"Accept-Language": "es"})
    assert said.headers["Content-Language"] == "es"
    assert said.json["text"].startswith("Estas son sus semanas.")


def test_the_weeks_are_those_of_the_patients_own_zone(
    schedule: Schedule, clinic: Knocker, patient: Knocker, travel: Any
) -> None:
    place(clinic, patient, starts_at="2026-11-02T14:00:00Z")
    schedule.begin(patient, first_on="2026-11-29", starts_local="20:00", rrule="FREQ=WEEKLY;BYDAY=SU;COUNT=1")
    travel(AFTER)
    here = patient.get(PROGRESS).json["weeks"]
    moved = {"time_zone": "Europe/Madrid"}
    assert patient.put("/v1/me/preferences", json=moved, if_match="*").status_code == 200
    there = patient.get(PROGRESS).json["weeks"]
    assert [one["scheduled_minutes"] for one in here[:2]] == [0, 180]
    assert [one["scheduled_minutes"] for one in there[:2]] == [180, 0]


def test_before_any_program_there_are_no_weeks(patient: Knocker) -> None:
    told = patient.get(PROGRESS).json
    assert (told["status"], told["weeks"]) == ("none", [])
    assert "level_range" not in told


def test_before_the_program_begins_there_are_no_weeks(clinic: Knocker, patient: Knocker, travel: Any) -> None:
    travel("2026-11-20T12:00:00Z")
    place(clinic, patient, starts_at="2026-11-23T14:00:00Z")
    assert patient.get(PROGRESS).json["status"] == "planned"
    assert patient.get(PROGRESS).json["weeks"] == []


def test_a_level_whose_hours_are_not_known_has_no_range(
    schedule: Schedule, clinic: Knocker, patient: Knocker, owner_sql: Sql
) -> None:
    place(clinic, patient, starts_at="2026-11-02T14:00:00Z")
    owner_sql("UPDATE enrollments SET program_slug = 'php'")
    assert "level_range" not in patient.get(PROGRESS).json


def test_nobody_reads_anothers_weeks(patient: Knocker, other_patient: Knocker, week: list[dict[str, Any]]) -> None:
    assert other_patient.get(PROGRESS).json["weeks"] == []


def test_the_clinic_reads_who_attends_less_than_planned(
    schedule: Schedule, clinic: Knocker, patient: Knocker, week: list[dict[str, Any]], travel: Any
) -> None:
    attend(schedule, patient, week[0], travel)
    attend(schedule, patient, week[1], travel, "absent")
    travel(AFTER)
    (row,) = listed(clinic, "?below=true")
    assert row["patient_id"] == str(patient.id) and row["external_id"] == patient.external_id
    assert {name: row[name] for name in row if name.endswith("minutes")} == {
        "scheduled_minutes": 540,
        "excused_minutes": 0,
        "attended_minutes": 180,
        "attested_minutes": 0,
        "unrecorded_minutes": 180,
        "floor_minutes": 540,
    }
    assert (row["week_starts_on"], row["program"], row["below"]) == (LAST_WEEK, "iop", True)


def test_who_attends_as_planned_is_not_among_them(
    schedule: Schedule, clinic: Knocker, patient: Knocker, week: list[dict[str, Any]], travel: Any
) -> None:
    for one in week:
        attend(schedule, patient, one, travel)
    travel(AFTER)
    assert listed(clinic, "?below=true") == []
    assert [one["below"] for one in listed(clinic, "?below=false")] == [False]


def test_what_the_clinic_cancelled_puts_nobody_on_the_list(
    schedule: Schedule, clinic: Knocker, patient: Knocker, week: list[dict[str, Any]], travel: Any
) -> None:
    for one in schedule.sessions()[1:3]:
        assert schedule.change(one, status="cancelled").status_code == 200
    attend(schedule, patient, week[0], travel)
    travel(AFTER)
    assert listed(clinic, "?below=true") == []
    assert patient.get(PROGRESS).json["weeks"][1]["scheduled_minutes"] == 180


def test_what_staff_excused_puts_nobody_on_the_list(
    schedule: Schedule, clinic: Knocker, patient: Knocker, week: list[dict[str, Any]], travel: Any
) -> None:
    for one, mark in zip(week, ("present", "excused", "excused"), strict=True):
        attend(schedule, patient, one, travel, mark)
    travel(AFTER)
    assert listed(clinic, "?below=true") == []
    assert [one["excused_minutes"] for one in listed(clinic)] == [360]
    (of_last_week,) = [one for one in patient.get(PROGRESS).json["weeks"] if one["starts_on"] == LAST_WEEK]
    assert (of_last_week["scheduled_minutes"], of_last_week["attended_minutes"]) == (180, 180)


def test_who_was_excused_from_everything_is_not_told_that_nothing_was_planned(
    schedule: Schedule, patient: Knocker, week: list[dict[str, Any]], travel: Any
) -> None:
    for one in week:
        attend(schedule, patient, one, travel, "excused")
    travel(AFTER)
    (text,) = [one["text"] for one in patient.get(PROGRESS).json["weeks"] if one["starts_on"] == LAST_WEEK]
    assert text == progress_words.NOTHING_RECORDED["en"]


def test_the_first_week_and_the_running_one_put_nobody_on_the_list(
    schedule: Schedule, clinic: Knocker, patient: Knocker, travel: Any
) -> None:
    place(clinic, patient, starts_at="2026-11-24T14:00:00Z")
    schedule.begin(patient, program="iop")
    travel(AFTER)
    assert [(one["partial"], "below" in one) for one in listed(clinic)] == [(True, False)]
    assert [one["partial"] for one in listed(clinic, "?week=2026-11-30")] == [True]


def test_a_pause_puts_nobody_on_the_list_and_one_taken_back_does(
    clinic: Knocker, patient: Knocker, week: list[dict[str, Any]], travel: Any
) -> None:
    travel(AFTER)
    stay = {"id": patient.get("/v1/me/enrollment").json["id"]}
    decide(clinic, stay, "pause", reason="medical", effective_at="2026-11-25T15:00:00Z")
    assert listed(clinic, "?below=true") == []
    decide(clinic, stay, "correct", reason="entered_in_error")
    assert len(listed(clinic, "?below=true")) == 1


def test_who_has_just_stepped_down_has_two_weeks_of_grace(
    schedule: Schedule, clinic: Knocker, patient: Knocker, owner_sql: Sql, travel: Any
) -> None:
    before = place(clinic, patient, starts_at="2026-11-02T14:00:00Z")
    owner_sql("UPDATE enrollments SET program_slug = 'php'")
    travel("2026-11-16T15:00:00Z")
    stepped = decide(clinic, before, "step_down", program="iop", reason="completed")
    assert stepped.status_code == 200, stepped.json
    schedule.begin(patient, program="iop")
    travel("2026-12-14T14:00:00Z")
    weeks = [listed(clinic, f"?week={day}")[0] for day in ("2026-11-23", "2026-11-30")]
    assert [(one["stepping_down"], one.get("below")) for one in weeks] == [(True, None), (False, True)]


def test_the_list_is_paged_and_names_each_once(
    schedule: Schedule, clinic: Knocker, new_patient: Callable[..., Knocker], travel: Any
) -> None:
    everybody = [new_patient() for _ in range(5)]
    for one in everybody:
        place(clinic, one, starts_at="2026-11-02T14:00:00Z")
    schedule.begin(*everybody, program="iop")
    travel(AFTER)
    seen, token = [], ""
    while True:
        page = clinic.get(f"{DOSE}?below=true&page_size=2{token}").json
        seen += [one["patient_id"] for one in page["items"]]
        if "next_page_token" not in page:
            break
        token = f"&page_token={page['next_page_token']}"
    assert seen == sorted(str(one.id) for one in everybody)
    assert clinic.get(f"{DOSE}?page_size=2{token}").status_code == 400


def test_a_request_looks_at_so_many_stays_and_its_token_leads_on(
    schedule: Schedule,
    clinic: Knocker,
    new_patient: Callable[..., Knocker],
    travel: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for one in [new_patient() for _ in range(3)]:
        place(clinic, one, starts_at="2026-11-02T14:00:00Z")
    monkeypatch.setattr("api.sessions.under_dose.MOST_LOOKED_AT", 2)
    monkeypatch.setattr("api.sessions.under_dose.BATCH", 1)
    travel(AFTER)
    first = clinic.get(f"{DOSE}?below=true").json
    assert first["items"] == []
    last = clinic.get(f"{DOSE}?below=true&page_token={first['next_page_token']}").json
    assert "next_page_token" not in last
    whole = clinic.get(DOSE).json
    assert len(whole["items"]) == 2
    rest = clinic.get(f"{DOSE}?page_token={whole['next_page_token']}").json
    assert len(rest["items"]) == 1


@pytest.mark.parametrize("day", ["2026-11-24", "2026-12-07"])
def test_a_week_begins_on_a_monday_and_has_begun(clinic: Knocker, travel: Any, day: str) -> None:
    travel(AFTER)
    assert clinic.get(f"{DOSE}?week={day}").status_code == 400


def test_who_left_or_is_not_active_is_not_listed(
    clinic: Knocker, patient: Knocker, week: list[dict[str, Any]], owner_sql: Sql, travel: Any
) -> None:
    travel(AFTER)
    assert len(listed(clinic)) == 1
    clinic.put(f"/v1/clinic/patients/{patient.external_id}/status", json={"status": "suspended"})
    assert listed(clinic) == []


def test_each_patient_who_was_listed_is_in_the_audit_as_read(
    clinic: Knocker, patient: Knocker, week: list[dict[str, Any]], owner_sql: Sql, travel: Any
) -> None:
    travel(AFTER)
    listed(clinic, "?below=true")
    read = "SELECT patient_id, acting_role FROM audit_events WHERE operation = 'listTreatmentDose' AND patient_id = %s"
    assert owner_sql(read, patient.id) == [(patient.id, "counselor")]


def test_the_list_finds_who_is_in_care_by_an_index(owner_sql: Sql) -> None:
    from api.sessions import under_dose

    owner_sql("SET enable_seqscan = off")
    try:
        plan = owner_sql(
            "EXPLAIN SELECT * FROM enrollments WHERE ended_at IS NULL AND patient_id > gen_random_uuid()"
            f" ORDER BY patient_id LIMIT {under_dose.BATCH}"
        )
    finally:
        owner_sql("RESET enable_seqscan")
    assert any("ix_enrollments_open" in line for (line,) in plan)

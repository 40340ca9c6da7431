"""What a patient reads: the level in the program's words and numbers, dates, plain words, and never a reason."""

from collections.abc import Callable
from typing import Any

import pytest

from schemas.my_enrollment import MyEnrollmentAnswer, MyEnrollmentsAnswer
from tests.enrollments.deciding import decide, place, step_down
from tests.knocking import Knocker

MONDAY = "2026-11-02T15:00:00Z"


def mine(patient: Knocker) -> dict[str, Any]:
    answer = patient.get("/v1/me/enrollment")
    assert answer.status_code == 200, answer.json
    assert MyEnrollmentAnswer().validate(answer.json) == {}
    return answer.json


def stays(patient: Knocker) -> list[dict[str, Any]]:
    answer = patient.get("/v1/me/enrollments")
    assert answer.status_code == 200, answer.json
    assert MyEnrollmentsAnswer().validate(answer.json) == {}
    return answer.json["items"]


def test_the_level_is_told_in_the_programs_words_and_numbers(clinic: Knocker, patient: Knocker) -> None:
    place(clinic, patient, starts_at=MONDAY)
    answer = mine(patient)
    assert answer["status"] == "active"
    assert answer["status_text"] == "You are in the Intensive Outpatient Program."
    assert answer["since"] == MONDAY
    assert answer["time_zone"] == "America/New_York"
    assert (answer["level"]["hours_per_week"]["min"], answer["level"]["hours_per_week"]["max"]) == (9, 15)
    assert answer["level"]["duration"]["text"] == "often 8 to 12 weeks"


def test_what_typically_follows_is_told_without_a_date(clinic: Knocker, patient: Knocker) -> None:
    place(clinic, patient, starts_at=MONDAY)
    follows = mine(patient)["follows"]
    assert [one["slug"] for one in follows["programs"]] == ["op"]
    assert "Outpatient Program" in follows["text"]
    assert not any(character.isdigit() for character in follows["text"])


def test_weeks_change_nothing_about_what_a_patient_reads(
    clinic: Knocker, patient: Knocker, travel: Callable[[str], object]
) -> None:
    place(clinic, patient, starts_at=MONDAY)
    travel("2026-11-03T15:00:00Z")
    first_day = mine(patient)
    travel("2027-03-30T14:00:00Z")
    assert mine(patient) == first_day


def test_nothing_follows_the_lowest_level(clinic: Knocker, patient: Knocker) -> None:
    place(clinic, patient, "op", starts_at=MONDAY)
    assert mine(patient)["follows"]["programs"] == []
    assert mine(patient)["level"]["duration"]["text"] == "ongoing"


def test_the_words_come_in_the_patients_language(clinic: Knocker, new_patient: Callable[..., Knocker]) -> None:
    patient = new_patient(language="es")
    place(clinic, patient, starts_at=MONDAY)
    answer = mine(patient)
    assert "Programa ambulatorio intensivo" in answer["status_text"]
    assert answer["level"]["duration"]["text"] == "a menudo, de 8 a 12 semanas"
    assert answer["level"]["translation_reviewed"] is False
    assert stays(patient)[0]["moments"][0]["text"].startswith("Usted comenzó")


def test_who_was_never_placed_reads_how_to_begin(patient: Knocker) -> None:
    answer = mine(patient)
    assert answer["status"] == "none"
    assert not {"level", "since", "follows"} & set(answer)
    assert answer["contact"]["text"].startswith("If you want to start")
    assert stays(patient) == []


def test_a_place_that_begins_later_is_told_as_such(
    clinic: Knocker, patient: Knocker, travel: Callable[[str], object]
) -> None:
    travel("2026-11-23T15:00:00Z")
    place(clinic, patient, starts_at="2026-11-30T15:00:00Z")
    assert mine(patient)["status"] == "planned"
    assert stays(patient)[0]["moments"][0]["kind"] == "planned"
    travel("2026-11-30T15:00:00Z")
    assert mine(patient)["status"] == "active"
    assert stays(patient)[0]["moments"][0]["kind"] == "started"


def test_a_pause_is_told_in_plain_words(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    decide(clinic, iop, "pause", reason="incarcerated", effective_at="2026-11-09T15:00:00Z")
    answer = mine(patient)
    assert (answer["status"], answer["since"], answer["paused_since"]) == ("paused", MONDAY, "2026-11-09T15:00:00Z")


def test_after_discharge_reads_help_and_a_way_back_remain(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    decide(clinic, iop, "discharge", reason="left_against_advice", effective_at="2026-11-16T15:00:00Z")
    answer = mine(patient)
    assert (answer["status"], answer["ended_at"]) == ("ended", "2026-11-16T15:00:00Z")
    assert "come back" in answer["contact"]["text"]
    assert {one["number"] for one in answer["help"]["resources"]} >= {"911", "988"}
    assert "follows" not in answer
    assert len(stays(patient)) == 1


def test_crisis_help_stands_beside_it_always_and_promises_no_look(clinic: Knocker, patient: Knocker) -> None:
    before = mine(patient)["help"]
    place(clinic, patient, starts_at=MONDAY)
    assert mine(patient)["help"] == before
    assert "attention_note" not in before


def test_the_timeline_tells_each_stay_and_each_moment_once(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    decide(clinic, iop, "pause", reason="medical", effective_at="2026-11-04T15:00:00Z")
    decide(clinic, iop, "resume", effective_at="2026-11-06T15:00:00Z")
    op = step_down(clinic, iop, effective_at="2026-11-16T15:00:00Z").json["next_enrollment"]
    decide(clinic, op, "discharge", reason="completed", effective_at="2026-11-20T15:00:00Z")
    told = [[(moment["kind"], moment["text"]) for moment in stay["moments"]] for stay in stays(patient)]
    assert told == [
        [
            ("started", "You started the Intensive Outpatient Program."),
            ("paused", "Your program was paused."),
            ("resumed", "Your program went on."),
        ],
        [
            ("moved", "You moved from the Intensive Outpatient Program to the Outpatient Program."),
            ("ended", "Your time in the Outpatient Program ended."),
        ],
    ]


def test_what_was_entered_in_error_is_not_told(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    decide(clinic, step_down(clinic, iop).json["next_enrollment"], "correct")
    (stay,) = stays(patient)
    assert [moment["kind"] for moment in stay["moments"]] == ["started"]
    assert mine(patient)["level"]["slug"] == "iop"


@pytest.mark.parametrize("reason", ["left_against_advice", "lost_to_follow_up", "incarcerated", "administrative"])
def test_no_reason_code_reaches_the_patient(clinic: Knocker, patient: Knocker, reason: str) -> None:
    decide(clinic, place(clinic, patient, starts_at=MONDAY), "discharge", reason=reason)
    for address in ("/v1/me/enrollment", "/v1/me/enrollments"):
        said = patient.get(address).text
        assert reason not in said
        assert reason.replace("_", " ") not in said
        assert '"reason"' not in said


def test_another_patient_reads_nothing_of_it(clinic: Knocker, patient: Knocker, other_patient: Knocker) -> None:
    place(clinic, patient, starts_at=MONDAY)
    assert mine(other_patient)["status"] == "none"
    assert stays(other_patient) == []


def test_a_long_way_is_read_page_by_page(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    step_down(clinic, iop)
    first = patient.get("/v1/me/enrollments?page_size=1").json
    second = patient.get(f"/v1/me/enrollments?page_size=1&page_token={first['next_page_token']}").json
    assert [page["items"][0]["program"]["slug"] for page in (first, second)] == ["iop", "op"]
    assert "next_page_token" not in second

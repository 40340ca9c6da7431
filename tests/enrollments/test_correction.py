"""A correction takes the latest fact back by a further one; what was recorded by mistake stays on record."""

from typing import Any

from tests.enrollments.deciding import decide, on_record, place, step_down
from tests.knocking import Knocker

MONDAY = "2026-11-02T15:00:00Z"


def kinds(enrollment: dict[str, Any]) -> list[str]:
    return [fact["kind"] for fact in enrollment["facts"]]


def test_a_placement_by_mistake_never_held_and_stays_on_record(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    corrected = decide(clinic, iop, "correct", reason="entered_in_error").json["enrollment"]
    assert corrected["status"] == "entered_in_error"
    assert kinds(corrected) == ["started", "corrected"]
    assert corrected["facts"][1]["corrects"] == corrected["facts"][0]["id"]
    assert corrected["facts"][0] == iop["facts"][0]


def test_the_right_placement_takes_the_place_of_the_mistaken_one(clinic: Knocker, patient: Knocker) -> None:
    decide(clinic, place(clinic, patient, starts_at=MONDAY), "correct")
    place(clinic, patient, "op", starts_at=MONDAY)
    assert [one["status"] for one in on_record(clinic, patient)] == ["entered_in_error", "active"]


def test_taking_a_step_back_lets_the_level_before_go_on(clinic: Knocker, patient: Knocker) -> None:
    stepped = step_down(clinic, place(clinic, patient, starts_at=MONDAY))
    decide(clinic, stepped.json["next_enrollment"], "correct")
    iop, op = on_record(clinic, patient)
    assert (iop["status"], kinds(iop)) == ("active", ["started", "ended", "corrected"])
    assert (op["status"], kinds(op)) == ("entered_in_error", ["started", "corrected"])
    assert "ended_at" not in iop


def test_a_step_back_leads_to_the_pause_that_was_there_before(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    paused = decide(clinic, iop, "pause", reason="medical", effective_at="2026-11-09T15:00:00Z").json["enrollment"]
    decide(clinic, step_down(clinic, iop).json["next_enrollment"], "correct")
    again = on_record(clinic, patient)[0]
    assert (again["status"], again["status_since"]) == ("paused", paused["status_since"])


def test_a_step_is_taken_back_where_it_led(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    step_down(clinic, iop)
    refused = decide(clinic, iop, "correct")
    assert refused.status_code == 409
    assert refused.json["type"].endswith("/problems/followed-by-another")


def test_a_discharge_by_mistake_is_taken_back(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    decide(clinic, iop, "discharge", reason="administrative")
    again = decide(clinic, iop, "correct").json["enrollment"]
    assert (again["status"], again["status_since"]) == ("active", MONDAY)
    assert "ended_at" not in again


def test_a_discharge_is_not_taken_back_over_a_later_placement(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    decide(clinic, iop, "discharge", reason="completed", effective_at="2026-11-09T15:00:00Z")
    op = place(clinic, patient, "op", starts_at="2026-11-16T15:00:00Z")
    refused = decide(clinic, iop, "correct")
    assert refused.json["type"].endswith("/problems/already-enrolled")
    assert on_record(clinic, patient)[1] == op


def test_corrections_go_back_one_fact_at_a_time(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    decide(clinic, iop, "pause", reason="medical", effective_at="2026-11-09T15:00:00Z")
    decide(clinic, iop, "resume", effective_at="2026-11-10T15:00:00Z")
    statuses = [decide(clinic, iop, "correct").json["enrollment"]["status"] for _ in range(3)]
    assert statuses == ["paused", "active", "entered_in_error"]
    assert kinds(on_record(clinic, patient)[0]) == ["started", "paused", "resumed", *["corrected"] * 3]

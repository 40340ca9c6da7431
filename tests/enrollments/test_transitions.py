"""Steps, pauses and discharge, with reason and date; nothing on record is overwritten."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.enrollments.deciding import decide, on_record, place, step_down
from tests.knocking import Knocker

MONDAY = "2026-11-02T15:00:00Z"


def test_a_step_down_ends_one_level_and_begins_the_next_at_the_same_instant(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    stepped = step_down(clinic, iop, effective_at="2026-11-16T15:00:00Z")
    assert stepped.status_code == 200
    ended, begun = stepped.json["enrollment"], stepped.json["next_enrollment"]
    assert (ended["status"], ended["ended_at"]) == ("ended", "2026-11-16T15:00:00Z")
    assert (begun["program"], begun["status"], begun["starts_at"]) == ("op", "active", "2026-11-16T15:00:00Z")
    assert begun["stepped_from"] == iop["id"]
    assert begun["focus"] == iop["focus"]
    assert stepped.json["dry_run"] is False


def test_a_step_may_change_what_the_stay_is_about(clinic: Knocker, patient: Knocker) -> None:
    stepped = step_down(clinic, place(clinic, patient, starts_at=MONDAY), focus=["mental_health"])
    assert stepped.json["next_enrollment"]["focus"] == ["mental_health"]


def test_a_step_up_is_the_clinics_decision_with_a_reason(clinic: Knocker, patient: Knocker) -> None:
    op = place(clinic, patient, "op", starts_at=MONDAY)
    assert decide(clinic, op, "step_up", program="iop").status_code == 422
    stepped = decide(clinic, op, "step_up", program="iop", reason="stepped_up")
    assert stepped.json["next_enrollment"]["program"] == "iop"


@pytest.mark.parametrize(
    ("origin", "kind", "target"), [("op", "step_down", "iop"), ("iop", "step_up", "op"), ("iop", "step_up", "iop")]
)
def test_a_step_in_the_wrong_direction_is_refused(
    clinic: Knocker, patient: Knocker, origin: str, kind: str, target: str
) -> None:
    refused = decide(clinic, place(clinic, patient, origin), kind, program=target, reason="administrative")
    assert refused.status_code == 422
    assert refused.json["type"].endswith("/problems/untypical-step")


def test_nobody_steps_into_a_program_that_is_not_offered(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    refused = decide(clinic, iop, "step_up", program="php", reason="stepped_up")
    assert refused.json["type"].endswith("/problems/not-offered-here")
    assert on_record(clinic, patient) == [iop]


def test_a_pause_and_its_end_are_facts_beside_each_other(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    paused = decide(clinic, iop, "pause", reason="medical", effective_at="2026-11-09T15:00:00Z").json["enrollment"]
    assert (paused["status"], paused["status_since"]) == ("paused", "2026-11-09T15:00:00Z")
    resumed = decide(clinic, iop, "resume", effective_at="2026-11-16T15:00:00Z").json["enrollment"]
    assert (resumed["status"], resumed["status_since"]) == ("active", "2026-11-16T15:00:00Z")
    facts = [(fact["kind"], fact.get("reason")) for fact in resumed["facts"]]
    assert facts == [("started", None), ("paused", "medical"), ("resumed", None)]


def test_a_discharge_keeps_its_reason_for_the_clinic(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    ended = decide(clinic, iop, "discharge", reason="lost_to_follow_up").json["enrollment"]
    assert ended["status"] == "ended"
    assert ended["facts"][-1]["reason"] == "lost_to_follow_up"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"kind": "discharge", "reason": "completed"}, {"kind": "discharge", "reason": "completed"}),
        ({"kind": "discharge", "reason": "completed"}, {"kind": "pause", "reason": "medical"}),
        ({"kind": "pause", "reason": "medical"}, {"kind": "pause", "reason": "medical"}),
        ({"kind": "correct"}, {"kind": "correct"}),
        (None, {"kind": "resume"}),
    ],
)
def test_what_does_not_fit_the_state_is_refused(
    clinic: Knocker, patient: Knocker, first: dict[str, str] | None, second: dict[str, str]
) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    if first:
        assert decide(clinic, iop, **first).status_code == 200
    refused = decide(clinic, iop, **second)
    assert refused.status_code == 409
    assert refused.json["type"].endswith("/problems/transition-does-not-fit")
    assert refused.json["retry"] == "after_refresh"


def test_a_transition_is_recorded_when_it_takes_effect_never_ahead(
    clinic: Knocker, patient: Knocker, travel: Callable[[str], object]
) -> None:
    travel("2026-11-23T15:00:00Z")
    iop = place(clinic, patient, starts_at=MONDAY)
    refused = decide(clinic, iop, "discharge", reason="completed", effective_at="2026-11-23T15:06:00Z")
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/effective_at"
    hasty = decide(clinic, iop, "discharge", reason="completed", effective_at="2026-11-23T15:04:00Z")
    assert hasty.json["enrollment"]["ended_at"] == "2026-11-23T15:00:00Z"


def test_nothing_takes_effect_before_what_was_recorded_last(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    decide(clinic, iop, "pause", reason="medical", effective_at="2026-11-09T15:00:00Z")
    refused = decide(clinic, iop, "resume", effective_at="2026-11-09T14:59:59Z")
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "/effective_at"


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"kind": "graduate"}, "/kind"),
        ({"kind": "step_down", "reason": "completed"}, "/program"),
        ({"kind": "pause", "reason": "medical", "program": "op"}, "/program"),
        ({"kind": "pause", "reason": "medical", "focus": ["mental_health"]}, "/focus"),
        ({"kind": "pause"}, "/reason"),
        ({"kind": "pause", "reason": "deceased"}, "/reason"),
        ({"kind": "discharge", "reason": "entered_in_error"}, "/reason"),
        ({"kind": "discharge", "reason": "graduated"}, "/reason"),
        ({"kind": "correct", "effective_at": MONDAY}, "/effective_at"),
        ({"kind": "resume", "dry_run": "yes"}, "/dry_run"),
    ],
)
def test_a_decision_that_does_not_fit_names_the_place(
    clinic: Knocker, patient: Knocker, asked: dict[str, Any], pointer: str
) -> None:
    refused = decide(clinic, place(clinic, patient), **asked)
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


def test_the_same_key_decides_once(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    first, again = (step_down(clinic, iop, key="step-1") for _ in range(2))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json == first.json
    assert len(on_record(clinic, patient)) == 2


def test_a_death_ends_the_enrollment_in_the_same_transaction(clinic: Knocker, patient: Knocker) -> None:
    place(clinic, patient, starts_at=MONDAY)
    clinic.put(f"/v1/clinic/patients/{patient.external_id}/status", json={"status": "deceased"})
    (ended,) = on_record(clinic, patient)
    assert ended["status"] == "ended"
    assert ended["facts"][-1]["reason"] == "deceased"


def test_a_death_before_the_first_day_leaves_nothing_planned(
    clinic: Knocker, patient: Knocker, travel: Callable[[str], object]
) -> None:
    travel("2026-11-23T15:00:00Z")
    place(clinic, patient, starts_at="2026-11-30T15:00:00Z")
    clinic.put(f"/v1/clinic/patients/{patient.external_id}/status", json={"status": "deceased"})
    (ended,) = on_record(clinic, patient)
    assert ended["starts_at"] == ended["ended_at"] == "2026-11-30T15:00:00Z"


def test_a_suspended_account_changes_nothing_about_the_enrollment(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    clinic.put(f"/v1/clinic/patients/{patient.external_id}/status", json={"status": "suspended"})
    assert on_record(clinic, patient) == [iop]


def test_an_enrollment_that_does_not_exist_is_not_found(clinic: Knocker) -> None:
    nobodys = {"id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01"}
    assert decide(clinic, nobodys, "discharge", reason="completed").status_code == 404


def test_who_decided_about_whom_is_on_record(
    clinic: Knocker, patient: Knocker, owner_sql: Callable[..., list[tuple[Any, ...]]]
) -> None:
    step_down(clinic, place(clinic, patient, starts_at=MONDAY))
    rows = owner_sql(
        "SELECT operation, action, patient_id, acting_user FROM audit_events WHERE resource_id IS NOT NULL ORDER BY id"
    )
    assert rows == [
        ("createEnrollment", "create", patient.id, "u-17"),
        ("createTransition", "create", patient.id, "u-17"),
    ]

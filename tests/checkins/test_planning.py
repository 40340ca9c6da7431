"""A preview of a step lists the check-ins that it changes, and the real step changes the same."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.checkins.giving import MOOD, given
from tests.enrollments.deciding import decide, place, step_down
from tests.knocking import Knocker


@pytest.fixture
def enrolled(patient: Knocker, clinic: Knocker, travel: Callable[[str], Any]) -> dict[str, Any]:
    travel("2026-11-02T15:00:00+00:00")
    found = place(clinic, patient)
    travel("2026-11-20T15:00:00+00:00")
    return found


def changed(answer: Any) -> list[tuple[str, str, str]]:
    assert answer.status_code in (200, 201), answer.json
    changes = answer.json["changes"]
    return [(one["what"], one["action"], one["at"]) for one in changes if one["kind"] == "check_in"]


def test_a_step_down_moves_the_phq_9_and_leaves_today_s_check_in(
    patient: Knocker, clinic: Knocker, enrolled: dict[str, Any]
) -> None:
    assert changed(step_down(clinic, enrolled, dry_run=True)) == [
        ("phq-9", "removed", "2026-11-16T10:00:00Z"),
        ("phq-9", "added", "2026-11-20T10:00:00Z"),
        ("phq-9", "removed", "2026-11-30T10:00:00Z"),
        ("phq-9", "added", "2026-12-18T10:00:00Z"),
    ]


def test_the_real_step_lists_what_its_preview_listed(
    patient: Knocker, clinic: Knocker, enrolled: dict[str, Any]
) -> None:
    assert changed(step_down(clinic, enrolled, dry_run=True)) == changed(step_down(clinic, enrolled))


@pytest.mark.parametrize(
    ("kind", "reason", "action"), [("pause", "medical", "held"), ("discharge", "completed", "removed")]
)
def test_pause_and_discharge_take_away_what_is_due_and_what_comes_next(
    patient: Knocker, clinic: Knocker, enrolled: dict[str, Any], kind: str, reason: str, action: str
) -> None:
    assert changed(decide(clinic, enrolled, kind, reason=reason)) == [
        ("phq-9", action, "2026-11-16T10:00:00Z"),
        ("daily", action, "2026-11-20T10:00:00Z"),
        ("daily", action, "2026-11-21T10:00:00Z"),
        ("phq-9", action, "2026-11-30T10:00:00Z"),
    ]


def test_what_is_answered_already_is_not_changed(patient: Knocker, clinic: Knocker, enrolled: dict[str, Any]) -> None:
    given(patient, answers=[MOOD])
    assert ("daily", "removed", "2026-11-20T10:00:00Z") not in changed(
        decide(clinic, enrolled, "discharge", reason="completed")
    )


def test_what_the_clinic_switched_off_is_not_changed(
    patient: Knocker, clinic: Knocker, enrolled: dict[str, Any]
) -> None:
    clinic.put(f"/v1/clinic/patients/{patient.external_id}/instruments/daily", json={"offered": False})
    found = changed(decide(clinic, enrolled, "discharge", reason="completed"))
    assert {what for what, _, _ in found} == {"phq-9"}


def test_after_a_pause_they_are_released(patient: Knocker, clinic: Knocker, enrolled: dict[str, Any]) -> None:
    decide(clinic, enrolled, "pause", reason="medical")
    assert {action for _, action, _ in changed(decide(clinic, enrolled, "resume"))} == {"released"}

"""The clinic reads what patients reported, reviews it, and sets what is asked and what becomes a task."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from tests.checkins.giving import ITEM_9, LOW, MONDAY, given, phq9, tasks
from tests.knocking import Knocker

HIGH = phq9(2, 2, 2, 2, 2, 2, 0, 0, 0)


@pytest.fixture(autouse=True)
def monday(travel: Callable[[str], Any]) -> None:
    travel(MONDAY)


@pytest.fixture
def sets(clinic: Knocker, owner_sql: Callable[..., list[Any]]) -> Iterator[Callable[..., Any]]:
    """Sets what the clinic sets about the PHQ-9, and puts the house's defaults back afterwards."""
    address = "/v1/clinic/instruments/phq-9/settings"
    kept = owner_sql("SELECT * FROM check_in_schedules")

    def put(**asked: Any) -> Any:
        found = clinic.get(address)
        body = {"schedules": found.json["schedules"], **asked}
        return clinic.put(address, json=body, if_match=found.headers["ETag"])

    yield put
    owner_sql("DELETE FROM check_in_schedules")
    for row in kept:
        owner_sql("INSERT INTO check_in_schedules VALUES (%s, %s, %s, %s, %s, %s)", *row)


def reported(clinic: Knocker, patient: Knocker, query: str = "") -> list[dict[str, Any]]:
    answer = clinic.get(f"/v1/clinic/patients/{patient.external_id}/check-ins{query}")
    assert answer.status_code == 200, answer.json
    found: list[dict[str, Any]] = answer.json["items"]
    return found


def review(clinic: Knocker, patient: Knocker, check_in_id: str) -> Any:
    return clinic.post(f"/v1/clinic/patients/{patient.external_id}/check-ins/{check_in_id}/review")


def test_a_report_is_self_reported_unreviewed_and_has_its_band(patient: Knocker, clinic: Knocker) -> None:
    given(patient, "phq-9", HIGH)
    (found,) = reported(clinic, patient)
    assert (found["self_reported"], found["reviewed"]) == (True, False)
    assert (found["total"], found["band"], found["screen_positive"]) == (12, "moderate", True)


def test_a_partial_report_has_neither_number_nor_band(patient: Knocker, clinic: Knocker) -> None:
    given(patient, "phq-9", HIGH[:8])
    (found,) = reported(clinic, patient)
    assert not {"total", "band", "screen_positive"} & set(found)
    assert "partial" in found["flags"]


def test_a_review_names_the_person_and_the_first_stands(patient: Knocker, clinic: Knocker) -> None:
    kept = given(patient, "phq-9", LOW)
    answer = review(clinic, patient, kept["id"])
    assert (answer.json["reviewed"], answer.json["reviewed_by"], answer.json["reviewed_role"]) == (
        True,
        "u-17",
        "counselor",
    )
    clinic.headers["Acting-User"] = '"u-18";role=nurse'
    assert review(clinic, patient, kept["id"]).json["reviewed_by"] == "u-17"


def test_what_nobody_has_looked_at_yet_can_be_listed(patient: Knocker, clinic: Knocker) -> None:
    first, second = given(patient, "phq-9", LOW), given(patient)
    review(clinic, patient, first["id"])
    assert [one["id"] for one in reported(clinic, patient, "?reviewed=false")] == [second["id"]]
    assert [one["id"] for one in reported(clinic, patient, "?reviewed=true")] == [first["id"]]


def test_one_patient_s_report_is_not_another_s(patient: Knocker, other_patient: Knocker, clinic: Knocker) -> None:
    kept = given(patient)
    assert reported(clinic, other_patient) == []
    assert review(clinic, other_patient, kept["id"]).status_code == 404
    assert clinic.get("/v1/clinic/patients/nobody/check-ins").status_code == 404


def test_without_a_value_set_no_total_is_a_task(patient: Knocker, clinic: Knocker) -> None:
    given(patient, "phq-9", HIGH)
    assert tasks(clinic) == []


def test_a_total_over_the_value_that_the_clinic_set_is_a_task(
    patient: Knocker, clinic: Knocker, sets: Callable[..., Any]
) -> None:
    assert sets(task_over_total=11).status_code == 200
    given(patient, "phq-9", LOW)
    assert tasks(clinic) == []
    kept = given(patient, "phq-9", HIGH)
    (task,) = tasks(clinic)
    assert (task["cause"], task["subject_id"], task["patient_external_id"]) == (
        "score_to_look_at",
        kept["id"],
        patient.external_id,
    )


def test_a_total_at_the_value_is_not_over_it(patient: Knocker, clinic: Knocker, sets: Callable[..., Any]) -> None:
    sets(task_over_total=12)
    given(patient, "phq-9", HIGH)
    assert tasks(clinic) == []


def test_the_task_closes_with_the_review_of_the_last_such_total(
    patient: Knocker, clinic: Knocker, sets: Callable[..., Any]
) -> None:
    sets(task_over_total=11)
    ids = [given(patient, "phq-9", HIGH)["id"] for _ in range(2)]
    assert [task["times"] for task in tasks(clinic)] == [2]
    review(clinic, patient, ids[0])
    assert len(tasks(clinic)) == 1
    review(clinic, patient, ids[1])
    assert tasks(clinic) == []


def test_the_same_check_in_again_is_no_further_task(
    patient: Knocker, clinic: Knocker, sets: Callable[..., Any]
) -> None:
    sets(task_over_total=11)
    kept = given(patient, "phq-9", HIGH)
    given(patient, "phq-9", HIGH, id=kept["id"])
    assert [task["times"] for task in tasks(clinic)] == [1]


def test_an_alert_is_no_task_and_a_task_is_no_alert(patient: Knocker, clinic: Knocker) -> None:
    given(patient, "phq-9", ITEM_9)
    assert tasks(clinic) == []


def test_the_clinic_sets_how_often_a_level_of_care_asks(clinic: Knocker, sets: Callable[..., Any]) -> None:
    weekly = {
        "program_slug": "iop",
        "every_days": 7,
        "opens_local": "06:30",
        "overdue_after_hours": 24,
        "closes_after_hours": 72,
    }
    answer = sets(schedules=[weekly])
    assert answer.json["schedules"] == [weekly]
    assert clinic.get("/v1/clinic/instruments/phq-9/settings").json["schedules"] == [weekly]


@pytest.mark.parametrize(
    "wrong",
    [
        {"overdue_after_hours": 90},
        {"closes_after_hours": 400},
        {"program_slug": "no-such-program"},
    ],
    ids=["overdue after closing", "closes after the next opens", "no such program"],
)
def test_a_schedule_that_cannot_be_is_refused(sets: Callable[..., Any], wrong: dict[str, Any]) -> None:
    right = {
        "program_slug": "iop",
        "every_days": 14,
        "opens_local": "05:00",
        "overdue_after_hours": 72,
        "closes_after_hours": 80,
    }
    assert sets(schedules=[{**right, **wrong}]).status_code == 422


def test_of_two_who_set_at_once_one_is_told(clinic: Knocker, sets: Callable[..., Any]) -> None:
    address = "/v1/clinic/instruments/phq-9/settings"
    stale = clinic.get(address).headers["ETag"]
    sets(task_over_total=11)
    refused = clinic.put(address, json={"task_over_total": 5, "schedules": []}, if_match=stale)
    assert refused.status_code == 412
    assert clinic.put(address, json={"schedules": []}).status_code == 428


def test_switches_are_listed_for_every_instrument(patient: Knocker, clinic: Knocker) -> None:
    address = f"/v1/clinic/patients/{patient.external_id}/instruments"
    clinic.put(f"{address}/phq-9", json={"offered": False})
    found = {one["instrument"]: one["offered"] for one in clinic.get(address).json["items"]}
    assert found == {"daily": True, "phq-9": False}
    assert clinic.put(f"{address}/gad-7", json={"offered": False}).status_code == 404


def test_a_review_of_nothing_is_not_there(patient: Knocker, clinic: Knocker) -> None:
    assert review(clinic, patient, str(UUID(int=5))).status_code == 404

"""Tasks: one open per patient and cause, taken on by a person, closing when the cause is gone."""

from typing import Any

import pytest

from api import clock, db
from api.staff import tasks
from tests.knocking import Knocker

CAUSE = "score_to_look_at"


def as_patient(patient: Knocker) -> Any:
    return db.transaction(db.Caller(kind="patient", patient_id=patient.id))


def comes_up(patient: Knocker, cause: str = CAUSE) -> None:
    with as_patient(patient):
        assert patient.id
        tasks.open_task(patient_id=patient.id, cause=cause, at=clock.now(), subject_id=db.uuid7())


def found(clinic: Knocker, query: str = "") -> list[dict[str, Any]]:
    answer = clinic.get(f"/v1/clinic/tasks{query}")
    assert answer.status_code == 200, answer.json
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def act(clinic: Knocker, what: str, task_id: str) -> Any:
    if what == "claim":
        return clinic.post(f"/v1/clinic/tasks/{task_id}/claim")
    return clinic.post(f"/v1/clinic/tasks/{task_id}/completion", json={"outcome": "Talked it through."})


def test_a_cause_that_comes_up_twice_is_one_task(patient: Knocker, clinic: Knocker) -> None:
    comes_up(patient)
    comes_up(patient)
    assert [(task["cause"], task["times"], task["status"]) for task in found(clinic)] == [(CAUSE, 2, "open")]


def test_two_causes_are_two_tasks(patient: Knocker, clinic: Knocker) -> None:
    comes_up(patient)
    comes_up(patient, "outreach")
    assert len(found(clinic)) == 2
    assert [task["cause"] for task in found(clinic, "?cause=outreach")] == ["outreach"]


def test_a_task_closes_itself_when_its_cause_is_gone(patient: Knocker, clinic: Knocker) -> None:
    comes_up(patient)
    with db.transaction(db.SYSTEM):
        assert patient.id
        tasks.cause_is_gone(patient_id=patient.id, cause=CAUSE, at=clock.now())
    assert found(clinic) == []
    assert [task["status"] for task in found(clinic, "?status=cause_gone")] == ["cause_gone"]


def test_a_claim_names_the_person(patient: Knocker, clinic: Knocker) -> None:
    comes_up(patient)
    task = act(clinic, "claim", found(clinic)[0]["id"]).json
    assert (task["status"], task["claimed_by"], task["claimed_role"]) == ("claimed", "u-17", "counselor")


def test_claiming_twice_is_once_and_another_person_s_claim_is_refused(patient: Knocker, clinic: Knocker) -> None:
    comes_up(patient)
    task_id = found(clinic)[0]["id"]
    assert [act(clinic, "claim", task_id).status_code for _ in range(2)] == [200, 200]
    clinic.headers["Acting-User"] = '"u-18";role=nurse'
    assert act(clinic, "claim", task_id).json["type"].endswith("/task-taken")


def test_whoever_has_it_a_task_can_be_completed_and_stays_so(patient: Knocker, clinic: Knocker) -> None:
    comes_up(patient)
    task_id = found(clinic)[0]["id"]
    act(clinic, "claim", task_id)
    clinic.headers["Acting-User"] = '"u-18";role=nurse'
    done = act(clinic, "completion", task_id).json
    assert (done["status"], done["closed_by"], done["outcome"]) == ("completed", "u-18", "Talked it through.")
    assert act(clinic, "completion", task_id).json == done
    assert act(clinic, "claim", task_id).status_code == 409


def test_after_completion_the_cause_may_come_up_anew(patient: Knocker, clinic: Knocker) -> None:
    comes_up(patient)
    act(clinic, "completion", found(clinic)[0]["id"])
    comes_up(patient)
    assert [task["status"] for task in found(clinic)] == ["open"]


@pytest.mark.parametrize("column", ["claimed_by", "outcome", "cause", "closed_by"])
def test_a_patient_s_role_cannot_write_what_staff_say(patient: Knocker, column: str) -> None:
    comes_up(patient, "request_to_move")
    with pytest.raises(Exception, match="permission denied"), as_patient(patient) as session:
        session.connection().exec_driver_sql(f"UPDATE tasks SET {column} = NULL")


@pytest.mark.parametrize("cause", ["outreach", "request_to_move"])
def test_a_patient_s_role_closes_nothing_as_done(patient: Knocker, cause: str) -> None:
    comes_up(patient, cause)
    with pytest.raises(Exception, match="row-level security"), as_patient(patient) as session:
        session.connection().exec_driver_sql("UPDATE tasks SET status = 'completed', closed_at = now()")


def test_a_patient_s_role_takes_back_a_request_to_move_and_nothing_else(patient: Knocker, clinic: Knocker) -> None:
    for cause in ("outreach", "request_to_move"):
        comes_up(patient, cause)
    with pytest.raises(Exception, match="row-level security"), as_patient(patient):
        tasks.cause_is_gone(patient_id=patient.id, cause="outreach", at=clock.now())
    with as_patient(patient):
        tasks.cause_is_gone(patient_id=patient.id, cause="request_to_move", at=clock.now())
    assert [task["cause"] for task in found(clinic)] == ["outreach"]

"""Safety alerts: one open per patient, told until acknowledged, and speaking of people at the clinic."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest

from api import clock, db
from api.staff import service as staff
from api.staff.service import SafetyAnswer
from tests.knocking import Knocker

ITEM_9 = SafetyAnswer("phq-9", "phq9_9", "1")
NOT_SAFE = SafetyAnswer("daily", "safe_now", "no")


def hit(patient: Knocker, source: str = "one", answers: Sequence[SafetyAnswer] = (ITEM_9,), **more: Any) -> bool:
    with db.transaction(db.Caller(kind="patient", patient_id=patient.id)):
        assert patient.id
        return staff.raise_alert(patient_id=patient.id, answers=answers, source=source, at=clock.now(), **more)


def alerts(clinic: Knocker, query: str = "") -> list[dict[str, Any]]:
    answer = clinic.get(f"/v1/clinic/alerts{query}")
    assert answer.status_code == 200, answer.json
    found: list[dict[str, Any]] = answer.json["items"]
    return found


def acknowledge(clinic: Knocker, alert_id: str, **asked: Any) -> Any:
    return clinic.post(f"/v1/clinic/alerts/{alert_id}/acknowledgement", json={"hits_seen": 1, **asked})


def test_a_safety_answer_opens_an_alert(patient: Knocker, clinic: Knocker) -> None:
    hit(patient, circumstances=["late"])
    (alert,) = alerts(clinic)
    assert (alert["patient_external_id"], alert["status"], alert["hits_total"]) == (patient.external_id, "open", 1)
    assert alert["hits"][0]["item"] == "phq9_9"
    assert alert["hits"][0]["circumstances"] == ["late"]


def test_further_hits_append_to_the_one_that_is_open(patient: Knocker, clinic: Knocker) -> None:
    hit(patient, "one")
    hit(patient, "two", [ITEM_9, NOT_SAFE])
    (alert,) = alerts(clinic)
    assert [found["item"] for found in alert["hits"]] == ["phq9_9", "phq9_9", "safe_now"]


def test_each_patient_has_an_alert_of_their_own(patient: Knocker, other_patient: Knocker, clinic: Knocker) -> None:
    hit(patient)
    hit(other_patient)
    assert {alert["patient_external_id"] for alert in alerts(clinic)} == {
        patient.external_id,
        other_patient.external_id,
    }


def test_the_same_body_sent_again_is_the_same_hit(patient: Knocker, clinic: Knocker) -> None:
    hit(patient)
    hit(patient)
    assert [alert["hits_total"] for alert in alerts(clinic)] == [1]


def test_a_kept_check_in_sent_again_after_acknowledgement_opens_nothing(patient: Knocker, clinic: Knocker) -> None:
    kept = db.uuid7()
    hit(patient, report_id=kept)
    acknowledge(clinic, alerts(clinic)[0]["id"])
    hit(patient, report_id=kept)
    assert [alert["status"] for alert in alerts(clinic)] == ["acknowledged"]


def test_a_refused_body_sent_again_after_acknowledgement_opens_a_new_alert(patient: Knocker, clinic: Knocker) -> None:
    hit(patient)
    acknowledge(clinic, alerts(clinic)[0]["id"])
    for _ in range(3):
        hit(patient)
    assert [(alert["status"], alert["hits_total"]) for alert in alerts(clinic)] == [("open", 1), ("acknowledged", 1)]


@pytest.mark.parametrize("kept_first", [True, False])
def test_what_was_acknowledged_in_a_refused_body_is_told_anew_when_it_is_kept_and_the_other_way_round(
    patient: Knocker, clinic: Knocker, kept_first: bool
) -> None:
    reports = [{"report_id": db.uuid7()}, {}]
    first, second = reports if kept_first else reversed(reports)
    hit(patient, **first)
    acknowledge(clinic, alerts(clinic)[0]["id"])
    hit(patient, **second)
    assert [alert["status"] for alert in alerts(clinic)] == ["open", "acknowledged"]


def test_raising_says_whether_anything_is_new(patient: Knocker) -> None:
    assert [hit(patient), hit(patient), hit(patient, "two")] == [True, False, True]


def test_two_at_once_with_one_body_are_one_hit(patient: Knocker, clinic: Knocker) -> None:
    at_once = Barrier(8)

    def send(_: int) -> bool:
        at_once.wait()
        return hit(patient)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(send, range(8))) == [False] * 7 + [True]
    assert [alert["hits_total"] for alert in alerts(clinic)] == [1]


def test_a_further_answer_after_acknowledgement_opens_a_new_alert(patient: Knocker, clinic: Knocker) -> None:
    hit(patient, "one")
    acknowledge(clinic, alerts(clinic)[0]["id"])
    hit(patient, "two")
    assert [alert["status"] for alert in alerts(clinic)] == ["open", "acknowledged"]
    assert len(alerts(clinic, "?status=open")) == 1


def test_an_acknowledgement_names_the_person_and_not_the_connector(patient: Knocker, clinic: Knocker) -> None:
    hit(patient)
    answer = acknowledge(clinic, alerts(clinic)[0]["id"], note="Called back.")
    assert answer.status_code == 200
    assert (answer.json["status"], answer.json["note"]) == ("acknowledged", "Called back.")
    assert (answer.json["acknowledged_by"], answer.json["acknowledged_role"]) == ("u-17", "counselor")


def test_the_first_to_acknowledge_stands(patient: Knocker, clinic: Knocker) -> None:
    hit(patient)
    alert_id = alerts(clinic)[0]["id"]
    acknowledge(clinic, alert_id)
    clinic.headers["Acting-User"] = '"u-18";role=nurse'
    assert acknowledge(clinic, alert_id).json["acknowledged_by"] == "u-17"


def test_what_was_not_seen_cannot_be_acknowledged(patient: Knocker, clinic: Knocker) -> None:
    hit(patient, "one")
    alert_id = alerts(clinic)[0]["id"]
    hit(patient, "two")
    refused = acknowledge(clinic, alert_id, hits_seen=1)
    assert (refused.status_code, refused.json["retry"], refused.json["hits"]) == (409, "after_refresh", 2)
    assert acknowledge(clinic, alert_id, hits_seen=2).status_code == 200


def test_who_acknowledges_says_how_much_they_read(patient: Knocker, clinic: Knocker) -> None:
    hit(patient)
    refused = clinic.post(f"/v1/clinic/alerts/{alerts(clinic)[0]['id']}/acknowledgement", json={"note": "Called."})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/hits_seen")


def test_an_alert_that_is_nobody_s_is_not_there(clinic: Knocker) -> None:
    assert clinic.get(f"/v1/clinic/alerts/{UUID(int=7)}").status_code == 404
    assert acknowledge(clinic, str(UUID(int=7))).status_code == 404


def test_a_patient_s_role_cannot_read_what_staff_wrote(patient: Knocker) -> None:
    hit(patient)
    with (
        pytest.raises(Exception, match="permission denied"),
        db.transaction(db.Caller(kind="patient", patient_id=patient.id)) as session,
    ):
        session.connection().exec_driver_sql("SELECT note FROM alerts")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE alerts SET status = 'acknowledged'",
        "UPDATE alerts SET next_notice_at = 'infinity'",
        "INSERT INTO alerts (id, patient_id, opened_at, next_notice_at, notices_sent)"
        " SELECT id, patient_id, now(), now(), 1 FROM alerts",
        "UPDATE alert_hits SET answer = '0'",
        "DELETE FROM alert_hits",
    ],
)
def test_a_patient_s_role_can_neither_acknowledge_nor_put_off(patient: Knocker, statement: str) -> None:
    hit(patient)
    with (
        pytest.raises(Exception, match="permission denied"),
        db.transaction(db.Caller(kind="patient", patient_id=patient.id)) as session,
    ):
        session.connection().exec_driver_sql(statement)


def test_pages_walk_over_every_alert_once(clinic: Knocker, new_patient: Callable[..., Knocker]) -> None:
    for _ in range(3):
        hit(new_patient())
    first = clinic.get("/v1/clinic/alerts?page_size=2").json
    second = clinic.get(f"/v1/clinic/alerts?page_size=2&page_token={first['next_page_token']}").json
    assert len({alert["id"] for alert in first["items"] + second["items"]}) == 3
    assert "next_page_token" not in second

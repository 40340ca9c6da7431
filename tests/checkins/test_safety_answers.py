"""A safety answer reaches a person at the clinic, whatever else becomes of the request that carried it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import orjson
import pytest

from api import clock
from api.messages import gateway
from api.messages.post import Post
from api.programs import about
from api.staff import duty, worker
from tests.checkins.giving import ITEM_9, MONDAY, NOT_SAFE, SAFE, alerts, body, give, given, phq9, told
from tests.enrollments.deciding import decide, place
from tests.knocking import Knocker

Sql = Callable[..., list[Any]]
TOLD = "Because of one of your answers, a message goes to the clinic's duty staff now."


@pytest.fixture(autouse=True)
def monday(travel: Callable[[str], Any]) -> None:
    travel(MONDAY)


def hits(clinic: Knocker) -> list[tuple[str, str, list[str]]]:
    return [(hit["item"], hit["answer"], hit["circumstances"]) for alert in alerts(clinic) for hit in alert["hits"]]


def test_item_9_puts_help_first_and_opens_an_alert(patient: Knocker, clinic: Knocker) -> None:
    answer = give(patient, "phq-9", ITEM_9)
    assert answer.json["help_first"] is True
    assert answer.get_data(as_text=True).startswith('{"help_first":true,"help":{')
    assert answer.json["total"] == 1, "the total is low, and the answer is flagged all the same"
    (alert,) = alerts(clinic)
    assert alert["patient_external_id"] == patient.external_id
    assert alert["hits"][0]["check_in_id"] == answer.json["id"]


def test_not_safe_now_puts_help_first_and_opens_an_alert(patient: Knocker, clinic: Knocker) -> None:
    kept = given(patient, answers=[NOT_SAFE])
    assert kept["help_first"] is True
    assert kept["messages"][0] == TOLD
    assert [hit[:2] for hit in hits(clinic)] == [("safe_now", "no")]


def test_it_is_first_again_when_it_is_read_again_and_nobody_is_said_to_be_told_then(patient: Knocker) -> None:
    kept = given(patient, answers=[NOT_SAFE])
    read = patient.get(f"/v1/me/check-ins/{kept['id']}").json
    assert read["help_first"] is True
    assert TOLD not in read["messages"]


def test_sent_again_it_is_first_again_and_nobody_is_said_to_be_told_anew(patient: Knocker) -> None:
    sent = body(answers=[NOT_SAFE])
    first, again = (patient.post("/v1/me/check-ins", json=sent).json for _ in range(2))
    assert (first["help_first"], TOLD in first["messages"]) == (True, True)
    assert (again["help_first"], TOLD in again["messages"]) == (True, False)


def test_where_there_is_nobody_to_tell_nobody_is_said_to_be_told(patient: Knocker) -> None:
    contacts = duty.contacts()
    duty.use((), needed=False)
    try:
        kept = given(patient, answers=[NOT_SAFE])
    finally:
        duty.use(contacts, needed=False)
    assert kept["help_first"] is True
    assert TOLD not in kept["messages"]


def test_the_duty_contact_is_told_at_once(patient: Knocker) -> None:
    sent = gateway.Recording()
    given(patient, "phq-9", ITEM_9)
    worker.tick(at=clock.now(), post=Post(house=sent), locations=[])
    assert [message.recipient for message in sent.attempts] == ["duty-1"]


def test_one_alert_is_open_and_further_answers_join_it(patient: Knocker, clinic: Knocker) -> None:
    given(patient, "phq-9", ITEM_9)
    given(patient, answers=[NOT_SAFE])
    assert len(alerts(clinic)) == 1
    assert {hit[0] for hit in hits(clinic)} == {"phq9_9", "safe_now"}


def test_late_it_alerts(patient: Knocker, clinic: Knocker) -> None:
    given(patient, "phq-9", ITEM_9, occurred_at=told(clock.now() - timedelta(days=3)))
    assert "late" in hits(clinic)[0][2]


def test_partial_it_alerts(patient: Knocker, clinic: Knocker) -> None:
    assert "total" not in given(patient, "phq-9", [{"item": "phq9_9", "number": 2}])
    assert "partial" in hits(clinic)[0][2]


def test_outside_the_window_it_alerts(patient: Knocker, clinic: Knocker) -> None:
    place(clinic, patient, starts_at="2026-11-09T15:00:00Z")
    given(patient, "phq-9", ITEM_9, occurred_at=told(clock.now() - timedelta(days=5)))
    assert {"outside_window", "late"} <= set(hits(clinic)[0][2])


def test_after_discharge_it_alerts(patient: Knocker, clinic: Knocker) -> None:
    enrollment = place(clinic, patient, starts_at="2026-11-02T15:00:00Z")
    decide(clinic, enrollment, "discharge", reason="completed")
    given(patient, "phq-9", ITEM_9)
    assert "after_discharge" in hits(clinic)[0][2]


def test_when_switched_off_it_alerts(patient: Knocker, clinic: Knocker) -> None:
    clinic.put(f"/v1/clinic/patients/{patient.external_id}/instruments/phq-9", json={"offered": False})
    given(patient, "phq-9", ITEM_9)
    assert "switched_off" in hits(clinic)[0][2]


@pytest.mark.parametrize(
    "wrong",
    [
        {"instrument_version": "0"},
        {"instrument": "no-such"},
        {"unknown_field": 1},
        {"id": "not a uuid"},
        {"occurred_at": "yesterday"},
        {"sent_at": None},
        {"answers": [*ITEM_9, {"item": "phq9_1", "number": 99}]},
        {"answers": [*ITEM_9, "nonsense"]},
        {"answers": {"phq9_9": 1}},
        {"answers": [{"item": "phq9_9", "number": "1"}]},
        {"answers": [{"item": {"key": "phq9_9"}, "number": 1}]},
        {"answers": [{"item": {"key": "phq9_9", "number": 1}}]},
        {"answers": [], "question": {"phq9_9": 1}},
        {"answers": [{"name": ITEM_9}]},
    ],
    ids=lambda wrong: "-".join(wrong),
)
def test_in_a_body_that_is_refused_it_alerts_and_the_refusal_carries_the_help(
    patient: Knocker, clinic: Knocker, owner_sql: Sql, wrong: dict[str, Any]
) -> None:
    refused = patient.post("/v1/me/check-ins", json={**body("phq-9", ITEM_9), **wrong})
    assert refused.status_code == 422
    assert refused.json["help_first"] is True
    assert refused.json["help"]["resources"][0]["number"] == "911"
    assert hits(clinic) == [("phq9_9", "1", ["refused"])]
    assert owner_sql("SELECT count(*) FROM check_ins") == [(0,)]


def raw(patient: Knocker, data: bytes, content_type: str = "application/json", query: str = "") -> Any:
    return patient.post(f"/v1/me/check-ins{query}", data=data, headers={"Content-Type": content_type})


@pytest.mark.parametrize(
    ("spoil", "status"),
    [
        (lambda data: data[:-1] + b',"answers":[]}', 400),
        (lambda data: data[:-1] + b',"x":' + b"9" * 5000 + b"}", 400),
        (lambda data: data[:-1] + b',"x":' + b"[" * 60 + b"]" * 60 + b"}", 400),
        (lambda data: data[:-1] + b',"x":"\\ud800"}', 400),
        (lambda data: data[:-1] + b',"x":NaN}', 400),
        (lambda data: data.decode().encode("utf-16"), 400),
    ],
    ids=["a doubled member", "5,000 digits", "too deep", "a lone surrogate", "not a number", "UTF-16"],
)
def test_json_that_we_do_not_take_is_still_looked_at(
    patient: Knocker, clinic: Knocker, spoil: Callable[[bytes], bytes], status: int
) -> None:
    refused = raw(patient, spoil(orjson.dumps(body("phq-9", ITEM_9))))
    assert refused.status_code in (status, 422)
    assert refused.json["help_first"] is True
    assert [hit[:2] for hit in hits(clinic)] == [("phq9_9", "1")]


def test_a_wrong_content_type_or_an_unknown_parameter_keeps_nothing_back(patient: Knocker, clinic: Knocker) -> None:
    assert raw(patient, orjson.dumps(body("phq-9", ITEM_9)), "text/plain").status_code == 415
    assert raw(patient, orjson.dumps(body(answers=[NOT_SAFE])), query="?x=1").status_code == 400
    assert {hit[0] for hit in hits(clinic)} == {"phq9_9", "safe_now"}


def test_a_body_first_refused_and_then_corrected_is_one_hit(patient: Knocker, clinic: Knocker) -> None:
    sent = body("phq-9", ITEM_9)
    patient.post("/v1/me/check-ins", json={**sent, "unknown_field": 1})
    assert patient.post("/v1/me/check-ins", json=sent).status_code == 201
    assert len(hits(clinic)) == 1


def test_the_same_refused_body_again_is_one_hit(patient: Knocker, clinic: Knocker) -> None:
    sent = {**body("phq-9", ITEM_9), "id": "not a uuid"}
    for _ in range(3):
        patient.post("/v1/me/check-ins", json=sent)
    assert len(hits(clinic)) == 1


def test_the_same_refused_body_from_many_at_once_is_one_hit(patient: Knocker, clinic: Knocker) -> None:
    sent = {**body("phq-9", ITEM_9), "id": "not a uuid"}
    at_once = Barrier(6)

    def send(_: int) -> int:
        at_once.wait()
        return patient.post("/v1/me/check-ins", json=sent).status_code

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(send, range(6))) == [422] * 6
    assert len(hits(clinic)) == 1


@pytest.mark.parametrize("known", [{"id": "not a uuid"}, {"unknown_field": 1}], ids=["no id", "an id"])
def test_the_same_refused_body_on_a_later_day_opens_a_new_alert(
    patient: Knocker, clinic: Knocker, travel: Callable[[Any], Any], known: dict[str, Any]
) -> None:
    sent = {**body("phq-9", ITEM_9), **known}
    patient.post("/v1/me/check-ins", json=sent)
    acknowledge(clinic)
    travel(clock.now() + timedelta(days=1))
    for _ in range(3):
        assert patient.post("/v1/me/check-ins", json=sent).status_code == 422
    assert [(alert["status"], alert["hits_total"]) for alert in alerts(clinic)] == [("open", 1), ("acknowledged", 1)]


def acknowledge(clinic: Knocker) -> None:
    answer = clinic.post(f"/v1/clinic/alerts/{alerts(clinic)[0]['id']}/acknowledgement", json={"hits_seen": 1})
    assert answer.status_code == 200, answer.json


def test_a_check_in_sent_again_after_acknowledgement_opens_nothing(patient: Knocker, clinic: Knocker) -> None:
    sent = body("phq-9", ITEM_9)
    patient.post("/v1/me/check-ins", json=sent)
    acknowledge(clinic)
    patient.post("/v1/me/check-ins", json=sent)
    assert [alert["status"] for alert in alerts(clinic)] == ["acknowledged"]


def test_a_known_id_with_a_new_safety_answer_alerts(patient: Knocker, clinic: Knocker) -> None:
    sent = body(answers=[SAFE])
    patient.post("/v1/me/check-ins", json=sent)
    again = patient.post("/v1/me/check-ins", json={**sent, "answers": [NOT_SAFE]})
    assert again.get_data(as_text=True).startswith('{"help_first":true,"help":{')
    assert again.json["messages"][0] == TOLD
    assert again.json["answers"] == [SAFE], "what was kept stays"
    assert [hit[:2] for hit in hits(clinic)] == [("safe_now", "no")]


def test_a_refusal_without_a_safety_answer_alerts_nobody(patient: Knocker, clinic: Knocker) -> None:
    assert patient.post("/v1/me/check-ins", json={**body(), "unknown_field": 1}).status_code == 422
    assert alerts(clinic) == []


def test_throttles_do_not_stop_it(app: Any, patient: Knocker, clinic: Knocker, monkeypatch: Any) -> None:
    with monkeypatch.context() as throttled:
        throttled.setattr(app.extensions["throttle"], "per_minute", 0)
        given(patient, "phq-9", ITEM_9)
    assert len(hits(clinic)) == 1


def test_an_app_below_the_minimum_version_is_not_turned_away(
    patient: Knocker, clinic: Knocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(about, "_clinic", replace(about.clinic(), minimum_app_version="99.0.0"))
    assert patient.get("/v1/app-config").json["minimum_app_version"] == "99.0.0"
    sent = patient.post("/v1/me/check-ins", json=body("phq-9", ITEM_9), headers={"App-Version": "0.0.1"})
    assert sent.status_code == 201
    assert len(hits(clinic)) == 1


def test_when_the_alert_cannot_be_written_nothing_is_kept(patient: Knocker, owner_sql: Sql) -> None:
    owner_sql("ALTER TABLE alert_hits ADD CONSTRAINT broken CHECK (false) NOT VALID")
    try:
        assert give(patient, "phq-9", phq9(0, 0, 0, 0, 0, 0, 0, 0, 3)).status_code == 500
        assert owner_sql("SELECT count(*) FROM check_ins") == [(0,)]
    finally:
        owner_sql("ALTER TABLE alert_hits DROP CONSTRAINT broken")

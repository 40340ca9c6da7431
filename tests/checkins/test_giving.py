"""Answers in, number out: kept whatever the circumstances, with the help beside it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from api import clock
from api.checkins import instruments
from schemas.checkins import CheckInAnswer
from tests.checkins.giving import LOW, MONDAY, MOOD, NOT_SAFE, SAFE, alerts, body, give, given, phq9, told
from tests.enrollments.deciding import decide, place
from tests.knocking import Knocker

Travel = Callable[[Any], Any]


@pytest.fixture(autouse=True)
def monday(travel: Travel) -> None:
    travel(MONDAY)


@pytest.fixture
def enrolled(patient: Knocker, clinic: Knocker) -> dict[str, Any]:
    return place(clinic, patient, starts_at="2026-11-02T15:00:00Z")


def test_a_daily_check_in_is_kept_and_has_no_number(patient: Knocker, enrolled: dict[str, Any]) -> None:
    kept = given(patient)
    assert kept["answers"] == [SAFE, MOOD]
    assert (kept["complete"], kept["flags"], "total" in kept) == (True, [], False)
    assert patient.get(f"/v1/me/check-ins/{kept['id']}").json == kept


def test_what_is_answered_is_what_the_contract_says(patient: Knocker, enrolled: dict[str, Any]) -> None:
    for answer in (give(patient), give(patient, "phq-9", LOW), give(patient, answers=[NOT_SAFE])):
        said = answer.json
        assert not CheckInAnswer().validate(said)
        if said["help_first"]:
            assert "duty staff" in said["messages"].pop(0), "which is said once"
        read_again = patient.get(answer.headers["Location"])
        assert list(read_again.json.items()) == list(said.items())
        assert read_again.headers["Content-Language"] == answer.headers["Content-Language"] == "en"


def test_a_phq_9_gives_its_number_and_no_band(patient: Knocker, enrolled: dict[str, Any]) -> None:
    kept = given(patient, "phq-9", phq9(3, 3, 3, 3, 3, 0, 0, 0, 0))
    assert kept["total"] == 15
    assert kept["messages"] == ["Your team will look at this with you."]
    assert "severe" not in str(kept) and "band" not in kept and "screen_positive" not in kept


def test_a_partial_phq_9_gives_no_number(patient: Knocker, enrolled: dict[str, Any]) -> None:
    kept = given(patient, "phq-9", phq9(3, 3, 3, 3, 3, 3, 3, None, 0))
    assert ("total" in kept, kept["complete"], kept["flags"]) == (False, False, ["partial", "outside_window"])
    assert kept["messages"][0].startswith("Some questions were left out")


def test_crisis_help_stands_beside_every_answer(patient: Knocker) -> None:
    help_ = given(patient)["help"]
    assert [one["number"] for one in help_["resources"]][:3] == ["911", "988", "988"]
    assert "not monitored around the clock" in help_["monitoring_note"]


def test_help_is_not_first_without_a_reason(patient: Knocker) -> None:
    assert given(patient)["help_first"] is False
    assert given(patient, "phq-9", LOW)["help_first"] is False


def test_having_used_brings_words_that_may_save_a_life_and_no_penalty(patient: Knocker, clinic: Knocker) -> None:
    kept = given(patient, answers=[SAFE, {"item": "used", "choice": "yes"}, {"item": "craving", "number": 8}])
    said = " ".join(kept["overdose_safety"])
    assert all(word in said for word in ("tolerance", "naloxone", "alone"))
    assert kept["help_first"] is False
    assert alerts(clinic) == []


@pytest.mark.parametrize("choice", ["no", "prefer_not_to_say"])
def test_not_having_used_brings_no_such_words(patient: Knocker, choice: str) -> None:
    assert given(patient, answers=[{"item": "used", "choice": choice}])["overdose_safety"] == []


def test_the_same_id_again_is_the_same_check_in(patient: Knocker) -> None:
    sent = body()
    first, again = (patient.post("/v1/me/check-ins", json=sent, key=key) for key in ("", "some-key"))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    changed = patient.post("/v1/me/check-ins", json={**sent, "answers": [{"item": "mood", "number": 1}]}, key="")
    assert changed.json["answers"] == first.json["answers"]
    assert len(patient.get("/v1/me/check-ins").json["items"]) == 1


def test_two_patients_may_use_the_same_id(patient: Knocker, other_patient: Knocker) -> None:
    sent = body()
    low = {**sent, "answers": [{"item": "mood", "number": 1}]}
    assert patient.post("/v1/me/check-ins", json=sent).json["answers"] == [SAFE, MOOD]
    assert other_patient.post("/v1/me/check-ins", json=low).json["answers"] == [{"item": "mood", "number": 1}]


def test_somebody_else_s_check_in_is_not_there(patient: Knocker, other_patient: Knocker) -> None:
    kept = given(patient)
    refused = other_patient.get(f"/v1/me/check-ins/{kept['id']}")
    assert refused.status_code == 404
    assert kept["id"] not in refused.get_data(as_text=True)


def test_a_late_answer_keeps_its_own_time_and_is_flagged(patient: Knocker, enrolled: dict[str, Any]) -> None:
    yesterday = clock.now() - timedelta(hours=20)
    kept = given(patient, occurred_at=told(yesterday))
    assert (kept["occurred_at"], kept["flags"]) == ("2026-11-22T19:00:00Z", ["late"])


def test_a_phone_with_a_wrong_clock_is_corrected_and_flagged(patient: Knocker, enrolled: dict[str, Any]) -> None:
    wrong = clock.now() - timedelta(days=4000)
    kept = given(patient, occurred_at=told(wrong - timedelta(minutes=5)), sent_at=told(wrong))
    assert (kept["occurred_at"], kept["flags"]) == ("2026-11-23T14:55:00Z", ["clock_corrected"])


def test_outside_a_window_it_is_kept_and_flagged(patient: Knocker, enrolled: dict[str, Any]) -> None:
    assert "outside_window" in given(patient, "phq-9", LOW)["flags"]


def test_after_discharge_it_is_kept_and_flagged(patient: Knocker, clinic: Knocker, enrolled: dict[str, Any]) -> None:
    decide(clinic, enrolled, "discharge", reason="completed")
    assert given(patient)["flags"] == ["after_discharge"]
    assert given(patient, occurred_at=told(clock.now() + timedelta(minutes=1)))["flags"] == [
        "outside_window",
        "after_discharge",
    ]


def test_an_older_version_is_kept_and_flagged(patient: Knocker, monkeypatch: pytest.MonkeyPatch) -> None:
    daily = instruments.CURRENT["daily"]
    newer = type(daily)(**{name: getattr(daily, name) for name in daily.__slots__} | {"version": "2"})
    monkeypatch.setitem(instruments.VERSIONS, ("daily", "2"), newer)
    monkeypatch.setitem(instruments.CURRENT, "daily", newer)
    assert "older_version" in given(patient)["flags"]
    assert "older_version" not in given(patient, instrument_version="2")["flags"]


def test_an_instrument_that_was_switched_off_is_kept_and_flagged(patient: Knocker, clinic: Knocker) -> None:
    off = clinic.put(f"/v1/clinic/patients/{patient.external_id}/instruments/daily", json={"offered": False})
    assert off.status_code == 200, off.json
    assert "switched_off" in given(patient)["flags"]


@pytest.mark.parametrize("asked", [{"instrument": "gad-7"}, {"instrument_version": "9"}], ids=["key", "version"])
def test_an_unknown_questionnaire_is_refused_and_help_stands_beside_the_refusal(
    patient: Knocker, asked: dict[str, str]
) -> None:
    refused = patient.post("/v1/me/check-ins", json={**body(), **asked})
    assert (refused.status_code, refused.json["retry"]) == (422, "after_refresh")
    assert refused.json["help"]["resources"][0]["number"] == "911"
    assert refused.json["help_first"] is False


def test_answers_that_do_not_fit_are_pointed_at(patient: Knocker) -> None:
    refused = give(patient, answers=[SAFE, {"item": "mood", "number": 11}])
    assert refused.status_code == 422
    assert refused.json["errors"] == [{"pointer": "/answers/1", "detail": "Must be from 0 to 10."}]
    assert patient.get("/v1/me/check-ins").json["items"] == []


def test_answering_is_never_throttled(app: Any, patient: Knocker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.extensions["throttle"], "per_minute", 0)
    assert patient.get("/v1/me/check-ins").status_code == 429
    assert give(patient).status_code == 201


def test_spanish_readers_are_answered_in_spanish(new_patient: Callable[..., Knocker]) -> None:
    kept = given(new_patient(language="es"))
    assert kept["messages"] == ["Su equipo verá esto con usted."]
    assert "no se vigila las 24 horas" in kept["help"]["monitoring_note"]


def test_nothing_of_an_answer_stands_in_the_logs(patient: Knocker, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    secret = "a sentence that is nobody else's business"
    given(patient, answers=[SAFE, {"item": "note", "text": secret}, {"item": "used", "choice": "yes"}])
    give(patient, answers=[SAFE, {"item": "note", "text": secret, "number": 7}])
    logged = capfdbinary.readouterr().out.decode()
    assert "/v1/me/check-ins" in logged
    assert secret not in logged and "used" not in logged

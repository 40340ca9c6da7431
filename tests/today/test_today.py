"""The first screen, in one read."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from api import vocabulary
from schemas.today import TodayAnswer
from tests.acts import change, place, schedule
from tests.conftest import sign_in
from tests.knocking import Knocker

MONDAY = "2026-11-23T15:00:00+00:00"  # ten in the morning in New York


def test_before_anything_there_is_an_empty_day(patient: Knocker, travel: Callable[[str], datetime]) -> None:
    travel(MONDAY)
    today = patient.get("/v1/me/today").json
    assert "level" not in today
    assert today["sessions"] == today["check_ins_due"] == []
    assert today["week"] == {"starts_on": "2026-11-23", "time_zone": "America/New_York", "attended_minutes": 0}
    assert today["valid_until"] == "2026-11-24T05:00:00Z"


def test_one_read_has_the_level_the_next_sessions_and_what_is_due(
    clinic: Knocker, patient: Knocker, travel: Callable[[str], datetime]
) -> None:
    travel(MONDAY)
    place(clinic, patient)
    schedule(clinic, patient)
    today = patient.get("/v1/me/today").json
    assert today["level"]["program"] == "iop"
    assert today["level"]["name"] == "Intensive Outpatient Program"
    assert [one["starts_at"] for one in today["sessions"]] == [
        "2026-11-23T23:00:00Z",
        "2026-11-25T23:00:00Z",
        "2026-11-27T23:00:00Z",
    ]
    assert {one["instrument"] for one in today["check_ins_due"]} >= {"daily"}
    assert TodayAnswer().load(today)


def test_it_says_what_the_other_reads_say(clinic: Knocker, patient: Knocker, travel: Callable[[str], datetime]) -> None:
    travel(MONDAY)
    place(clinic, patient)
    schedule(clinic, patient)
    today = patient.get("/v1/me/today").json
    enrolled = patient.get("/v1/me/enrollment").json
    due = patient.get("/v1/me/check-ins/due").json
    sessions = patient.get("/v1/me/sessions").json["items"]
    assert [{key: one[key] for key in one if key != "check_in_open"} for one in today["sessions"]] == sessions[:3]
    assert [
        {key: one[key] for key in mine} for one, mine in zip(due["items"], today["check_ins_due"], strict=True)
    ] == (today["check_ins_due"])
    assert today["level"]["name"] == enrolled["level"]["name"]
    assert today["level"]["since"] == enrolled["since"]


def test_check_in_opens_half_an_hour_before_and_the_answer_says_until_when_it_holds(
    clinic: Knocker, patient: Knocker, travel: Callable[[Any], datetime]
) -> None:
    travel(MONDAY)
    place(clinic, patient)
    schedule(clinic, patient)
    travel("2026-11-23T22:29:59+00:00")
    before = patient.get("/v1/me/today")
    assert before.json["sessions"][0]["check_in_open"] is False
    assert before.json["valid_until"] == "2026-11-23T22:30:00Z"
    travel("2026-11-23T22:30:00+00:00")
    opened = patient.get("/v1/me/today", headers={"If-None-Match": before.headers["ETag"]})
    assert opened.status_code == 200
    assert opened.json["sessions"][0]["check_in_open"] is True


def test_until_it_changes_it_is_not_sent_again(
    clinic: Knocker, patient: Knocker, travel: Callable[[Any], datetime]
) -> None:
    at = travel(MONDAY)
    place(clinic, patient)
    schedule(clinic, patient)
    tag = patient.get("/v1/me/today").headers["ETag"]
    travel(at + timedelta(minutes=1))
    unchanged = patient.get("/v1/me/today", headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    session = patient.get("/v1/me/sessions").json["items"][0]
    patient.put(
        f"/v1/me/sessions/{session['id']}/reply", json={"reply": "not_attending", "starts_at": session["starts_at"]}
    )
    assert patient.get("/v1/me/today", headers={"If-None-Match": tag}).status_code == 200


def test_minutes_that_the_clinic_recorded_this_week_are_counted_in_the_patients_week(
    clinic: Knocker, patient: Knocker, travel: Callable[[str], datetime]
) -> None:
    travel(MONDAY)
    place(clinic, patient)
    schedule(clinic, patient)
    session = patient.get("/v1/me/sessions").json["items"][0]
    travel("2026-11-24T02:30:00+00:00")
    marked = clinic.put(
        f"/v1/clinic/sessions/{session['id']}/attendance/{patient.id}", json={"mark": "present", "minutes": 170}
    )
    assert marked.status_code == 200, marked.json
    assert patient.get("/v1/me/today").json["week"]["attended_minutes"] == 170
    travel("2026-11-30T05:00:00+00:00")
    assert patient.get("/v1/me/today").json["week"]["attended_minutes"] == 0


def test_a_cancelled_session_is_not_next(clinic: Knocker, patient: Knocker, travel: Callable[[str], datetime]) -> None:
    travel(MONDAY)
    place(clinic, patient)
    schedule(clinic, patient)
    first = patient.get("/v1/me/today").json["sessions"][0]
    change(clinic, first["id"], status="cancelled")
    assert patient.get("/v1/me/today").json["sessions"][0]["id"] != first["id"]


def test_nothing_of_another_patient_is_in_it(
    clinic: Knocker, patient: Knocker, other_patient: Knocker, travel: Callable[[str], datetime]
) -> None:
    travel(MONDAY)
    place(clinic, other_patient)
    schedule(clinic, other_patient)
    today = patient.get("/v1/me/today").json
    assert "level" not in today
    assert today["sessions"] == today["check_ins_due"] == []


def test_a_proxy_may_have_weakened_the_tag_or_sent_several(patient: Knocker, travel: Callable[[str], datetime]) -> None:
    travel(MONDAY)
    tag = patient.get("/v1/me/today").headers["ETag"]
    for presented in (f"W/{tag}", f'"other", {tag}', f'"other",W/{tag}'):
        assert patient.get("/v1/me/today", headers={"If-None-Match": presented}).status_code == 304
    for presented in ('"other"', "W/", "nonsense", '"', tag[:-2] + '"'):
        assert patient.get("/v1/me/today", headers={"If-None-Match": presented}).status_code == 200


def test_it_speaks_the_patients_language_and_says_so(
    clinic: Knocker, patient: Knocker, travel: Callable[[str], datetime]
) -> None:
    travel(MONDAY)
    place(clinic, patient)
    english = patient.get("/v1/me/today")
    tag = patient.get("/v1/me/preferences").headers["ETag"]
    patient.put("/v1/me/preferences", json={"language": "es"}, if_match=tag)
    spanish = patient.get("/v1/me/today", headers={"If-None-Match": english.headers["ETag"]})
    assert (english.headers["Content-Language"], spanish.headers["Content-Language"]) == ("en", "es")
    assert spanish.json["level"]["name"] == "Programa ambulatorio intensivo"


@pytest.mark.parametrize("lacking", ["me:read", "enrollment:read", "sessions:read", "checkins:read"])
def test_it_needs_the_scopes_of_all_that_it_tells(patient: Knocker, lacking: str) -> None:
    assert patient.id
    narrow = sign_in(patient.app, patient.id, scopes=[one for one in vocabulary.PATIENT_SCOPES if one != lacking])
    refused = narrow.get("/v1/me/today")
    assert refused.status_code == 403 and refused.json["type"].endswith("/insufficient-scope")
    assert 'scope="me:read enrollment:read sessions:read checkins:read"' in refused.headers["WWW-Authenticate"]

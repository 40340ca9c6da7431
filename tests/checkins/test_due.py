"""What is due, by level of care, in the patient's own day: start, overdue, closed."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import db
from api.checkins import due, offering
from api.checkins.windows import Schedule, next_window, window_at
from api.staff import duty
from tests.checkins.giving import LOW, MOOD, phq9
from tests.checkins.giving import given as give
from tests.enrollments.deciding import decide, place, step_down
from tests.knocking import Knocker

Travel = Callable[[Any], Any]
Sql = Callable[..., list[Any]]
BEGAN = "2026-11-02T15:00:00Z"


@pytest.fixture
def enrolled(patient: Knocker, clinic: Knocker, travel: Travel) -> dict[str, Any]:
    travel("2026-11-02T15:00:00+00:00")
    return place(clinic, patient, starts_at=BEGAN)


def due_now(patient: Knocker) -> dict[str, Any]:
    answer = patient.get("/v1/me/check-ins/due")
    assert answer.status_code == 200, answer.json
    found: dict[str, Any] = answer.json
    return found


def states(patient: Knocker) -> dict[str, str]:
    return {one["instrument"]: one["state"] for one in due_now(patient)["items"]}


def test_in_iop_the_daily_check_in_and_the_phq_9_are_due_from_the_first_day(
    patient: Knocker, enrolled: dict[str, Any]
) -> None:
    assert states(patient) == {"daily": "start", "phq-9": "start"}


def test_a_due_check_in_says_when_it_opened_when_it_is_overdue_and_when_it_closes(
    patient: Knocker, enrolled: dict[str, Any]
) -> None:
    daily = next(one for one in due_now(patient)["items"] if one["instrument"] == "daily")
    assert (daily["opens_at"], daily["overdue_at"], daily["closes_at"], daily["time_zone"]) == (
        "2026-11-02T10:00:00Z",
        "2026-11-03T02:00:00Z",
        "2026-11-03T10:00:00Z",
        "America/New_York",
    )
    assert (daily["title"], daily["instrument_version"]) == ("Daily check-in", "1")


def test_who_sees_the_answers_is_said_before_the_first_question(patient: Knocker, enrolled: dict[str, Any]) -> None:
    found = due_now(patient)
    assert found["who_sees"].startswith("Your care team at the clinic sees your answers")
    assert found["help"]["resources"][0]["number"] == "911"


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-02T21:59:59-05:00", {"daily": "overdue", "phq-9": "start"}),
        ("2026-11-02T20:59:59-05:00", {"daily": "start", "phq-9": "start"}),
        ("2026-11-05T12:00:00-05:00", {"daily": "start", "phq-9": "overdue"}),
        ("2026-11-09T12:00:00-05:00", {"daily": "start"}),
        ("2026-11-16T12:00:00-05:00", {"daily": "start", "phq-9": "start"}),
    ],
    ids=["evening", "before nine", "third day", "closed", "two weeks later"],
)
def test_windows_go_from_start_to_overdue_to_closed(
    patient: Knocker, enrolled: dict[str, Any], travel: Travel, moment: str, expected: dict[str, str]
) -> None:
    travel(moment)
    assert states(patient) == expected


def test_answering_takes_it_off_the_list(patient: Knocker, enrolled: dict[str, Any]) -> None:
    give(patient, answers=[MOOD])
    give(patient, "phq-9", LOW)
    assert states(patient) == {}


def test_a_partial_phq_9_stays_due(patient: Knocker, enrolled: dict[str, Any]) -> None:
    give(patient, "phq-9", phq9(1, 1))
    assert "phq-9" in states(patient)


def test_tomorrow_the_daily_check_in_is_due_again(patient: Knocker, enrolled: dict[str, Any], travel: Travel) -> None:
    give(patient, answers=[MOOD])
    travel("2026-11-03T09:59:59+00:00")
    assert "daily" not in states(patient)
    travel("2026-11-03T10:00:00+00:00")
    assert "daily" in states(patient)


def test_it_says_until_when_the_list_holds(patient: Knocker, enrolled: dict[str, Any]) -> None:
    assert due_now(patient)["next_change_at"] == "2026-11-03T02:00:00Z"


def test_the_day_is_the_patient_s_own(patient: Knocker, enrolled: dict[str, Any], travel: Travel) -> None:
    etag = patient.get("/v1/me/preferences").headers["ETag"]
    patient.put("/v1/me/preferences", json={"time_zone": "Pacific/Honolulu"}, if_match=etag)
    daily = next(one for one in due_now(patient)["items"] if one["instrument"] == "daily")
    assert (daily["opens_at"], daily["time_zone"]) == ("2026-11-02T15:00:00Z", "Pacific/Honolulu")


def test_after_a_step_down_the_op_cadence_holds(
    patient: Knocker, clinic: Knocker, enrolled: dict[str, Any], travel: Travel
) -> None:
    travel("2026-11-20T15:00:00+00:00")
    step_down(clinic, enrolled)
    travel("2026-12-04T15:00:00+00:00")
    assert states(patient) == {"daily": "start"}, "two weeks on, which in IOP would be due"
    travel("2026-12-18T15:00:00+00:00")
    assert states(patient) == {"daily": "start", "phq-9": "start"}


@pytest.mark.parametrize(("kind", "reason"), [("pause", "medical"), ("discharge", "completed")])
def test_nothing_is_asked_of_those_who_pause_or_were_discharged(
    patient: Knocker, clinic: Knocker, enrolled: dict[str, Any], kind: str, reason: str
) -> None:
    decide(clinic, enrolled, kind, reason=reason)
    assert states(patient) == {}


def test_nothing_is_due_without_an_enrollment(patient: Knocker) -> None:
    assert due_now(patient)["items"] == []
    assert "next_change_at" not in due_now(patient)


def test_the_clinic_switches_an_instrument_off_and_on_for_a_patient(
    patient: Knocker, other_patient: Knocker, clinic: Knocker, enrolled: dict[str, Any]
) -> None:
    place(clinic, other_patient, starts_at=BEGAN)
    address = f"/v1/clinic/patients/{patient.external_id}/instruments/phq-9"
    answer = clinic.put(address, json={"offered": False})
    assert (answer.json["offered"], answer.json["changed_by"]) == (False, "u-17")
    assert (set(states(patient)), set(states(other_patient))) == ({"daily"}, {"daily", "phq-9"})
    clinic.put(address, json={"offered": True})
    assert set(states(patient)) == {"daily", "phq-9"}


def test_craving_and_use_are_asked_only_where_care_is_about_them(
    patient: Knocker, other_patient: Knocker, clinic: Knocker, enrolled: dict[str, Any]
) -> None:
    place(clinic, other_patient, starts_at=BEGAN, focus=["mental_health"])
    asked = [
        next(one["items"] for one in due_now(who)["items"] if one["instrument"] == "daily")
        for who in (patient, other_patient)
    ]
    assert {"craving", "used"} <= set(asked[0])
    assert asked[1] == ["safe_now", "mood", "slept_hours", "note"]


def test_without_a_duty_contact_production_asks_nobody_whether_they_are_safe(
    patient: Knocker, enrolled: dict[str, Any]
) -> None:
    before = duty.contacts()
    duty.use((), needed=True)
    try:
        assert offering.offered() == []
        assert states(patient) == {}
    finally:
        duty.use(before, needed=False)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    began_at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),
    after=st.timedeltas(timedelta(), timedelta(days=200)),
    zone=st.sampled_from(["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Auckland"]),
    days=st.integers(1, 30),
    hour=st.integers(0, 23),
)
def test_sql_and_python_agree_on_every_window(
    rule: Sql, began_at: datetime, after: timedelta, zone: str, days: int, hour: int
) -> None:
    began_at, at = began_at.replace(tzinfo=UTC), began_at.replace(tzinfo=UTC) + after
    patient_id, schedule = rule(began_at, zone, days, hour)
    last = window_at(schedule, began_at=began_at, zone=ZoneInfo(zone), at=at)
    coming = next_window(schedule, began_at=began_at, zone=ZoneInfo(zone), at=at)
    with db.transaction(db.Caller(kind="patient", patient_id=patient_id)) as session:
        (found,) = session.execute(due.windows_at(patient_id, at)).all()
        asked = session.execute(due.due_now(patient_id, at)).all()
    assert found.next_opens_at == coming.opens_at
    if last:
        assert (found.opens_at, found.overdue_at, found.closes_at) == (last.opens_at, last.overdue_at, last.closes_at)
    assert bool(asked) == bool(last and last.covers(at))


@pytest.fixture
def rule(patient: Knocker, owner_sql: Sql, clinic: Knocker) -> Any:
    """Arranges one enrollment and one schedule; returns whose it is and the schedule."""
    enrollment = place(clinic, patient, starts_at=BEGAN)

    def arranged(began_at: datetime, zone: str, days: int, hour: int) -> tuple[Any, Schedule]:
        owner_sql("UPDATE enrollments SET starts_at = %s WHERE id = %s", began_at, enrollment["id"])
        owner_sql("UPDATE patients SET time_zone = %s WHERE id = %s", zone, patient.id)
        owner_sql("DELETE FROM check_in_schedules WHERE program_slug = 'iop' AND instrument = 'phq-9'")
        owner_sql(
            "UPDATE check_in_schedules SET every_days = %s, opens_local = make_time(%s, 0, 0)"
            " WHERE program_slug = 'iop' AND instrument = 'daily'",
            days,
            hour,
        )
        return patient.id, Schedule("daily", days, time(hour), 16, 24)

    kept = owner_sql("SELECT * FROM check_in_schedules")
    yield arranged
    owner_sql("DELETE FROM check_in_schedules")
    for row in kept:
        owner_sql("INSERT INTO check_in_schedules VALUES (%s, %s, %s, %s, %s, %s)", *row)

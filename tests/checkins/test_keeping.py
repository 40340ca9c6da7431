"""The usual check-in is kept in one statement, all others in a transaction; nobody can tell which from what is kept."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api import db
from api.checkins import keeping, service
from api.checkins.windows import Schedule, window_at
from tests.checkins.giving import LOW, MONDAY, MOOD, NOT_SAFE, SAFE, body, phq9
from tests.enrollments.deciding import decide, place
from tests.knocking import Knocker

Sql = Callable[..., list[Any]]
COLUMNS = "instrument, instrument_version, answers, complete, total, safety, flags, occurred_at, told_at, sent_at"
# A request with this field goes through the transaction; it means the same.
UNUSUAL = {"Content-Encoding": "identity"}


@pytest.fixture(autouse=True)
def monday(travel: Callable[[str], Any]) -> None:
    travel(MONDAY)


@pytest.fixture
def only_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a transaction was begun")

    monkeypatch.setattr(service, "submit", refuse)


def send(patient: Knocker, sent: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
    return patient.post("/v1/me/check-ins", json=sent, key="", headers=headers or {})


def test_an_ordinary_day_takes_one_statement(patient: Knocker, only_at_once: None, owner_sql: Sql) -> None:
    for _ in range(12):
        assert send(patient, body()).status_code == 201
    assert owner_sql("SELECT count(*) FROM check_ins WHERE patient_id = %s", patient.id) == [(12,)]


@pytest.mark.parametrize(
    ("instrument", "answers"),
    [("daily", [NOT_SAFE]), ("phq-9", LOW), ("phq-9", phq9(0, 0, 0, 0, 0, 0, 0, 0, 1))],
    ids=["not safe", "a number", "item 9"],
)
def test_what_somebody_may_have_to_act_upon_takes_the_transaction(
    patient: Knocker, only_at_once: None, instrument: str, answers: Any
) -> None:
    assert send(patient, body(instrument, answers)).status_code == 500


@pytest.mark.parametrize("state", ["no enrollment", "enrolled", "discharged", "switched off"])
def test_both_ways_keep_and_answer_the_same(patient: Knocker, clinic: Knocker, owner_sql: Sql, state: str) -> None:
    if state in ("enrolled", "discharged"):
        enrollment = place(clinic, patient, starts_at="2026-11-02T15:00:00Z")
    if state == "discharged":
        decide(clinic, enrollment, "discharge", reason="completed")
    if state == "switched off":
        clinic.put(f"/v1/clinic/patients/{patient.external_id}/instruments/daily", json={"offered": False})
    answers = [send(patient, body(answers=[SAFE, MOOD]), headers).json for headers in ({}, UNUSUAL)]
    kept = owner_sql(f"SELECT {COLUMNS} FROM check_ins WHERE patient_id = %s", patient.id)
    assert kept[0] == kept[1]
    first, second = ({**answer, "id": None} for answer in answers)
    assert list(first.items()) == list(second.items())


def test_it_raises_the_patient_s_version_and_stamps_the_row(patient: Knocker, owner_sql: Sql) -> None:
    before = owner_sql("SELECT version FROM patient_versions WHERE patient_id = %s", patient.id)[0][0]
    send(patient, body())
    after = owner_sql("SELECT version FROM patient_versions WHERE patient_id = %s", patient.id)[0][0]
    assert after == before + 1
    assert owner_sql("SELECT version FROM check_ins WHERE patient_id = %s", patient.id) == [(after,)]


def test_it_is_audited_as_every_write_is(patient: Knocker, owner_sql: Sql) -> None:
    ids = [send(patient, body(), headers).json["id"] for headers in ({}, UNUSUAL)]
    rows = owner_sql(
        "SELECT caller_kind, app_session_id, patient_id, action, operation, outcome, problem, resource_id::text"
        " FROM audit_events WHERE operation = 'submitCheckIn' ORDER BY id"
    )
    known = ("patient", patient.app_session_id, patient.id, "create", "submitCheckIn", "done", None)
    assert rows == [(*known, ids[0]), (*known, ids[1])]


def test_an_ended_sign_in_keeps_nothing(patient: Knocker, owner_sql: Sql) -> None:
    owner_sql(
        "UPDATE app_sessions SET ended_at = now(), end_reason = 'signed_out' WHERE id = %s", patient.app_session_id
    )
    refused = send(patient, body())
    assert (refused.status_code, refused.json["type"].rsplit("/", 1)[-1]) == (401, "session-ended")
    assert refused.json["help"]["resources"][0]["number"] == "911"
    assert owner_sql("SELECT count(*) FROM check_ins") == [(0,)]
    told = owner_sql("SELECT outcome, problem FROM audit_events WHERE operation = 'submitCheckIn'")
    assert told == [("refused", "session-ended")]


def test_the_same_id_from_twenty_threads_is_one_check_in(patient: Knocker, owner_sql: Sql) -> None:
    sent = body()
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: send(patient, sent), range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.get_data() for answer in answers}) == 1
    assert owner_sql("SELECT count(*) FROM check_ins") == [(1,)]


def test_a_patient_s_role_keeps_nothing_for_another(patient: Knocker, other_patient: Knocker) -> None:
    row = service.read({**body(), "id": db.uuid7(), "occurred_at": NOW, "sent_at": NOW}, NOW)
    with pytest.raises(Exception, match="no rows"), db.transaction(as_patient(patient)):
        assert other_patient.id
        keeping.keep(patient_id=other_patient.id, row=row)


NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)


def as_patient(patient: Knocker) -> db.Caller:
    return db.Caller(kind="patient", patient_id=patient.id)


@pytest.fixture
def enrolled(patient: Knocker, clinic: Knocker) -> Knocker:
    place(clinic, patient, starts_at="2026-11-02T15:00:00Z")
    return patient


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    began_at=st.datetimes(datetime(2026, 1, 1), datetime(2026, 10, 1)),
    ago=st.timedeltas(timedelta(), timedelta(days=200)),
    zone=st.sampled_from(["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Auckland"]),
    days=st.integers(1, 30),
    hour=st.integers(0, 23),
)
def test_the_database_and_python_agree_on_what_is_outside_a_window(
    enrolled: Knocker, owner_sql: Sql, began_at: datetime, ago: timedelta, zone: str, days: int, hour: int
) -> None:
    patient, began_at, given_at = enrolled, began_at.replace(tzinfo=UTC), NOW - ago
    owner_sql("UPDATE enrollments SET starts_at = %s WHERE patient_id = %s", began_at, patient.id)
    owner_sql("UPDATE patients SET time_zone = %s WHERE id = %s", zone, patient.id)
    row = service.read({**body(), "id": db.uuid7(), "occurred_at": given_at, "sent_at": NOW}, NOW)
    schedule = Schedule("daily", days, time(hour), 16, 24)
    with db.transaction(as_patient(patient)), asked_so(owner_sql, schedule):
        assert patient.id
        outcome = keeping.keep(patient_id=patient.id, row=row)
    window = window_at(schedule, began_at=began_at, zone=ZoneInfo(zone), at=row["occurred_at"])
    inside = began_at <= row["occurred_at"] and window is not None and window.covers(row["occurred_at"])
    assert ("outside_window" not in outcome.flags) == inside


class asked_so:
    """The IOP asks the daily check-in by this schedule, for as long as the block runs."""

    def __init__(self, owner_sql: Sql, schedule: Schedule) -> None:
        self._sql, self._schedule = owner_sql, schedule

    def __enter__(self) -> None:
        self._set(self._schedule.every_days, self._schedule.opens_local)

    def __exit__(self, *_: object) -> None:
        self._set(1, time(5))

    def _set(self, days: int, opens: time) -> None:
        self._sql(
            "UPDATE check_in_schedules SET every_days = %s, opens_local = %s"
            " WHERE program_slug = 'iop' AND instrument = 'daily'",
            days,
            opens,
        )

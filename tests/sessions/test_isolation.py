"""The database itself keeps patients apart, and the patient's facts apart from the clinic's."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import psycopg.errors
import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from api import db
from api.sessions import listing, place, showing
from api.sessions.models import CareSession
from schemas.sessions import SessionAnswer
from tests.knocking import Knocker
from tests.sessions.conftest import Schedule, check_in, mine, reply

SAID = ("session_replies", "session_arrivals", "attendance_marks")
TABLES = ("session_series", "series_members", "care_sessions", "attendances", *SAID)


@pytest.fixture
def full(schedule: Schedule, patient: Knocker, other_patient: Knocker, travel: Callable[[str], Any]) -> str:
    """A session in which everything has happened to both patients."""
    schedule.begin(patient, other_patient)
    schedule.begin(other_patient, starts_local="18:00", kind="individual")
    session_id = mine(patient)[0]["id"]
    travel("2026-11-23T14:00:00Z")
    for one in (patient, other_patient):
        reply(one, mine(one)[0], "attending")
        check_in(one, session_id)
        schedule.mark(session_id, one, "present", minutes=100)
    return session_id


def as_patient(knocker: Knocker) -> Any:
    return db.transaction(db.Caller(kind="patient", patient_id=knocker.id))


def count(session: Any, table: str) -> int:
    return session.scalar(sa.text(f"SELECT count(*) FROM {table}"))


@pytest.mark.parametrize(
    ("table", "rows"),
    [("care_sessions", 12), ("attendances", 12), ("session_replies", 1), ("session_arrivals", 1)],
)
def test_a_handler_that_forgets_its_where_still_returns_own_rows_only(
    full: str, patient: Knocker, table: str, rows: int
) -> None:
    with as_patient(patient) as session:
        assert count(session, table) == rows


@pytest.mark.parametrize("table", ["session_series", "series_members", "attendance_marks"])
def test_who_belongs_to_what_is_not_the_patients_to_read(full: str, patient: Knocker, table: str) -> None:
    with pytest.raises(exc.ProgrammingError) as refused, as_patient(patient) as session:
        count(session, table)
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


@pytest.mark.parametrize("table", ["care_sessions", "attendances", "session_replies", "session_arrivals"])
def test_no_caller_no_rows(full: str, app: Any, table: str) -> None:
    with db.transaction(db.PUBLIC) as session:
        assert count(session, table) == 0


@pytest.mark.parametrize("table", TABLES)
def test_every_table_forces_its_policies(server: Any, owner_sql: Callable[..., list[Any]], table: str) -> None:
    found = owner_sql("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = %s", table)
    assert found == [(True, True)]


@pytest.mark.parametrize(
    ("caller", "column"),
    [
        ("patient", "mark"),
        ("patient", "minutes"),
        ("patient", "starts_at"),
        ("patient", "came_at"),
        ("patient", "makes_up_for"),
        ("clinic", "reply"),
        ("clinic", "arrived_at"),
        ("clinic", "late_cancellation"),
        ("clinic", "arrival_confirmed"),
    ],
)
def test_neither_side_can_write_the_others_fact(full: str, patient: Knocker, caller: str, column: str) -> None:
    who = db.SYSTEM if caller == "clinic" else db.Caller(kind="patient", patient_id=patient.id)
    with pytest.raises(exc.ProgrammingError) as refused, db.transaction(who) as session:
        session.execute(sa.text(f"UPDATE attendances SET {column} = NULL"))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


@pytest.mark.parametrize("table", SAID)
@pytest.mark.parametrize("verb", ["UPDATE {} SET session_id = session_id", "DELETE FROM {}"])
def test_what_was_said_and_recorded_is_never_changed(full: str, table: str, verb: str) -> None:
    with pytest.raises(exc.ProgrammingError) as refused, db.transaction(db.SYSTEM) as session:
        session.execute(sa.text(verb.format(table)))
    assert isinstance(refused.value.orig, psycopg.errors.InsufficientPrivilege)


def test_a_released_place_hides_the_session(full: str, schedule: Schedule, patient: Knocker) -> None:
    coming = mine(patient)[3]["id"]
    schedule.leave(schedule.sessions()[0]["series_id"], patient)
    with as_patient(patient) as session:
        assert session.get(CareSession, coming) is None


def test_the_hot_answers_equal_an_ordinary_transactions_rows(full: str, schedule: Schedule, patient: Knocker) -> None:
    sessions = schedule.sessions()
    reply(patient, mine(patient)[1], "attending")
    reply(patient, mine(patient)[2], "not_attending", reason="Travel — “abroad”")
    schedule.change(sessions[2], starts_at="2026-11-25T20:00:00Z", facilitator=None, title_es=None)
    schedule.change(sessions[3], status="cancelled")
    schedule.mark(sessions[4]["id"], patient, "excused")
    schedule.mark(sessions[0]["id"], patient, "present", arrived_at="2026-11-23T14:20:00Z")
    schedule.change(sessions[6], modality="telehealth", join_url="https://video.example/rooms/1")
    twice = {"first_on": "2026-11-25", "rrule": "FREQ=WEEKLY;BYDAY=WE,FR;COUNT=2"}
    schedule.begin(patient, kind="individual", starts_local="13:00", duration_minutes=60, **twice)
    alone, moved = (one for one in mine(patient) if one["kind"] == "individual")
    for one in (alone, moved):
        reply(patient, one, "not_attending", asks_to_move=True)
    [there] = [one for one in schedule.sessions() if one["id"] == moved["id"]]
    schedule.change(there, minutes=60, starts_at="2026-11-27T20:00:00Z")
    for language in ("en", "es"):
        hot = patient.get("/v1/me/sessions", headers={"Accept-Language": language}).json["items"]
        assert len(hot) == 14
        assert sum("join_opens_at" in one for one in hot) == 1
        assert [one["id"] for one in hot if one.get("reply", {}).get("asks_to_move")] == [alone["id"]]
        with as_patient(patient):
            own = [place.of_patient(patient_id=patient.id, session_id=one["id"]) for one in hot]
            rows = [SessionAnswer().dump(showing.place(one, language=language)) for one in own]
        assert hot == rows


def plan(patient: Knocker, manner: str) -> str:
    """How PostgreSQL answers the hot read for the app's own role, with values seen or not yet seen when planning."""
    compiled = listing.MINE.statement().compile(dialect=db.engine().dialect)
    values = {
        **compiled.params,
        "caller_id": str(patient.id),
        "app_session_id": patient.app_session_id,
        "known": None,
        "language": "en",
        "since": datetime(2026, 11, 23, tzinfo=UTC),
        "until": datetime(2026, 12, 23, tzinfo=UTC),
        "after": listing.FIRST,
        "size": 20,
    }
    with db.engine().connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute(f"SET LOCAL plan_cache_mode = {manner}")
        raw.execute(str(compiled), values, prepare=True)
        if manner == "force_custom_plan":
            shown = raw.execute(f"EXPLAIN {compiled}", values).fetchall()
        else:
            shown = raw.execute(f"EXPLAIN EXECUTE {prepared(raw)}").fetchall()
    return "\n".join(row[0] for row in shown)


def prepared(connection: Any) -> str:
    """The statement prepared last, called with nothing known of its values: a generic plan knows none."""
    [[name, count]] = connection.execute(
        "SELECT name, cardinality(parameter_types) FROM pg_prepared_statements ORDER BY prepare_time DESC LIMIT 1"
    ).fetchall()
    return f"{name}({', '.join(['NULL'] * count)})"


@pytest.mark.parametrize("manner", ["force_custom_plan", "force_generic_plan"])
def test_the_hot_read_walks_the_patients_own_range_of_the_index(
    full: str, patient: Knocker, owner_sql: Callable[..., list[Any]], manner: str
) -> None:
    many(owner_sql)
    shown = plan(patient, manner)
    assert "ix_attendances_patient_id_starts_at" in shown
    assert "pk_care_sessions" in shown
    for table in ("attendances", "care_sessions", "patients", "patient_versions"):
        assert f"Seq Scan on {table}" not in shown, shown


def many(owner_sql: Callable[..., list[Any]]) -> None:
    """As many rows as make scanning a whole table a bad choice."""
    owner_sql(
        "INSERT INTO patients (id, external_id) SELECT gen_random_uuid(), 'many-' || n FROM generate_series(1, 2000) n"
    )
    owner_sql("INSERT INTO patient_versions (patient_id) SELECT id FROM patients WHERE external_id LIKE 'many-%%'")
    owner_sql(
        "INSERT INTO care_sessions (id, kind, title, modality, time_zone, starts_at, ends_at, status, exception,"
        " revision, version) SELECT gen_random_uuid(), 'group', 'Group', 'in_person', 'UTC', now() + n * interval '1h',"
        " now() + (n + 1) * interval '1h', 'scheduled', false, 1, 1 FROM generate_series(1, 2000) n"
    )
    owner_sql(
        "INSERT INTO attendances (patient_id, session_id, starts_at, ends_at, status, version)"
        " SELECT p.id, s.id, s.starts_at, s.ends_at, 'booked', 1 FROM (SELECT id FROM patients LIMIT 500) p,"
        " (SELECT * FROM care_sessions WHERE series_id IS NULL LIMIT 40) s"
    )
    for table in ("patients", "patient_versions", "care_sessions", "attendances"):
        owner_sql(f"ANALYZE {table}")

"""A preview runs the real thing and undoes it: it leaves no trace, and lists exactly what the real one changes."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.enrollments.deciding import decide, on_record, place
from tests.knocking import Knocker

OwnerSql = Callable[..., list[tuple[Any, ...]]]

MONDAY = "2026-11-23T12:00:00Z"  # seven in the morning in New York
THURSDAY = "2026-11-26T12:00:00Z"
GROUP = {
    "kind": "group",
    "title": "Morning group",
    "first_on": "2026-11-23",
    "starts_local": "09:00",
    "duration_minutes": 180,
    "time_zone": "America/New_York",
    "rrule": "FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=12",
    "modality": "in_person",
}
DECISIONS: dict[str, dict[str, Any]] = {
    "step_down": {"kind": "step_down", "program": "op", "reason": "completed"},
    "pause": {"kind": "pause", "reason": "medical"},
    "discharge": {"kind": "discharge", "reason": "transferred"},
    "discharge_recorded_late": {"kind": "discharge", "reason": "transferred", "effective_at": "2026-11-24T12:00:00Z"},
    "correct": {"kind": "correct"},
}
TABLES = """SELECT tablename FROM pg_tables WHERE schemaname = 'public'
            AND tablename NOT IN ('audit_events', 'api_clients', 'alembic_version') ORDER BY tablename"""


@pytest.fixture
def in_iop(clinic: Knocker, patient: Knocker, travel: Callable[[str], object]) -> dict[str, Any]:
    """The patient in IOP for some days, with its group, and with individual sessions that belong to no program."""
    travel(MONDAY)
    placed = place(clinic, patient)
    for different in ({"program": "iop"}, {"kind": "individual", "starts_local": "14:00", "duration_minutes": 60}):
        series = clinic.post("/v1/clinic/session-series", json=GROUP | different)
        joined = clinic.put(f"/v1/clinic/session-series/{series.json['id']}/members/{patient.id}")
        assert joined.status_code == 200, joined.json
    travel(THURSDAY)
    return placed


def everything(owner_sql: OwnerSql) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables but the audit's, as text."""
    return {table: owner_sql(f"SELECT {table}::text FROM {table} ORDER BY 1") for (table,) in owner_sql(TABLES)}


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_preview_leaves_no_trace(clinic: Knocker, in_iop: dict[str, Any], owner_sql: OwnerSql, decision: str) -> None:
    before = everything(owner_sql)
    previewed = decide(clinic, in_iop, key="", dry_run=True, **DECISIONS[decision])
    assert previewed.status_code == 200, previewed.json
    assert previewed.json["dry_run"] is True
    assert previewed.json["changes"]
    assert everything(owner_sql) == before


@pytest.mark.parametrize("decision", DECISIONS)
def test_a_preview_lists_exactly_what_the_real_one_changes(
    clinic: Knocker, in_iop: dict[str, Any], decision: str
) -> None:
    previewed = decide(clinic, in_iop, key="", dry_run=True, **DECISIONS[decision]).json
    done = decide(clinic, in_iop, **DECISIONS[decision]).json
    assert done["changes"] == previewed["changes"]
    assert done["enrollment"]["status"] == previewed["enrollment"]["status"]
    assert done["dry_run"] is False


@pytest.mark.parametrize("decision", DECISIONS)
def test_what_is_listed_is_what_is_otherwise_in_the_tables(
    clinic: Knocker, in_iop: dict[str, Any], owner_sql: OwnerSql, decision: str
) -> None:
    places, reminders, known = places_kept(owner_sql), reminders_planned(owner_sql), reminders_known(owner_sql)
    done = decide(clinic, in_iop, **DECISIONS[decision]).json
    listed = [(one["kind"], one["action"], one["id"], one.get("what")) for one in done["changes"] if "id" in one]
    lost = {("session", "removed", session, None) for session in places - places_kept(owner_sql)}
    held = {("reminder", "held", *one) for one in reminders - reminders_planned(owner_sql)}
    gained = {
        ("reminder", "released" if one in known else "added", *one) for one in reminders_planned(owner_sql) - reminders
    }
    assert set(listed) == lost | held | gained
    assert len(listed) == len(set(listed)) > 0
    assert places_kept(owner_sql) <= places


def places_kept(owner_sql: OwnerSql) -> set[str]:
    return {one for (one,) in owner_sql("SELECT session_id::text FROM attendances WHERE status = 'booked'")}


def reminders_planned(owner_sql: OwnerSql) -> set[tuple[str, str]]:
    """Those of coming sessions: no worker has been here to settle the others. A check-in's is told as the check-in."""
    planned = """
        SELECT session_id::text, lead FROM reminders
        WHERE subject = 'session' AND state = 'planned' AND starts_at > %s"""
    return {(session, lead) for session, lead in owner_sql(planned, THURSDAY)}


def reminders_known(owner_sql: OwnerSql) -> set[tuple[str, str]]:
    known = "SELECT session_id::text, lead FROM reminders WHERE subject = 'session'"
    return {(session, lead) for session, lead in owner_sql(known)}


def test_a_step_down_takes_the_places_of_the_level_that_ended_and_no_others(
    clinic: Knocker, in_iop: dict[str, Any]
) -> None:
    changes = decide(clinic, in_iop, **DECISIONS["step_down"]).json["changes"]
    sessions = [one for one in changes if one["kind"] == "session"]
    assert {one["action"] for one in sessions} == {"removed"}
    assert [one["at"] for one in sessions][:2] == ["2026-11-27T14:00:00Z", "2026-11-30T14:00:00Z"]
    reminded_of = {one["id"] for one in changes if one["kind"] == "reminder" and one["action"] == "held"}
    assert reminded_of <= {one["id"] for one in sessions}


def test_a_pause_holds_reminders_and_keeps_every_place(
    clinic: Knocker, in_iop: dict[str, Any], owner_sql: OwnerSql
) -> None:
    changes = decide(clinic, in_iop, **DECISIONS["pause"]).json["changes"]
    assert {(one["kind"], one["action"]) for one in changes} == {("reminder", "held"), ("check_in", "held")}
    assert reminders_planned(owner_sql) == set()


@pytest.mark.parametrize("decision", ["pause", "discharge"])
def test_reminders_end_in_the_same_transaction(
    clinic: Knocker, in_iop: dict[str, Any], owner_sql: OwnerSql, decision: str
) -> None:
    assert reminders_planned(owner_sql)
    assert decide(clinic, in_iop, **DECISIONS[decision]).status_code == 200
    assert reminders_planned(owner_sql) == set()


def test_resuming_gives_back_what_the_pause_held(clinic: Knocker, in_iop: dict[str, Any], owner_sql: OwnerSql) -> None:
    before = reminders_planned(owner_sql)
    decide(clinic, in_iop, **DECISIONS["pause"])
    resumed = decide(clinic, in_iop, "resume").json["changes"]
    assert {one["action"] for one in resumed} == {"released"}
    assert reminders_planned(owner_sql) == before


def test_a_discharge_taken_back_gives_places_and_reminders_back(
    clinic: Knocker, in_iop: dict[str, Any], owner_sql: OwnerSql
) -> None:
    before = places_kept(owner_sql), reminders_planned(owner_sql)
    decide(clinic, in_iop, **DECISIONS["discharge"])
    decide(clinic, in_iop, "correct")
    assert (places_kept(owner_sql), reminders_planned(owner_sql)) == before


def test_a_transition_sends_no_message_by_itself(clinic: Knocker, in_iop: dict[str, Any], owner_sql: OwnerSql) -> None:
    told = "SELECT count(*) FROM reminders WHERE kind NOT IN ('appointment', 'check_in') OR state = 'sent'"
    decide(clinic, in_iop, **DECISIONS["step_down"])
    assert owner_sql(told) == [(0,)]


def test_a_preview_needs_no_key_and_spends_none(clinic: Knocker, in_iop: dict[str, Any]) -> None:
    without = decide(clinic, in_iop, key="", **DECISIONS["step_down"])
    assert without.json["type"].endswith("/problems/idempotency-key-missing")
    assert decide(clinic, in_iop, key="step", dry_run=True, **DECISIONS["step_down"]).status_code == 200
    assert decide(clinic, in_iop, key="step", **DECISIONS["step_down"]).status_code == 200


def test_a_preview_of_what_would_be_refused_is_refused(clinic: Knocker, patient: Knocker) -> None:
    iop = place(clinic, patient)
    assert decide(clinic, iop, "resume", key="", dry_run=True).status_code == 409
    assert decide(clinic, iop, "step_up", key="", dry_run=True, program="php", reason="medical").status_code == 409
    assert on_record(clinic, patient) == [iop]


def test_a_preview_is_on_record_as_somebody_reading(clinic: Knocker, patient: Knocker, owner_sql: OwnerSql) -> None:
    decide(clinic, place(clinic, patient), "discharge", key="", dry_run=True, reason="completed")
    rows = owner_sql("SELECT operation, action, patient_id, outcome FROM audit_events ORDER BY id DESC LIMIT 1")
    assert rows == [("createTransition", "read", patient.id, "done")]

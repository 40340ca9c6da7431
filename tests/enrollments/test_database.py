"""What the database holds by itself, whoever writes."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import exc

from api import db
from api.enrollments.models import Enrollment, EnrollmentEvent
from tests.enrollments.deciding import decide, place
from tests.knocking import Knocker

OwnerSql = Callable[..., list[tuple[Any, ...]]]
INSERT = """
INSERT INTO enrollments (id, patient_id, program_slug, status, status_since, starts_at, ended_at, focus, version)
VALUES (gen_random_uuid(), %s, 'op', %s, %s, %s, %s, '{substance_use}', 1)
"""


@pytest.mark.parametrize(
    ("status", "starts_at", "ended_at"),
    [
        ("active", "2026-11-20", None),
        ("paused", "2026-10-01", None),
        ("ended", "2026-10-01", "2026-11-02T15:00:01Z"),
        ("ended", "2026-11-05", "2026-11-06"),
    ],
)
def test_two_levels_at_one_instant_are_refused_whoever_writes(
    clinic: Knocker, patient: Knocker, owner_sql: OwnerSql, status: str, starts_at: str, ended_at: str | None
) -> None:
    place(clinic, patient, starts_at="2026-11-02T15:00:00Z")
    with pytest.raises(psycopg.errors.ExclusionViolation, match="ex_enrollments_one_at_a_time"):
        owner_sql(INSERT, patient.id, status, starts_at, starts_at, ended_at)


def test_one_level_may_begin_at_the_instant_at_which_another_ends(
    clinic: Knocker, patient: Knocker, other_patient: Knocker, owner_sql: OwnerSql
) -> None:
    place(clinic, patient, starts_at="2026-11-02T15:00:00Z")
    owner_sql(INSERT, patient.id, "ended", "2026-10-01", "2026-10-01", "2026-11-02T15:00:00Z")
    owner_sql(INSERT, patient.id, "entered_in_error", "2026-11-02", "2026-11-02", None)
    owner_sql(INSERT, other_patient.id, "active", "2026-11-02", "2026-11-02", None)
    assert owner_sql("SELECT count(*) FROM enrollments") == [(4,)]


@pytest.mark.parametrize("act", ["UPDATE enrollment_events SET reason = 'completed'", "DELETE FROM enrollment_events"])
def test_facts_are_never_changed_or_removed_not_even_by_the_owner(
    clinic: Knocker, patient: Knocker, owner_sql: OwnerSql, act: str
) -> None:
    place(clinic, patient)
    with pytest.raises(psycopg.errors.RaiseException, match="only grows"):
        owner_sql(act)


def as_patient(patient: Knocker) -> db.Caller:
    return db.Caller(kind="patient", patient_id=patient.id)


def test_another_patient_sees_nothing(clinic: Knocker, patient: Knocker, other_patient: Knocker) -> None:
    place(clinic, patient)
    for caller, seen in ((as_patient(patient), 1), (as_patient(other_patient), 0), (db.PUBLIC, 0)):
        with db.transaction(caller) as session:
            assert session.scalar(sa.select(sa.func.count(Enrollment.id))) == seen
            assert session.scalar(sa.select(sa.func.count(EnrollmentEvent.id))) == seen


@pytest.mark.parametrize("column", [EnrollmentEvent.reason, EnrollmentEvent.changes])
def test_reasons_cannot_be_read_as_the_patient(clinic: Knocker, patient: Knocker, column: Any) -> None:
    decide(clinic, place(clinic, patient), "discharge", reason="left_against_advice")
    with pytest.raises(exc.ProgrammingError, match="permission denied"), db.transaction(as_patient(patient)) as session:
        session.scalars(sa.select(column)).all()


@pytest.mark.parametrize(
    "write",
    [
        sa.update(Enrollment).values(status="ended", ended_at=sa.func.now()),
        sa.delete(Enrollment),
        sa.update(EnrollmentEvent).values(reason="completed"),
    ],
)
def test_no_patient_and_no_worker_writes_enrollments(clinic: Knocker, patient: Knocker, write: Any) -> None:
    place(clinic, patient)
    for caller in (as_patient(patient), db.WORKER):
        with pytest.raises(exc.ProgrammingError, match="permission denied"), db.transaction(caller) as session:
            session.execute(write)

"""The database keeps the rules by itself: whose row it is, and how states and times are stored."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api import db
from api.app import Continuum
from tests.knocking import Knocker

BAD = (Path(__file__).parent / "bad" / "tables.sql").read_text()

# Frozen: tables that hold nothing of a person. Every other one is closed by row-level security.
OF_NOBODY = {
    "alembic_version",
    "audit_seals",
    "catalogue_version",
    "check_in_schedules",
    "early_reports",
    "instrument_settings",
    "known_phones",
    "location_closures",
    "location_hours",
    "locations",
    "program_capacities",
    "program_revisions",
    "programs",
    "spent_assertions",
    "spent_proofs",
    "throttle_windows",
}

TABLES = "pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace"
COLUMNS = f"""pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
    WHERE a.attnum > 0 AND a.attrelid IN (SELECT c.oid FROM {TABLES})"""
RULES = {
    "every table of a person is closed, to its owner too": f"""
        SELECT c.relname FROM {TABLES} AND NOT (c.relrowsecurity AND c.relforcerowsecurity
        AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))""",
    "policies of several kinds on one role lose their indexes": """
        SELECT polrelid::regclass || ' ' || role::regrole FROM pg_policy, unnest(polroles) role
        GROUP BY polrelid, role HAVING count(*) > 1""",
    "a policy names its role": "SELECT polrelid::regclass::text FROM pg_policy WHERE polroles = '{0}'",
    "states are text with a check: enums are not leakproof": f"SELECT attname FROM {COLUMNS} AND t.typtype = 'e'",
    "instants know their zone, and only wall times have none": f"""
        SELECT attname FROM {COLUMNS} AND t.typname = 'timestamp' AND attname NOT LIKE '%\\_local'""",
    "no extension is needed": "SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'",
    "the app's login has no way around the policies": """
        SELECT rolname FROM pg_roles WHERE rolname LIKE 'continuum%'
        AND (rolsuper OR rolbypassrls OR (rolcanlogin AND rolinherit AND rolname = 'continuum_app'))""",
}
# What the bad tables break; the last rules are about the server, where a test creates nothing.
BROKEN = list(RULES)[:2] + list(RULES)[3:5]


def breaking(connection: psycopg.Connection[Any], rule: str) -> set[str]:
    return {name for (name,) in connection.execute(RULES[rule])}


@pytest.fixture
def bad(app: Continuum, superuser: psycopg.Connection[Any]) -> Iterator[psycopg.Connection[Any]]:
    with superuser.transaction(force_rollback=True):
        superuser.execute(BAD)
        yield superuser


@pytest.mark.parametrize("rule", RULES)
def test_the_database_keeps_the_rule(app: Continuum, superuser: psycopg.Connection[Any], rule: str) -> None:
    assert breaking(superuser, rule) == (OF_NOBODY if rule == next(iter(RULES)) else set())


@pytest.mark.parametrize("rule", BROKEN)
def test_the_rule_rejects_the_bad_tables(bad: psycopg.Connection[Any], rule: str) -> None:
    assert breaking(bad, rule) - OF_NOBODY


READABLE = (
    f"SELECT c.relname FROM {TABLES} AND c.relrowsecurity AND has_table_privilege('continuum_app', c.oid, 'SELECT')"
)


def test_without_a_caller_there_are_no_rows(sam: Knocker, owner_sql: Callable[..., list[tuple[Any, ...]]]) -> None:
    tables = [name for (name,) in owner_sql(READABLE)]
    with db.transaction(db.PUBLIC) as session:
        seen = {name: session.scalar(db.sa.text(f"SELECT count(*) FROM {name}")) for name in tables}
    assert len(tables) > 10 and set(seen.values()) == {0}


def test_a_patient_reads_no_row_of_another_in_any_table(
    sam: Knocker, other_patient: Knocker, owner_sql: Callable[..., list[tuple[Any, ...]]]
) -> None:
    of_patients = f"{READABLE} AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'patient_id')"
    tables = [name for (name,) in owner_sql(of_patients)]
    filled = {name for name in tables if owner_sql(f"SELECT 1 FROM {name} WHERE patient_id = %s", sam.id)}
    assert filled >= {"attendances", "enrollments", "check_ins", "app_sessions", "patient_versions"}
    with db.transaction(db.Caller(kind="patient", patient_id=other_patient.id)) as session:
        for name in tables:
            others = db.sa.text(f"SELECT count(*) FROM {name} WHERE patient_id <> :mine")
            assert session.scalar(others, {"mine": other_patient.id}) == 0, name


def test_without_policies_the_rows_of_others_would_be_seen(
    sam: Knocker, other_patient: Knocker, bad: psycopg.Connection[Any]
) -> None:
    bad.execute("INSERT INTO notes VALUES (gen_random_uuid(), %s)", [sam.id])
    bad.execute("SET LOCAL ROLE continuum_app")
    bad.execute("SELECT set_config('app.patient_id', %s, true)", [str(other_patient.id)])
    assert bad.execute("SELECT count(*) FROM notes").fetchone() == (1,)

"""In every table of somebody's, each caller reaches what is theirs and no more, also where every WHERE is forgotten."""

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest

from api import db
from api.app import Continuum
from tests.conftest import sweep
from tests.matrix.rows import Rows
from tests.matrix.tables import CLIENTS, EVERYBODY, TABLES, VERBS, Table, session_of

CLOSED = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relrowsecurity"""
# A table as somebody might make it who forgot whose the rows are.
LETTERS = """
    CREATE TABLE letters (id uuid PRIMARY KEY, patient_id uuid NOT NULL);
    ALTER TABLE letters ENABLE ROW LEVEL SECURITY;
    ALTER TABLE letters FORCE ROW LEVEL SECURITY;
    CREATE POLICY patient ON letters TO continuum_app USING (true) WITH CHECK (true);
    GRANT SELECT, INSERT, UPDATE, DELETE ON letters TO continuum_app"""
Reached = Mapping[str, set[str]]


@pytest.fixture(autouse=True)
def swept() -> None:
    """In place of the sweeping after each test: the rows are made once for all tables."""


@pytest.fixture(scope="module")
def rows(app: Continuum, superuser: psycopg.Connection[Any]) -> Iterator[Rows]:
    made = Rows(superuser, {owner: uuid.uuid4() for owner in EVERYBODY})
    for name, table in TABLES.items():
        made.fill(name, table)
    yield made
    sweep(superuser)


def patient(rows: Rows, owner: str) -> db.Caller:
    """A patient as a request names one: with an app session that stands."""
    app_session = rows.made["app_sessions", owner]["id"]
    return db.Caller(kind="patient", patient_id=rows.owners[owner], app_session_id=app_session, token_id="t")


def partner(rows: Rows, owner: str) -> db.Caller:
    return db.Caller(kind="partner", client_id=rows.owners[owner], token_id="t")


def holders(rows: Rows, name: str, table: Table) -> dict[str, db.Caller]:
    """Who presents what leads to a row of Sam's, or names itself as a client before it has proved that it is."""
    if table.of == CLIENTS:
        return {"north": db.Caller(kind="holder", client_id=rows.owners["north"])} if table.held_by else {}
    found = (rows.made[name, "sam"][column] for column in table.held_by)
    return {f"sam, by {one.hex()}": db.Caller(kind="holder", presented=one) for one in found}


def gate(rows: Rows, owner: str) -> db.Caller:
    """The gate as it is entered for a partner and, once a consent was found to count, for a patient: the partner is the
    one to whom the made disclosures of the patient went."""
    if owner in CLIENTS:
        return db.Caller(kind="gate", client_id=rows.owners[owner])
    patient_id = rows.owners[owner]
    return db.Caller(kind="gate", patient_id=patient_id, client_id=session_of(patient_id))


def owns(table: Table, kind: str, who: str | None) -> Reached:
    """What the hand-kept table says of a kind of caller; `who` it is, or None where it reaches everybody's rows."""
    may = getattr(table, kind).split()
    reach = {owner for owner in table.of if who in (owner, None)}
    return {verb: reach if verb in may else set() for verb in VERBS}


NOTHING: Reached = {verb: set() for verb in VERBS}
STRANGERS = {
    "nobody": db.PUBLIC,
    "a patient without an id": db.Caller(kind="patient"),
    "a patient who is not there": db.Caller(kind="patient", patient_id=uuid.uuid4()),
    "a partner without an id": db.Caller(kind="partner"),
    "a holder of nothing": db.Caller(kind="holder"),
    "a holder of something else": db.Caller(kind="holder", presented=b"0" * 32),
    "a holder of what is no hash": db.Caller(kind="holder", presented=b""),
    "a gate for nobody": db.Caller(kind="gate", client_id=uuid.uuid4()),
    "a client that is not there": db.Caller(kind="holder", client_id=uuid.uuid4()),
}


def test_every_table_of_somebodys_is_here(superuser: psycopg.Connection[Any], app: Continuum) -> None:
    assert set(TABLES) == {name for (name,) in superuser.execute(CLOSED)}


@pytest.mark.parametrize("name", TABLES)
def test_who_is_nobody_reaches_nothing(name: str, rows: Rows) -> None:
    found = {who: rows.reached(name, TABLES[name], caller) for who, caller in STRANGERS.items()}
    of_all = {"read": set(TABLES[name].of)} if TABLES[name].gate_of_all else {}
    assert found == dict.fromkeys(STRANGERS, NOTHING) | {"a gate for nobody": NOTHING | of_all}


@pytest.mark.parametrize("name", TABLES)
def test_each_reaches_what_is_theirs(name: str, rows: Rows) -> None:
    table = TABLES[name]
    for kind, made in (("patient", patient), ("partner", partner)):
        for who in CLIENTS if kind == "partner" else ("sam", "robin"):
            assert rows.reached(name, table, made(rows, who)) == owns(table, kind, who), who


@pytest.mark.parametrize("name", TABLES)
def test_the_clinic_and_the_worker_reach_what_their_work_needs(name: str, rows: Rows) -> None:
    for kind, caller in (("clinic", db.SYSTEM), ("worker", db.WORKER)):
        assert rows.reached(name, TABLES[name], caller) == owns(TABLES[name], kind, None), kind


@pytest.mark.parametrize("name", TABLES)
def test_the_gate_reaches_what_it_judges_by_and_of_facts_one_patients(name: str, rows: Rows) -> None:
    table = TABLES[name]
    for who in table.of:
        reach = {verb: set(table.of) for verb in VERBS if verb in table.gate_of_all.split()}
        assert rows.reached(name, table, gate(rows, who)) == owns(table, "gate", who) | reach, who


@pytest.mark.parametrize("name", [name for name, table in TABLES.items() if table.held_by or table.holder])
def test_a_holder_reaches_the_row_that_it_holds(name: str, rows: Rows) -> None:
    found = holders(rows, name, TABLES[name])
    assert found
    for what, caller in found.items():
        assert rows.reached(name, TABLES[name], caller) == owns(TABLES[name], "holder", what.split(",")[0]), what


@pytest.mark.parametrize("name", TABLES)
def test_nobody_makes_a_row_of_theirs_somebody_elses(name: str, rows: Rows) -> None:
    table = TABLES[name]
    if "sam" in table.of:
        assert not rows.gives_away(name, table, patient(rows, "sam"), "robin")
    if table.of == CLIENTS:
        assert not rows.gives_away(name, table, partner(rows, "north"), "south")


def test_a_table_that_forgets_whose_its_rows_are_is_noticed(rows: Rows, superuser: psycopg.Connection[Any]) -> None:
    letters = Table(patient="read add change remove")
    superuser.execute(LETTERS)
    try:
        rows.fill("letters", letters)
        everything = {verb: {"sam", "robin"} for verb in VERBS}
        assert rows.reached("letters", letters, patient(rows, "sam")) == everything
        assert everything != owns(letters, "patient", "sam")
        assert rows.gives_away("letters", letters, patient(rows, "sam"), "robin")
        assert {"letters"} == {name for (name,) in superuser.execute(CLOSED)} - set(TABLES)
    finally:
        superuser.execute("DROP TABLE letters")

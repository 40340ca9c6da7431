"""The gate's role is entered, and left again whatever happens; what is told stands in the ledger, or is not told."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
import sqlalchemy as sa

from api import db
from api.enrollments.models import Enrollment
from api.privacy import gate
from tests.enrollments.deciding import place
from tests.knocking import Knocker
from tests.privacy.gating import NOON, OUTCOME, Files, as_partner, asked, facts, held, role
from tests.statements import watched

CALLERS = [db.WORKER, db.SYSTEM, db.Caller(kind="partner", client_id=uuid4())]
# Nothing that a partner's role may do with a table of patients, by any statement.
REACHED = """
    SELECT c.relname FROM pg_class c
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
      AND c.relname NOT IN ('audit_events')
      AND (c.relname = 'patients' OR EXISTS (
          SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'patient_id' AND NOT a.attisdropped))
      AND (has_any_column_privilege(%s, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
           OR has_table_privilege(%s, c.oid, 'DELETE, TRUNCATE, TRIGGER'))"""
FORBIDDEN = [
    "SELECT count(*) FROM patients",
    "SELECT count(*) FROM consents",
    "SELECT count(*) FROM restrictions",
    "SELECT count(*) FROM disclosures",
    "SELECT count(*) FROM enrollments",
    "SELECT count(*) FROM attendances",
    "SELECT count(*) FROM record_accesses",
    "SELECT count(*) FROM treatment_ends",
    "SELECT count(*) FROM treatment_begins",
    "INSERT INTO disclosures DEFAULT VALUES",
    "SELECT (SELECT id FROM patients LIMIT 1) FROM api_clients",
    "COPY patients TO STDOUT",
]


def release(client_id: UUID, read: Callable[[], Sequence[gate.Held]]) -> dict[UUID, gate.Release]:
    return gate.release(gate.Recipient(client_id), held=read, at=NOON)


@pytest.mark.parametrize("caller", CALLERS, ids=lambda one: one.kind)
def test_the_role_is_the_gates_inside_and_what_it_was_after(files: Files, patient: Knocker, caller: db.Caller) -> None:
    partner, seen = files.partner(), []
    files.sign(patient.id, partner)
    subject = gate.Held(uuid4(), patient.id, {"referral_outcome": lambda: seen.append(role())})
    with db.transaction(caller):
        before = role()
        release(partner, lambda: seen.append(role()) or [subject])
        assert role() == before
        assert db.session().scalar(sa.text("SELECT current_setting('app.patient_id')")) == ""
    assert seen == ["continuum_gate"] * 2


@pytest.mark.parametrize("inside", ["held", "tell"])
def test_the_role_is_left_when_something_raises(files: Files, patient: Knocker, inside: str) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)

    def fail() -> Any:
        raise LookupError

    subject = gate.Held(uuid4(), patient.id, {"referral_outcome": fail})
    with db.transaction(as_partner(partner)):
        with pytest.raises(LookupError):
            release(partner, fail if inside == "held" else lambda: [subject])
        assert role() == "continuum_partner"
        with pytest.raises(sa.exc.ProgrammingError):
            db.session().execute(sa.text("SELECT count(*) FROM patients"))
        db.preview()
    assert files.ledger("id") == []


def test_nothing_is_told_when_a_statement_fails_inside(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)
    subject = gate.Held(uuid4(), patient.id, {"referral_outcome": lambda: db.session().scalar(sa.text("SELECT 1/0"))})
    with pytest.raises(sa.exc.DataError), db.transaction(as_partner(partner)):
        release(partner, lambda: [subject])
    with db.transaction(as_partner(partner)):
        assert role() == "continuum_partner"
    assert files.ledger("id") == []


@contextmanager
def broken_ledger(superuser: psycopg.Connection[Any]) -> Iterator[None]:
    superuser.execute("ALTER TABLE disclosures ADD CONSTRAINT full_up CHECK (disclosed_at IS NULL) NOT VALID")
    try:
        yield
    finally:
        superuser.execute("ALTER TABLE disclosures DROP CONSTRAINT full_up")


def test_what_cannot_be_accounted_for_is_not_told(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)
    with broken_ledger(files.superuser), pytest.raises(psycopg.errors.CheckViolation):
        facts(partner, patient.id)
    assert facts(partner, patient.id) == OUTCOME
    assert files.ledger("basis", "notice_version") == [("consent", "2024")]


def test_an_answer_that_is_taken_back_takes_its_row_along(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)
    with pytest.raises(LookupError), db.transaction(as_partner(partner)):
        assert release(partner, lambda: [held(patient.id)])
        raise LookupError
    assert files.ledger("id") == []


def test_each_read_has_its_row(files: Files, patient: Knocker) -> None:
    """Also one that ends as a 304: who finds out that nothing has changed was told so."""
    partner = files.partner()
    files.sign(patient.id, partner)
    for _ in range(3):
        facts(partner, patient.id)
    assert len(files.ledger("id")) == 3


def test_revoking_takes_effect_while_a_page_is_read(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    consent = files.sign(patient.id, partner)
    with db.transaction(as_partner(partner)):
        assert release(partner, lambda: [held(patient.id)])
        files.set("consents", consent, revoked_at=NOON, revoked_how="app")
        assert release(partner, lambda: [held(patient.id)]) == {}
    assert len(files.ledger("id")) == 1


def test_only_the_facts_of_the_one_who_consented_are_in_reach(
    files: Files, patient: Knocker, other_patient: Knocker, clinic: Knocker
) -> None:
    partner = files.partner()
    for one in (patient, other_patient):
        place(clinic, one)
    files.sign(patient.id, partner, "level_of_care")
    seen: dict[str, list[UUID]] = {}

    def read(when: str) -> Any:
        seen[when] = list(db.session().scalars(sa.select(Enrollment.patient_id)))
        return []

    subject = gate.Held(uuid4(), patient.id, {"level_of_care": lambda: read("told")})
    with db.transaction(as_partner(partner)):
        release(partner, lambda: read("held") or [subject])
    assert seen == {"held": [], "told": [patient.id]}


def test_what_the_gate_loaded_does_not_stay_behind(files: Files, patient: Knocker, clinic: Knocker) -> None:
    partner = files.partner()
    placed = UUID(place(clinic, patient)["id"])
    files.sign(patient.id, partner, "level_of_care")
    load = {"level_of_care": lambda: db.session().get_one(Enrollment, placed).program_slug}
    with db.transaction(as_partner(partner)) as session:
        (told,) = release(partner, lambda: [gate.Held(uuid4(), patient.id, load)]).values()
        assert told.facts == {"level_of_care": "iop"}
        with pytest.raises(sa.exc.ProgrammingError):
            session.get(Enrollment, placed)
        db.preview()


def test_the_gate_changes_nothing_but_its_ledger(files: Files, patient: Knocker) -> None:
    for statement in ("UPDATE consents SET version = 9", "UPDATE patients SET version = 9", "DELETE FROM disclosures"):
        with pytest.raises(sa.exc.ProgrammingError), db.transaction(db.Caller(kind="gate", patient_id=patient.id)):
            db.session().execute(sa.text(statement))


def test_the_ledger_only_grows(files: Files, patient: Knocker) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)
    facts(partner, patient.id)
    for statement in ("UPDATE disclosures SET categories = '{}'", "DELETE FROM disclosures", "TRUNCATE disclosures"):
        with pytest.raises(psycopg.errors.RaiseException):
            files.superuser.execute(statement)


def test_unknown_unlinked_linked_and_admitted_cost_the_same_statements(
    files: Files, patient: Knocker, other_patient: Knocker, clinic: Knocker
) -> None:
    place(clinic, other_patient)
    partner = files.partner()
    files.sign(patient.id, files.partner("Lakeside Recovery"), name="Lakeside Recovery")
    consented = files.sign(other_patient.id, partner)
    files.set("consents", consented, revoked_at=NOON, revoked_how="app")
    seen = {}
    cases = {"nothing": None, "unlinked": held(None), "linked": held(patient.id), "revoked": held(other_patient.id)}
    for name, subject in cases.items():
        with watched() as ran:
            assert asked(partner, *([subject] if subject else [])) == {}
        seen[name] = ran
    assert seen["nothing"] and all(ran == seen["nothing"] for ran in seen.values())


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_a_partners_door_without_the_gate_gets_nothing(files: Files, patient: Knocker, statement: str) -> None:
    partner = files.partner()
    files.sign(patient.id, partner)
    with pytest.raises(sa.exc.ProgrammingError), db.transaction(as_partner(partner)):
        db.session().execute(sa.text(statement))


def test_a_partners_role_has_no_right_on_any_table_of_patients(files: Files) -> None:
    """But on the audit, which it writes to, and its own rows of which it cannot read."""
    role_of = ["continuum_partner"] * 2
    assert files.superuser.execute(REACHED, role_of).fetchall() == []
    assert files.superuser.execute(REACHED, ["continuum_clinic"] * 2).fetchall() != []
    with pytest.raises(sa.exc.ProgrammingError), db.transaction(as_partner(uuid4())):
        db.session().execute(sa.text("SELECT count(*) FROM audit_events"))

"""Whom a patient may name: active partners, by name and verified kind, and nothing else of any client."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from api import db, errors
from api.access import partners
from api.access.partners import Partner
from api.app import Continuum
from tests.conftest import add_client
from tests.knocking import Knocker

SCOPES = ["capacity:read"]
GATE = db.Caller(kind="gate")


@pytest.fixture
def north(app: Continuum, superuser: psycopg.Connection[Any]) -> UUID:
    """A hospital, beside a court that is suspended and a system of the clinic's own."""
    court = add_client(superuser, kind="partner", name="Drug Court", scopes=SCOPES, partner_kind="criminal_justice")
    superuser.execute("UPDATE api_clients SET status = 'suspended' WHERE id = %s", [court])
    add_client(superuser, kind="clinic", name="Record system", scopes=["audit:read"])
    return add_client(superuser, kind="partner", name="North", scopes=SCOPES, partner_kind="treating_provider")


@pytest.fixture
def court(north: UUID, owner_sql: Callable[..., list[tuple[Any, ...]]]) -> UUID:
    found: UUID = owner_sql("SELECT id FROM api_clients WHERE name = 'Drug Court'")[0][0]
    return found


def names(caller: db.Caller) -> list[str]:
    with db.transaction(caller):
        return [one.name for one in partners.listed()]


def test_a_patient_knows_the_active_ones_by_name(north: UUID, patient: Knocker) -> None:
    with db.transaction(db.Caller(kind="patient", patient_id=patient.id)):
        assert partners.listed() == [Partner(north, "North", "treating_provider", "active")]
        assert partners.one(north).active


def test_a_suspended_one_is_not_there_for_a_patient(court: UUID, patient: Knocker) -> None:
    with db.transaction(db.Caller(kind="patient", patient_id=patient.id)), pytest.raises(errors.NotFound):
        partners.one(court)


@pytest.mark.parametrize("caller", [db.SYSTEM, db.WORKER, GATE], ids=lambda one: one.kind)
def test_the_clinic_the_workers_and_the_gate_know_all_of_them(court: UUID, caller: db.Caller) -> None:
    assert names(caller) == ["Drug Court", "North"]
    with db.transaction(caller):
        assert (partners.one(court).kind, partners.one(court).active) == ("criminal_justice", False)


def test_a_system_of_the_clinics_own_is_no_partner(
    north: UUID, owner_sql: Callable[..., list[tuple[Any, ...]]]
) -> None:
    ((ours,),) = owner_sql("SELECT id FROM api_clients WHERE kind = 'clinic'")
    with db.transaction(db.SYSTEM), pytest.raises(errors.NotFound):
        partners.one(ours)


def test_who_is_nobody_knows_none(north: UUID) -> None:
    assert names(db.PUBLIC) == names(db.Caller(kind="patient")) == []


@pytest.mark.parametrize("kind", ["partner", "holder"])
def test_a_partner_learns_of_no_other(north: UUID, kind: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
        names(db.Caller(kind=kind, client_id=north))


def test_what_else_is_kept_of_clients_is_out_of_reach(north: UUID, patient: Knocker) -> None:
    caller = db.Caller(kind="patient", patient_id=patient.id)
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), db.transaction(caller) as session:
        session.execute(sa.text("SELECT scopes FROM api_clients"))


@pytest.mark.parametrize("caller", [db.PUBLIC, db.SYSTEM, db.WORKER, GATE], ids=lambda one: one.kind)
def test_nobody_writes_through_the_list(north: UUID, caller: db.Caller) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), db.transaction(caller) as session:
        session.execute(sa.text("UPDATE partners SET kind = 'treating_provider'"))

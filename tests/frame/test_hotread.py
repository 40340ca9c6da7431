"""One statement that says who asks and reads: own rows only, no standing no answer, nothing rendered when known."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

from api import db
from api.hotread import HotRead, Reading
from api.patients.models import Patient
from tests.knocking import Knocker


def names_without_a_where(caller: Any) -> Reading:
    """Forgets its WHERE on purpose: the policy alone must hold."""
    ids = sa.select(sa.cast(sa.func.json_agg(Patient.id), sa.Text)).where(caller.c.id.is_not(None)).correlate(caller)
    return Reading(tag=sa.literal_column("'t1'"), body=ids.scalar_subquery())


def all_that_are_seen(caller: Any) -> list[sa.Label[Any]]:
    seen = sa.select(sa.func.count(Patient.id)).where(caller.c.id.is_not(None)).correlate(caller)
    return [seen.scalar_subquery().label("seen")]


def how_many_are_seen(caller: Any) -> Reading:
    return Reading(tag=sa.literal_column("'t1'"), body=sa.cast(caller.c.seen, sa.Text))


READ = HotRead(names_without_a_where)
COUNT = HotRead(how_many_are_seen, about=all_that_are_seen)


def caller_of(knocker: Knocker) -> db.Caller:
    return db.Caller(kind="patient", patient_id=knocker.id, app_session_id=knocker.app_session_id)


def test_a_read_that_forgets_its_where_returns_nobody_elses_row(patient: Knocker, other_patient: Knocker) -> None:
    for _ in range(10):  # past the switch to a generic plan
        assert READ.run(caller_of(patient), known=None).body == f'["{patient.id}"]'
        assert READ.run(caller_of(other_patient), known=None).body == f'["{other_patient.id}"]'


def test_who_does_not_stand_is_signed_out(patient: Knocker, other_patient: Knocker) -> None:
    foreign = db.Caller(kind="patient", patient_id=patient.id, app_session_id=other_patient.app_session_id)
    for caller in (foreign, db.Caller(kind="patient", patient_id=uuid4(), app_session_id=uuid4())):
        with pytest.raises(db.SignedOut):
            READ.run(caller, known=None)


@pytest.mark.parametrize("read", [READ, COUNT])
@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_the_caller_is_set_before_the_policies_ask_under_every_plan(
    server: Any, patient: Knocker, other_patient: Knocker, mode: str, read: HotRead
) -> None:
    compiled = read.statement().compile(dialect=sa.dialects.postgresql.psycopg.dialect())
    values = compiled.params | {"caller_id": str(patient.id), "app_session_id": patient.app_session_id}
    with psycopg.connect(server.dsn("continuum_app", "continuum"), autocommit=True) as connection:
        connection.execute(f"SET plan_cache_mode = {mode}")
        for _ in range(8):
            standing, _, body, _ = connection.execute(str(compiled), values, prepare=True).fetchone() or ()
            assert (standing, body) == (db.STANDS, f'["{patient.id}"]' if read is READ else "1")
        assert connection.execute("SELECT current_setting('app.patient_id', true)").fetchone() == ("",)


def test_what_the_caller_knows_is_not_rendered(patient: Knocker) -> None:
    answer = READ.run(caller_of(patient), known="t1")
    assert (answer.tag, answer.body) == ("t1", None)


def test_nothing_is_left_open_on_the_connection(patient: Knocker, owner_sql: Callable[..., Any]) -> None:
    READ.run(caller_of(patient), known=None)
    with db.transaction(db.PUBLIC) as session:
        assert session.scalars(sa.select(Patient.id)).all() == []


def test_a_dead_connection_is_replaced(patient: Knocker, owner_sql: Callable[..., Any]) -> None:
    READ.run(caller_of(patient), known=None)
    owner_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'continuum_app'")
    assert READ.run(caller_of(patient), known=None).body == f'["{patient.id}"]'

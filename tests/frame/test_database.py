"""The database knows who asks: no caller, no rows; what raises rolls back; what must outlive a refusal does."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from api import audit, db, errors
from api.app import Continuum
from api.patients import versions
from api.patients.models import Patient, PatientVersion
from tests.knocking import Knocker


def seen(caller: db.Caller) -> int:
    with db.transaction(caller) as session:
        return len(session.scalars(sa.select(Patient)).all())


def test_without_a_caller_there_are_no_rows(patient: Knocker) -> None:
    assert seen(db.PUBLIC) == 0
    assert seen(db.Caller(kind="patient")) == 0
    assert seen(db.Caller(kind="patient", patient_id=uuid4())) == 0


def test_a_patient_sees_one_row_and_the_clinic_all(patient: Knocker, other_patient: Knocker) -> None:
    assert seen(db.Caller(kind="patient", patient_id=patient.id)) == 1
    assert seen(db.SYSTEM) == 2
    assert seen(db.WORKER) == 2


def test_nothing_of_a_caller_is_left_on_the_connection(patient: Knocker) -> None:
    for _ in range(30):
        assert seen(db.SYSTEM) == 1
        assert seen(db.PUBLIC) == 0


def test_a_patient_cannot_write_another_patients_row(patient: Knocker, other_patient: Knocker) -> None:
    with db.transaction(db.Caller(kind="patient", patient_id=patient.id)) as session:
        changed = session.execute(sa.update(Patient).where(Patient.id == other_patient.id).values(language="es"))
        assert changed.rowcount == 0


def test_a_patient_cannot_change_what_the_record_system_owns(patient: Knocker) -> None:
    with (
        pytest.raises(sa.exc.ProgrammingError),
        db.transaction(db.Caller(kind="patient", patient_id=patient.id)) as session,
    ):
        session.execute(sa.update(Patient).values(status="active"))


def test_what_raises_rolls_back(patient: Knocker) -> None:
    with pytest.raises(errors.Conflict), db.transaction(db.SYSTEM) as session:
        session.execute(sa.update(Patient).values(preferred_name="Changed"))
        raise errors.Conflict
    assert patient.get("/v1/me").json["preferred_name"] == "Sam"


def test_a_preview_does_the_real_thing_and_leaves_no_trace(patient: Knocker) -> None:
    with db.transaction(db.SYSTEM) as session:
        db.preview()
        session.execute(sa.update(Patient).values(preferred_name="Changed"))
        assert session.scalar(sa.select(Patient.preferred_name)) == "Changed"
    assert patient.get("/v1/me").json["preferred_name"] == "Sam"


def test_what_must_outlive_a_refusal_does(app: Continuum, owner_sql: Callable[..., Any]) -> None:
    with pytest.raises(errors.Conflict), db.transaction(db.SYSTEM):
        db.after_rollback(lambda: audit.record(db.SYSTEM, operation="outliving", action="create"))
        audit.record(db.SYSTEM, operation="undone", action="create")
        raise errors.Conflict
    assert owner_sql("SELECT operation FROM audit_events") == [("outliving",)]


def test_a_transaction_inside_another_is_a_defect(app: Continuum) -> None:
    with db.transaction(db.PUBLIC), pytest.raises(db.AlreadyInTransaction), db.transaction(db.PUBLIC):
        pass


def test_versions_are_raised_once_for_all_that_a_transaction_touches(patient: Knocker, other_patient: Knocker) -> None:
    with db.transaction(db.SYSTEM):
        both = versions.touch([patient.id, other_patient.id])
        assert versions.touch([patient.id]) == {patient.id: both[patient.id]}
    with db.transaction(db.SYSTEM):
        assert versions.touch([patient.id])[patient.id] == both[patient.id] + 1
        with pytest.raises(versions.SecondRoundOfLocks):
            versions.touch([other_patient.id])


def test_crossing_writers_wait_and_do_not_deadlock(patient: Knocker, other_patient: Knocker) -> None:
    failures: list[Exception] = []

    def write(order: list[Any]) -> None:
        try:
            for _ in range(20):
                with db.transaction(db.SYSTEM):
                    versions.touch(order)
        except Exception as failure:
            failures.append(failure)

    ids = [patient.id, other_patient.id]
    with db.transaction(db.SYSTEM):
        before = versions.touch(ids)
    threads = [threading.Thread(target=write, args=(order,)) for order in (ids, ids[::-1]) * 2]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not failures
    with db.transaction(db.SYSTEM) as session:
        after = {row.patient_id: row.version for row in session.scalars(sa.select(PatientVersion))}
    assert after == {one: version + 80 for one, version in before.items()}


def test_a_dead_pooled_connection_is_replaced_without_anybody_noticing(
    patient: Knocker, owner_sql: Callable[..., Any]
) -> None:
    assert patient.get("/v1/me").status_code == 200
    owner_sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'continuum_app'")
    assert patient.get("/v1/me").status_code == 200


def test_ids_are_uuidv7_and_grow() -> None:
    ids = [db.uuid7() for _ in range(1000)]
    assert {one.version for one in ids} == {7}
    assert {one.variant for one in ids} == {"specified in RFC 4122"}
    assert sorted(one.int >> 64 for one in ids) == [one.int >> 64 for one in ids]
    assert len(set(ids)) == 1000


def test_one_that_fails_stops_neither_the_others_nor_the_refusal(
    app: Continuum, owner_sql: Callable[..., Any], capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    def fail() -> None:
        raise ValueError("a name that must not be logged")

    with pytest.raises(errors.Conflict), db.transaction(db.SYSTEM):
        for outlives in (lambda: audit.record(db.SYSTEM, operation="first", action="create"), fail):
            db.after_rollback(outlives)
        raise errors.Conflict
    assert owner_sql("SELECT operation FROM audit_events") == [("first",)]
    written = capfdbinary.readouterr().out
    assert b"ValueError" in written
    assert b"must not be logged" not in written


def test_what_must_outlive_a_refusal_finds_another_connection_when_its_own_has_died(
    app: Continuum, owner_sql: Callable[..., Any]
) -> None:
    with pytest.raises(errors.Unavailable), db.transaction(db.SYSTEM) as session:
        db.after_rollback(lambda: audit.record(db.SYSTEM, operation="outliving", action="create"))
        pid = session.scalar(sa.text("SELECT pg_backend_pid()"))
        owner_sql("SELECT pg_terminate_backend(%s, 1000)", pid)
        session.execute(sa.text("SELECT 1"))
    assert owner_sql("SELECT operation FROM audit_events") == [("outliving",)]


def test_what_was_left_for_a_rollback_is_forgotten_by_a_commit(app: Continuum, owner_sql: Callable[..., Any]) -> None:
    with db.transaction(db.SYSTEM):
        db.after_rollback(lambda: audit.record(db.SYSTEM, operation="outliving", action="create"))
    assert owner_sql("SELECT operation FROM audit_events") == []

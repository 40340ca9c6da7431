"""The audit only grows, and its chain shows whatever was done to it."""

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from api import audit, db
from api.app import Continuum

SQL = Callable[..., Any]


@pytest.fixture
def sealed(app: Continuum, as_worker: Callable[[], AbstractContextManager[Any]]) -> None:
    with db.transaction(db.SYSTEM):
        for number in range(5):
            audit.record(db.SYSTEM, operation=f"act{number}", action="create")
    with as_worker():
        assert audit.seal(batch=3) == 3
    with as_worker():
        assert audit.seal() == 2
        assert audit.seal() == 0


def broken() -> int | None:
    with db.transaction(db.SYSTEM):
        return audit.broken_at()


def test_an_untouched_chain_holds(sealed: None) -> None:
    assert broken() is None


@pytest.mark.parametrize(
    ("tampering", "position"),
    [
        ("UPDATE audit_events SET operation = 'other' WHERE operation = 'act2'", 3),
        ("DELETE FROM audit_events WHERE operation = 'act1'", 2),
        ("DELETE FROM audit_seals WHERE position = 4", 4),
        ("UPDATE audit_seals SET hash = '\\x00' WHERE position = 5", 5),
    ],
)
def test_what_was_done_to_the_chain_shows(sealed: None, owner_sql: SQL, tampering: str, position: int) -> None:
    owner_sql("SET session_replication_role = replica")
    owner_sql(tampering)
    owner_sql("SET session_replication_role = origin")
    assert broken() == position


@pytest.mark.parametrize("statement", ["UPDATE audit_events SET operation = 'x'", "DELETE FROM audit_events"])
def test_nobody_changes_or_deletes_a_row_not_even_the_owner(sealed: None, server: Any, statement: str) -> None:
    with (
        psycopg.connect(server.dsn("continuum_owner", "continuum")) as owner,
        pytest.raises(psycopg.Error, match="only grows"),
    ):
        owner.execute(statement)


def test_a_chain_has_one_writer_at_a_time(
    app: Continuum, as_worker: Callable[[], AbstractContextManager[Any]], server: Any
) -> None:
    with psycopg.connect(server.dsn("continuum_app", "continuum")) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [audit.SEAL_LOCK])
        with db.transaction(db.SYSTEM):
            audit.record(db.SYSTEM, operation="act", action="create")
        with as_worker():
            assert audit.seal() == 0


def test_sealing_goes_on_where_it_stopped(
    sealed: None, as_worker: Callable[[], AbstractContextManager[Any]], owner_sql: SQL
) -> None:
    with db.transaction(db.SYSTEM):
        audit.record(db.SYSTEM, operation="later", action="create")
    with as_worker():
        assert audit.seal() == 1
    assert owner_sql("SELECT count(*), max(position) FROM audit_seals") == [(6, 6)]
    assert broken() is None


def test_rows_sealed_before_times_were_told_have_the_same_hash_still() -> None:
    told = {
        "id": UUID("0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e51"),
        "recorded_at": datetime(2026, 11, 20, 15, 0, 0, 123456, UTC),
        "caller_kind": "clinic",
        "client_id": UUID("0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e52"),
        "acting_user": "u-17",
        "acting_role": "counselor",
        "action": "read",
        "operation": "getPatient",
        "outcome": "done",
    }
    canonical = (
        b'{"acting_role":"counselor","acting_user":"u-17","action":"read","app_session_id":null,"caller_kind":"clinic",'
        b'"client_id":"0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e52","id":"0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e51",'
        b'"operation":"getPatient","outcome":"done","patient_id":null,"problem":null,'
        b'"recorded_at":"2026-11-20T15:00:00.123456Z","request_id":null,"resource_id":null}'
    )
    event = audit.AuditEvent(**told)
    assert audit.link(audit.GENESIS, event) == hashlib.sha256(audit.GENESIS + canonical).digest()
    event.times = 3
    assert audit.link(audit.GENESIS, event) != hashlib.sha256(audit.GENESIS + canonical).digest()


def report(expect: str | None = None) -> tuple[bool, str]:
    with db.transaction(db.SYSTEM):
        return audit.verify_report(expect)


def newest(said: str) -> str:
    return said.rpartition(" ")[2]


def cut(owner_sql: SQL, *, links: int) -> None:
    owner_sql("SET session_replication_role = replica")
    owner_sql("DELETE FROM audit_events WHERE id IN (SELECT event_id FROM audit_seals WHERE position > %s)", links)
    owner_sql("DELETE FROM audit_seals WHERE position > %s", links)
    owner_sql("SET session_replication_role = origin")


def test_a_report_names_the_links_and_the_newest_hash(sealed: None, owner_sql: SQL) -> None:
    ((digest,),) = owner_sql("SELECT encode(hash, 'hex') FROM audit_seals WHERE position = 5")
    assert report() == (True, f"The audit's chain holds: 5 links, the newest 5:{digest}")


def test_a_report_names_the_first_broken_position(sealed: None, owner_sql: SQL) -> None:
    owner_sql("SET session_replication_role = replica")
    owner_sql("UPDATE audit_events SET operation = 'other' WHERE operation = 'act1' OR operation = 'act3'")
    owner_sql("SET session_replication_role = origin")
    assert report() == (False, "The audit's chain is broken at position 2.")


def test_a_cut_tail_shows_to_who_kept_an_earlier_report(sealed: None, owner_sql: SQL) -> None:
    _, before = report()
    cut(owner_sql, links=3)
    assert report()[0]
    holds, said = report(newest(before))
    assert (holds, said.split(":")[0]) == (False, "The audit's chain ends at position 3")


def test_a_chain_made_anew_shows_to_who_kept_an_earlier_report(
    sealed: None, as_worker: Callable[[], AbstractContextManager[Any]], owner_sql: SQL
) -> None:
    _, before = report()
    cut(owner_sql, links=3)
    with db.transaction(db.SYSTEM):
        for number in range(4):
            audit.record(db.SYSTEM, operation=f"forged{number}", action="create")
    with as_worker():
        assert audit.seal() == 4
    assert report()[0]
    assert report(newest(before)) == (False, "The audit's chain is broken at position 5.")


def test_a_chain_that_has_grown_still_meets_an_earlier_report(
    sealed: None, as_worker: Callable[[], AbstractContextManager[Any]]
) -> None:
    _, before = report()
    with db.transaction(db.SYSTEM):
        audit.record(db.SYSTEM, operation="later", action="create")
    with as_worker():
        assert audit.seal() == 1
    assert report(newest(before))[0]


def test_an_empty_chain_holds_and_its_report_can_be_kept(app: Continuum) -> None:
    holds, said = report()
    assert holds and newest(said) == f"0:{audit.GENESIS.hex()}"
    assert report(newest(said)) == (holds, said)


@pytest.mark.parametrize("expect", ["5", "five:00", "5:xyz", "5:00", "-1:" + "00" * 32])
def test_what_is_expected_has_a_form(sealed: None, expect: str) -> None:
    holds, said = report(expect)
    assert not holds and "POSITION:HASH" in said

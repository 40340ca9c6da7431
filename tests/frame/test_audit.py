"""The audit only grows, and its chain shows whatever was done to it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

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

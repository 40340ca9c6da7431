"""Statements that go to libpq as they are: prepared once on a connection, whatever becomes of the transaction."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

from api import db, direct, errors
from api.app import Continuum
from api.prepared import Prepared

ECHO = Prepared("SELECT %(id)s::uuid AS id, %(at)s::timestamptz AS at, %(said)s::text AS said, 7 %% 4 AS rest")
CORE = Prepared(
    sa.select(sa.bindparam("number", type_=sa.BigInteger).label("number"), sa.literal("kept").label("word"))
)
KNOWN = sa.text("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'direct%' AND statement LIKE '%7 % 4%'")
KEEP = Prepared("INSERT INTO jobs.ticks (name, begun_at) VALUES (%(key)s, now())")
TOUCH = Prepared("UPDATE jobs.ticks SET succeeded_at = now() WHERE name = %(key)s")
BEATS = sa.text("SELECT count(succeeded_at) FROM jobs.ticks WHERE name = 'one'")
COUNT = Prepared("SELECT count(*) AS kept, count(succeeded_at) AS touched FROM jobs.ticks WHERE name = 'one'")
ASKED = {"id": uuid4(), "at": datetime(2026, 11, 27, 12, tzinfo=UTC), "said": "ñ"}


@pytest.fixture(autouse=True)
def no_ticks(superuser: psycopg.Connection[Any]) -> Iterator[None]:
    yield
    superuser.execute("DELETE FROM jobs.ticks WHERE name = 'one'")


def test_values_come_back_as_they_went(app: Continuum) -> None:
    with db.transaction(db.WORKER):
        assert ECHO.one(**ASKED)._asdict() == {**ASKED, "rest": 3}
        assert [ECHO.one(**{**ASKED, "said": None}).said, *CORE.run(number=2**40)] == [None, (2**40, "kept")]


def test_a_parameter_that_is_missing_is_no_null(app: Continuum) -> None:
    for statement in (ECHO, CORE):
        with pytest.raises(KeyError), db.transaction(db.WORKER):
            statement.one(id=ASKED["id"])


def test_a_rollback_leaves_what_was_prepared(app: Continuum) -> None:
    with db.transaction(db.WORKER):
        ECHO.one(**ASKED)
    with pytest.raises(ZeroDivisionError), db.transaction(db.WORKER):
        raise ZeroDivisionError
    with db.transaction(db.WORKER) as session:
        before = session.scalar(KNOWN)
        assert ECHO.one(**ASKED).said == "ñ"
        assert (before, session.scalar(KNOWN)) == (1, 1)


def test_after_a_savepoint_that_was_rolled_back_it_is_prepared_anew(app: Continuum) -> None:
    with db.transaction(db.WORKER) as session:
        ECHO.one(**ASKED)
        for _ in range(4):
            session.execute(sa.text("SELECT 1"))
        session.begin_nested().rollback()
        assert ECHO.one(**ASKED).said == "ñ"


def test_what_somebody_else_threw_away_fails_one_transaction_and_no_further_one(app: Continuum) -> None:
    with pytest.raises(errors.Unavailable), db.transaction(db.WORKER) as session:
        ECHO.one(**ASKED)
        session.execute(sa.text("DEALLOCATE ALL"))
        ECHO.one(**ASKED)
    with db.transaction(db.WORKER):
        assert ECHO.one(**ASKED).said == "ñ"


def test_a_connection_that_ends_is_the_database_out_of_reach(
    app: Continuum, superuser: psycopg.Connection[Any]
) -> None:
    with pytest.raises(errors.Unavailable), db.transaction(db.WORKER) as session:
        superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [session.scalar(sa.text("SELECT pg_backend_pid()"))])
        ECHO.one(**ASKED)
    with db.transaction(db.WORKER):
        assert ECHO.one(**ASKED).said == "ñ"


def test_a_connection_that_ends_before_the_commit_is_the_database_out_of_reach(
    app: Continuum, superuser: psycopg.Connection[Any]
) -> None:
    with pytest.raises(errors.Unavailable), db.transaction(db.WORKER) as session:
        superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [session.scalar(sa.text("SELECT pg_backend_pid()"))])
    with db.transaction(db.WORKER):
        assert ECHO.one(**ASKED).said == "ñ"


def test_a_connection_that_ends_before_the_rollback_is_the_same(
    app: Continuum, superuser: psycopg.Connection[Any]
) -> None:
    with pytest.raises(errors.Unavailable), db.transaction(db.WORKER) as session:
        superuser.execute("SELECT pg_terminate_backend(%s, 5000)", [session.scalar(sa.text("SELECT pg_backend_pid()"))])
        raise ZeroDivisionError
    with db.transaction(db.WORKER):
        assert ECHO.one(**ASKED).said == "ñ"


def test_what_was_thrown_away_before_the_caller_is_named_costs_nothing(app: Continuum) -> None:
    with db.transaction(db.WORKER) as session:
        session.execute(sa.text("DEALLOCATE ALL"))
    with db.transaction(db.WORKER):
        assert CORE.run(number=1) == [(1, "kept")]


def test_what_is_left_is_done_in_its_order_with_the_commit(app: Continuum) -> None:
    with db.transaction(db.WORKER) as session:
        KEEP.leave(key="one")
        TOUCH.leave(key="one")
        assert session.scalar(BEATS) == 0
    with db.transaction(db.WORKER) as session:
        assert session.scalar(BEATS) == 1


def test_what_cannot_be_done_at_the_end_undoes_everything(app: Continuum) -> None:
    with pytest.raises(errors.Conflict), db.transaction(db.WORKER):
        KEEP.leave(key="one")
        KEEP.leave(taken=errors.Conflict, key="one")
        TOUCH.leave(key="one")
    with db.transaction(db.WORKER) as session:
        assert session.scalar(BEATS) == 0


def test_what_a_preview_leaves_is_tried_and_undone(app: Continuum) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation), db.transaction(db.WORKER):
        db.preview()
        KEEP.leave(key="one")
        KEEP.leave(key="one")
    with db.transaction(db.WORKER):
        db.preview()
        KEEP.leave(key="one")
    with db.transaction(db.WORKER) as session:
        assert session.scalar(BEATS) == 0


def test_what_was_left_is_done_as_whoever_left_it(app: Continuum) -> None:
    with db.transaction(db.WORKER):
        KEEP.leave(key="one")
        TOUCH.leave(key="one")
        db.become(db.PUBLIC)
    with db.transaction(db.WORKER) as session:
        assert session.scalar(BEATS) == 1


def test_roles_have_their_own_statements_on_one_connection(app: Continuum) -> None:
    for caller in (db.WORKER, db.SYSTEM, db.WORKER):
        with db.transaction(caller) as session:
            ECHO.one(**ASKED)
            known = session.scalar(KNOWN)
    assert known == 2


def test_more_than_a_socket_holds_goes_out_in_one_trip(app: Continuum) -> None:
    long = "x" * 3_000_000
    with db.transaction(db.WORKER) as session:
        driver: Any = session.connection().connection.driver_connection
        answers = direct.in_one_trip(driver, [(ECHO, {**ASKED, "said": long})] * 2, last=b"SELECT 1")
        assert [len(row.said) for answer in answers[:2] for row in answer.rows()] == [len(long)] * 2


def test_what_was_asked_directly_is_kept_beside_a_session_that_asked_nothing(app: Continuum) -> None:
    with db.transaction(db.WORKER):
        KEEP.run(key="one")
        TOUCH.run(key="one")
    with db.running(db.WORKER):
        assert db.session().scalar(BEATS) == 1


def test_without_a_session_there_is_a_commit_and_a_rollback_too(app: Continuum) -> None:
    with db.running(db.WORKER):
        KEEP.run(key="one")
    with pytest.raises(ZeroDivisionError), db.running(db.WORKER):
        TOUCH.run(key="one")
        raise ZeroDivisionError
    with db.running(db.WORKER):
        assert COUNT.one() == (1, 0)

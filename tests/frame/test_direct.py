"""Statements that go to libpq as they are: prepared once on a connection, whatever becomes of the transaction."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import sqlalchemy as sa

from api import db, errors
from api.app import Continuum
from api.prepared import Prepared

ECHO = Prepared("SELECT %(id)s::uuid AS id, %(at)s::timestamptz AS at, %(said)s::text AS said, 7 %% 4 AS rest")
CORE = Prepared(
    sa.select(sa.bindparam("number", type_=sa.BigInteger).label("number"), sa.literal("kept").label("word"))
)
KNOWN = sa.text("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'direct%' AND statement LIKE '%7 % 4%'")
ASKED = {"id": uuid4(), "at": datetime(2026, 11, 27, 12, tzinfo=UTC), "said": "ñ"}


def test_values_come_back_as_they_went(app: Continuum) -> None:
    with db.transaction(db.WORKER):
        assert ECHO.one(**ASKED)._asdict() == {**ASKED, "rest": 3}
        assert [ECHO.one(**{**ASKED, "said": None}).said, *CORE.run(number=2**40)] == [None, (2**40, "kept")]


def test_a_parameter_that_is_missing_is_no_null(app: Continuum) -> None:
    with pytest.raises(KeyError), db.transaction(db.WORKER):
        ECHO.one(id=ASKED["id"])


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
    with pytest.raises(psycopg.errors.InvalidSqlStatementName), db.transaction(db.WORKER) as session:
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

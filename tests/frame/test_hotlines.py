"""The connections of hot reads: kept, replaced when they die, closed with the engine; no value is ever cut short."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from api import db, errors, hotlines
from api.app import Continuum

ECHO = hotlines.Prepared(sa.select(sa.bindparam("said", type_=sa.Text), sa.literal(7), sa.null()))
SLEEP = hotlines.Prepared(sa.select(sa.func.pg_sleep(sa.bindparam("seconds", type_=sa.Float))))
WHO = hotlines.Prepared(sa.select(sa.cast(sa.func.pg_backend_pid(), sa.Text)))


def test_values_go_in_and_come_out(app: Continuum) -> None:
    assert hotlines.current().ask(ECHO, {"said": "año ✓"}) == ["año ✓".encode(), b"7", None]
    assert hotlines.current().ask(ECHO, {"said": None})[0] is None


def test_a_nul_is_refused_rather_than_cut_off(app: Continuum) -> None:
    with pytest.raises(psycopg.DataError):
        hotlines.current().ask(ECHO, {"said": "a\0b"})


def test_one_reader_after_the_other_uses_one_connection(app: Continuum) -> None:
    assert len({hotlines.current().ask(WHO, {})[0] for _ in range(5)}) == 1


def test_readers_at_the_same_time_have_connections_of_their_own(app: Continuum) -> None:
    threads = [threading.Thread(target=lambda: hotlines.current().ask(SLEEP, {"seconds": 0.2})) for _ in range(3)]
    before = hotlines.current().idle
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert hotlines.current().idle >= max(3, before)


def test_a_statement_that_takes_too_long_leaves_a_good_connection(app: Continuum) -> None:
    line = hotlines.Line()
    line.ask(hotlines.Prepared(sa.select(sa.func.set_config("statement_timeout", "50ms", False))), {})
    with pytest.raises(psycopg.errors.QueryCanceled):
        line.ask(SLEEP, {"seconds": 5.0})
    assert not line.dead
    line.close()


def test_a_database_that_hangs_up_is_asked_again_and_one_that_is_gone_is_unavailable(
    app: Continuum, owner_sql: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    hang_up = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'continuum_app'"
    (first,) = hotlines.current().ask(WHO, {})
    owner_sql(hang_up)
    (second,) = hotlines.current().ask(WHO, {})
    assert first != second
    owner_sql(hang_up)

    def refuse() -> None:
        raise errors.Unavailable

    monkeypatch.setattr(hotlines, "Line", refuse)
    with pytest.raises(errors.Unavailable):
        hotlines.current().ask(WHO, {})


def test_the_engines_end_is_theirs(app: Continuum) -> None:
    hotlines.current().ask(WHO, {})
    db.engine().dispose()
    assert hotlines.current().idle == 0


def test_a_statement_that_was_lost_or_no_longer_fits_is_prepared_anew(
    app: Continuum, owner_sql: Callable[..., Any]
) -> None:
    (first,) = hotlines.current().ask(WHO, {})
    line = hotlines.current()._idle[-1]
    line._connection.execute("DEALLOCATE ALL")
    (second,) = hotlines.current().ask(WHO, {})
    assert first != second


def test_a_database_that_cannot_be_reached_is_unavailable(app: Continuum, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Any:
        raise psycopg.OperationalError("connection refused")

    hotlines.current().hang_up()
    monkeypatch.setattr(db.engine(), "raw_connection", refuse)
    with pytest.raises(errors.Unavailable):
        hotlines.current().ask(WHO, {})

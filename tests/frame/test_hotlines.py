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
SLOW_WHO = hotlines.Prepared(sa.select(sa.cast(sa.func.pg_backend_pid(), sa.Text), sa.func.pg_sleep(0.05)))
WHO = hotlines.Prepared(sa.select(sa.cast(sa.func.pg_backend_pid(), sa.Text)))


def test_values_go_in_and_come_out(app: Continuum) -> None:
    assert hotlines.current().ask(ECHO, {"said": "año ✓"}) == ["año ✓".encode(), b"7", None]
    assert hotlines.current().ask(ECHO, {"said": None})[0] is None


def test_a_nul_is_refused_rather_than_cut_off(app: Continuum) -> None:
    with pytest.raises(psycopg.DataError):
        hotlines.current().ask(ECHO, {"said": "a\0b"})


def test_readers_at_the_same_time_share_a_few_connections(app: Continuum) -> None:
    seen: set[bytes | None] = set()
    threads = [
        threading.Thread(target=lambda: seen.add(hotlines.current().ask(SLOW_WHO, {})[0]))
        for _ in range(5 * hotlines.MOST)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert 2 <= len(seen) <= hotlines.MOST


def test_who_waits_in_vain_for_a_connection_is_told_to_come_back(
    app: Continuum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hotlines, "WAIT_SECONDS", 0.05)
    lines = hotlines.Lines(db.engine())
    taken = [lines._take() for _ in range(hotlines.MOST)]
    with pytest.raises(errors.Unavailable):
        lines.ask(WHO, {})
    for line in taken:
        lines._leave(line)
    assert lines.ask(WHO, {})[0]
    lines.hang_up()


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
    (first,) = hotlines.current().ask(WHO, {})
    db.engine().dispose()
    assert hotlines.current().ask(WHO, {}) != [first]

"""The connections of hot reads: autocommitted for good, beside the engine's pool, and spoken to through libpq.

A pool's checkout, psycopg's cursor and two changes of autocommit cost a hot read as much again as Flask does. So who
reads takes one of a few connections, asks a statement that was prepared on it once, and leaves it for the next.
"""

import contextlib
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import abc
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ConnStatus
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from api import db, errors
from api.direct import LOST, STALE, new_name, refuse_failed

WAIT_SECONDS = 5.0
# A process has one interpreter to read with: four connections keep it busy, more only take turns in PostgreSQL.
MOST = 4


class Prepared:
    """A statement with its parameters in order; those with a value in the statement keep it."""

    def __init__(self, statement: sa.Select[Any]) -> None:
        dialect = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
        compiled: Any = statement.compile(dialect=dialect)
        constants: dict[str, Any] = compiled.params
        self.name, self.sql = new_name(b"hot"), str(compiled).encode()
        self._asked = [(at, name) for at, name in enumerate(compiled.positiontup) if constants[name] is None]
        known = Transformer()
        # What is asked has a cast in the statement, so PostgreSQL knows its type; constants bring theirs.
        self._values = list(_dumped(known, [constants[name] for name in compiled.positiontup]))
        self.types = known.types or ()
        self._formats = [PyFormat.TEXT] * len(self._asked)

    def values(self, dumps: abc.Transformer, asked: Mapping[str, Any]) -> list[Any]:
        """The parameters as libpq sends them. Raises `psycopg.DataError` for what PostgreSQL cannot hold."""
        values = self._values.copy()
        said = dumps.dump_sequence([asked[name] for _, name in self._asked], self._formats)
        for (at, _), value in zip(self._asked, said, strict=True):
            values[at] = value
        return values


def _dumped(dumps: abc.Transformer, values: list[Any]) -> Any:
    return dumps.dump_sequence(values, [PyFormat.TEXT] * len(values))


class Line:
    """One connection."""

    def __init__(self) -> None:
        try:
            with db.translated():
                pooled = db.engine().raw_connection()
        except psycopg.Error as trouble:
            raise errors.Unavailable from trouble
        self._connection: psycopg.Connection[Any] = pooled.driver_connection  # type: ignore[assignment]
        pooled.detach()
        self._connection.autocommit = True
        self._pgconn, self._dumps = self._connection.pgconn, Transformer(self._connection)
        self._prepared: set[bytes] = set()

    @property
    def dead(self) -> bool:
        return self._pgconn.status != ConnStatus.OK

    def close(self) -> None:
        self._connection.close()

    def ask(self, statement: Prepared, asked: Mapping[str, Any]) -> list[bytes | None]:
        """The statement's one row, as text. Raises psycopg's errors."""
        values = statement.values(self._dumps, asked)
        if statement.name not in self._prepared:
            refuse_failed(self._connection, self._pgconn.prepare(statement.name, statement.sql, statement.types))
            self._prepared.add(statement.name)
        result = self._pgconn.exec_prepared(statement.name, values)
        refuse_failed(self._connection, result)
        return [result.get_value(0, column) for column in range(result.nfields)]


class Useless(Exception):
    """A connection cannot be asked any more: it is `dead`, or what was prepared on it is gone or no longer fits."""

    def __init__(self, dead: bool) -> None:
        super().__init__()
        self.dead = dead


def _ends(trouble: psycopg.Error) -> bool:
    """Whether the line is of no use after it. libpq's errors have no SQLSTATE, nor have values that cannot be sent."""
    if trouble.sqlstate is None:
        return not isinstance(trouble, psycopg.DataError)
    return trouble.sqlstate.startswith(LOST) or trouble.sqlstate in STALE


class Lines:
    """The `MOST` connections of one engine. Safe to share between threads."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        # Each is a connection that nobody is using, or leave to make one.
        self._idle: SimpleQueue[Line | None] = SimpleQueue()
        for _ in range(MOST):
            self._idle.put(None)
        sa.event.listen(engine, "engine_disposed", self.hang_up)

    def ask(self, statement: Prepared, asked: Mapping[str, Any]) -> list[bytes | None]:
        """The row. A connection that is of no use any more is replaced once. Raises `errors.Unavailable`."""
        try:
            return self._ask(statement, asked)
        except Useless as useless:
            # What became of this one has become of all that were waiting; if it died, of those of the pool too.
            (self.engine.dispose if useless.dead else self.hang_up)()
        try:
            return self._ask(statement, asked)
        except Useless as useless:
            raise errors.Unavailable from useless

    def _ask(self, statement: Prepared, asked: Mapping[str, Any]) -> list[bytes | None]:
        """Raises `Useless`; `errors.Unavailable` for a statement that took too long."""
        line = self._take()
        try:
            return line.ask(statement, asked)
        except psycopg.Error as trouble:
            if line.dead or _ends(trouble):
                line.close()
                raise Useless(dead=trouble.sqlstate not in STALE) from trouble
            if isinstance(trouble, psycopg.OperationalError | psycopg.InterfaceError):
                raise errors.Unavailable from trouble
            raise
        finally:
            self._leave(line)

    def _take(self) -> Line:
        try:
            line = self._idle.get(timeout=WAIT_SECONDS)
        except Empty as trouble:
            raise errors.Unavailable from trouble
        try:
            return line or Line()
        except BaseException:
            self._idle.put(None)
            raise

    def _leave(self, line: Line) -> None:
        if line.dead:
            line.close()
        self._idle.put(None if line.dead else line)

    def hang_up(self, *_: object) -> None:
        """Close all that nobody is using."""
        for _number in range(self._idle.qsize()):
            with contextlib.suppress(Empty):
                if line := self._idle.get_nowait():
                    line.close()
                self._idle.put(None)


_lines: Lines | None = None


def current() -> Lines:
    """Those of the engine that is open."""
    global _lines
    if _lines is None or _lines.engine is not db.engine():
        _lines = Lines(db.engine())
    return _lines

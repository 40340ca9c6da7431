"""Statements handed to libpq as they are, on a connection that psycopg holds.

psycopg's cursor costs three times as much processor time as the statement's values, its answer and libpq together, and
SQLAlchemy's as much again; this is for what stands on the way of every request. Values, answers and errors remain
psycopg's; `db` ends the transactions that begin here.
"""

import itertools
import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
import sqlalchemy as sa
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import ExecStatus, Format, TransactionStatus
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

# SQLSTATEs of statements that are gone (behind a pooler that shares connections), or whose answer a migration changed.
STALE = ("26000", "0A000")
# Those that connections end with: class 08, and the server's shutdown.
LOST = ("08", "57P01", "57P02", "57P03")
_PLACE = re.compile(r"%\((\w+)\)s|%%")
_numbers = itertools.count(1)
# What is prepared on each connection, by statement and the types of its values.
_prepared: "WeakKeyDictionary[psycopg.Connection[Any], dict[Any, bytes]]" = WeakKeyDictionary()


@dataclass(frozen=True, slots=True)
class _Compiled:
    sql: bytes
    names: tuple[str, ...]
    defaults: Mapping[str, Any]
    formats: list[PyFormat]


class Statement:
    """A Core statement, or SQL as psycopg reads it (`%(name)s`); its parameters are its named bind parameters.

    Values are adapted by psycopg: a dict needs its `Jsonb` around it, a list has one type. They come back in binary.
    """

    def __init__(self, statement: sa.sql.ClauseElement | str) -> None:
        self._statement = statement
        self._known: _Compiled | None = None
        self._rows: dict[tuple[bytes, ...], Callable[..., Any]] = {}

    @property
    def sql(self) -> str:
        return (self._known or self._compile()).sql.decode()

    def in_order(self, parameters: Mapping[str, Any]) -> list[Any]:
        """The values of its places `$1`, `$2`, ..."""
        compiled = self._known or self._compile()
        given = {**compiled.defaults, **parameters}
        return [given[name] for name in compiled.names]

    def ask(self, connection: psycopg.Connection[Any], parameters: Mapping[str, Any]) -> list[Any]:
        """The rows as named tuples, in the connection's transaction, which begins if none is running. Raises psycopg's
        errors, and `KeyError` for a parameter that is missing."""
        compiled = self._known or self._compile()
        adapting = Transformer(connection)
        values: Any = adapting.dump_sequence(self.in_order(parameters), compiled.formats)
        _begin(connection)
        name = self._on(connection, compiled, tuple(adapting.types or ()))
        result = connection.pgconn.exec_prepared(name, values, adapting.formats, Format.BINARY)
        if result.status == ExecStatus.COMMAND_OK:
            return []
        refuse_failed(connection, result)
        adapting.set_pgresult(result)
        return adapting.load_rows(0, result.ntuples, self._row(result))

    def _on(self, connection: psycopg.Connection[Any], compiled: _Compiled, types: Sequence[int]) -> bytes:
        """Its name on this connection, where it is prepared at first use."""
        names = _prepared.setdefault(connection, {})
        if (name := names.get((self, types))) is None:
            name = b"direct%d" % next(_numbers)
            refuse_failed(connection, connection.pgconn.prepare(name, compiled.sql, types))
            names[self, types] = name
        return name

    def _row(self, result: Any) -> Callable[..., Any]:
        columns = tuple(result.fname(number) for number in range(result.nfields))
        if (row := self._rows.get(columns)) is None:
            named = namedtuple("Row", [one.decode() for one in columns], rename=True)  # type: ignore[misc]
            row = self._rows[columns] = named._make
        return row

    def _compile(self) -> _Compiled:
        if isinstance(self._statement, str):
            sql, names, defaults = _numbered(self._statement)
        else:
            compiled: Any = self._statement.compile(dialect=PGDialect_psycopg(paramstyle="numeric_dollar"))  # type: ignore[no-untyped-call]
            sql, names, defaults = str(compiled), tuple(compiled.positiontup or ()), compiled.params
        self._known = _Compiled(sql.encode(), names, defaults, [PyFormat.AUTO] * len(names))
        return self._known


def is_lost(connection: psycopg.Connection[Any], trouble: psycopg.Error) -> bool:
    """Whether the connection has ended with this trouble."""
    return connection.closed or (trouble.sqlstate or "").startswith(LOST)


def _numbered(sql: str) -> tuple[str, tuple[str, ...], Mapping[str, Any]]:
    names: list[str] = []

    def place(match: re.Match[str]) -> str:
        if (name := match[1]) is None:
            return "%"
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _PLACE.sub(place, sql), tuple(names), {}


def _begin(connection: psycopg.Connection[Any]) -> None:
    if connection.pgconn.transaction_status == TransactionStatus.IDLE and not connection.autocommit:
        carry_out(connection, b"BEGIN")


def is_open(connection: psycopg.Connection[Any]) -> bool:
    """Whether a transaction runs on it, also one that has failed."""
    return connection.pgconn.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)


def carry_out(connection: psycopg.Connection[Any], command: bytes) -> None:
    """A command as it is, of which psycopg need not know. Raises psycopg's errors."""
    refuse_failed(connection, connection.pgconn.exec_(command))


def forget(connection: psycopg.Connection[Any]) -> None:
    """What was prepared on it is thrown away."""
    _prepared.pop(connection, None)


def refuse_failed(connection: psycopg.Connection[Any], result: Any) -> None:
    """Raises the error that an answer of libpq's is, if it is one."""
    if result.status in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        return
    trouble = psycopg.errors.error_from_result(result, connection.info.encoding)
    if trouble.sqlstate in STALE:
        forget(connection)
    if not trouble.sqlstate:
        # libpq's own words: the connection has ended.
        raise psycopg.OperationalError(*trouble.args)
    raise trouble

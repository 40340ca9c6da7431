"""Statements handed to libpq as they are, on a connection that psycopg holds.

psycopg's cursor costs three times as much processor time as the statement's values, its answer and libpq together, and
SQLAlchemy's as much again; this is for what stands on the way of every request. Values, answers and errors remain
psycopg's; `db` ends the transactions that begin here.
"""

import contextlib
import itertools
import re
import select
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, NamedTuple
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
BEGIN = b"BEGIN"
_PLACE = re.compile(r"%\((\w+)\)s|%%")
# Behind a pooler several processes share a connection: none may take another's statement for its own.
_OURS = token_hex(4).encode()
_numbers = itertools.count(1)
# What is prepared on each connection, by role, statement and the types of its values. Row-level security makes
# PostgreSQL plan a statement anew whenever another role asks it than the one before.
_prepared: "WeakKeyDictionary[psycopg.Connection[Any], dict[Any, bytes]]" = WeakKeyDictionary()
_roles: "WeakKeyDictionary[psycopg.Connection[Any], str]" = WeakKeyDictionary()


def new_name(kind: bytes) -> bytes:
    """For a statement to be prepared: no other has it, in any process."""
    return b"%s_%s_%d" % (kind, _OURS, next(_numbers))


class Outdated(psycopg.OperationalError):
    """What was prepared is gone, or no longer fits; the next transaction prepares it anew."""


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
        if _begins(connection):
            carry_out(connection, BEGIN)
        asked = self.on(connection, parameters)
        result = connection.pgconn.exec_prepared(asked.name, asked.values, asked.adapting.formats, Format.BINARY)
        return Answer(connection, result, asked).rows()

    def on(self, connection: psycopg.Connection[Any], parameters: Mapping[str, Any]) -> "Asked":
        """As it goes out there, prepared at first use."""
        compiled = self._known or self._compile()
        adapting: Any = Transformer(connection)
        values: Any = adapting.dump_sequence(self.in_order(parameters), compiled.formats)
        return Asked(self, self._name(connection, compiled, tuple(adapting.types or ())), values, adapting)

    def _name(self, connection: psycopg.Connection[Any], compiled: _Compiled, types: Sequence[int]) -> bytes:
        """Its name on this connection, where it is prepared at first use."""
        known, key = _prepared.setdefault(connection, {}), (_roles.get(connection), self, types)
        if (name := known.get(key)) is None:
            name = new_name(b"direct")
            refuse_failed(connection, connection.pgconn.prepare(name, compiled.sql, types))
            known[key] = name
        return name

    def row(self, result: Any) -> Callable[..., Any]:
        """What makes a row of this answer of libpq's."""
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
            sql, names = str(compiled), tuple(compiled.positiontup or ())
            defaults = {name: given for name, given in compiled.params.items() if not compiled.binds[name].required}
        self._known = _Compiled(sql.encode(), names, defaults, [PyFormat.AUTO] * len(names))
        return self._known


class Asked(NamedTuple):
    """A statement as it goes out: its name on the connection, its values, and what adapted them."""

    statement: Statement
    name: bytes
    values: Any
    adapting: Any


class Answer(NamedTuple):
    """What libpq gave for a statement, or for a command."""

    connection: psycopg.Connection[Any]
    result: Any
    asked: Asked | None = None

    def rows(self) -> list[Any]:
        """Raises psycopg's error if it is one, and `Outdated`."""
        try:
            refuse_failed(self.connection, self.result)
        except psycopg.Error as trouble:
            if trouble.sqlstate in STALE:
                raise Outdated(*trouble.args) from trouble
            raise
        if self.asked is None or self.result.status == ExecStatus.COMMAND_OK:
            return []
        adapting = self.asked.adapting
        adapting.set_pgresult(self.result)
        rows: list[Any] = adapting.load_rows(0, self.result.ntuples, self.asked.statement.row(self.result))
        return rows


def in_one_trip(
    connection: psycopg.Connection[Any], asks: Sequence[tuple[Statement, Mapping[str, Any]]], *, last: bytes = b""
) -> list[Answer]:
    """Asks one statement after the other without waiting for answers, and carries out the command that comes `last`;
    a transaction begins if none is running. After one that fails nothing is done: the answers are to be looked at in
    their order. Raises psycopg's errors for a connection that has ended.
    """
    asked = [statement.on(connection, parameters) for statement, parameters in asks]
    pgconn, begins = connection.pgconn, _begins(connection)
    pgconn.enter_pipeline_mode()
    try:
        if begins:
            pgconn.send_query_params(BEGIN, None)
        for one in asked:
            pgconn.send_query_prepared(one.name, one.values, one.adapting.formats, Format.BINARY)
        if last:
            pgconn.send_query_params(last, None)
        pgconn.pipeline_sync()
        results = [_next(pgconn) for _ in range(begins + len(asked) + bool(last))]
        _heard(pgconn)  # the end of the trip
    finally:
        # Where the connection has ended in the middle, that is what matters.
        with contextlib.suppress(psycopg.OperationalError):
            pgconn.exit_pipeline_mode()
    if begins:
        refuse_failed(connection, results.pop(0))
    return [Answer(connection, result, one) for result, one in itertools.zip_longest(results, asked)]


def _next(pgconn: Any) -> Any:
    """The answer whose turn it is; each is followed by none. A connection that has ended gives no further ones."""
    if (result := _heard(pgconn)) is None:
        raise psycopg.OperationalError("the connection has ended")
    _heard(pgconn)
    return result


def _heard(pgconn: Any) -> Any:
    """libpq would wait with the interpreter's lock held: so the socket is waited for."""
    while pgconn.is_busy():
        unsent = pgconn.flush()
        socket = select.poll()
        socket.register(pgconn.socket, select.POLLIN | (select.POLLOUT if unsent else 0))
        socket.poll()
        pgconn.consume_input()
    return pgconn.get_result()


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


def _begins(connection: psycopg.Connection[Any]) -> bool:
    return connection.pgconn.transaction_status == TransactionStatus.IDLE and not connection.autocommit


def is_open(connection: psycopg.Connection[Any]) -> bool:
    """Whether a transaction runs on it, also one that has failed."""
    return connection.pgconn.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)


def carry_out(connection: psycopg.Connection[Any], command: bytes) -> None:
    """A command as it is, of which psycopg need not know. Raises psycopg's errors."""
    refuse_failed(connection, connection.pgconn.exec_(command))


def speak_as(connection: psycopg.Connection[Any], role: str) -> None:
    """Say which role is entered on it, or about to be."""
    _roles[connection] = role


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

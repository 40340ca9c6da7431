"""The database: one engine, one transaction a request, and the caller written into it.

Nothing but this file commits or rolls back: what returns commits, what raises rolls back. Each
transaction begins by saying who asks (a role for the kind of caller, settings for its ids), and row-level
security answers with that caller's rows alone; no caller, no rows. `hotread` does the same for the
reads that every app start makes, in one autocommitted statement.
"""

import contextlib
import itertools
import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal, cast

import psycopg
import sqlalchemy as sa
import structlog
from sqlalchemy import exc, orm
from sqlalchemy.dialects.postgresql import ARRAY

from api import direct, errors
from api.callers import OWNER as OWNER
from api.callers import PUBLIC as PUBLIC
from api.callers import ROLES as ROLES
from api.callers import STANDS as STANDS
from api.callers import SYSTEM as SYSTEM
from api.callers import WORKER as WORKER
from api.callers import Caller as Caller
from api.callers import SessionRevoked as SessionRevoked
from api.callers import SignedOut as SignedOut
from api.callers import ask_standing as ask_standing
from api.callers import name
from api.callers import refuse_unless as refuse_unless
from api.callers import standing as standing
from api.callers import token_key as token_key
from api.direct import Statement

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(orm.DeclarativeBase):
    """Every table's base: names by convention (migrations rely on them), instants with a time zone."""

    metadata = sa.MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: sa.DateTime(timezone=True), str: sa.Text()}


# The driver's errors when the database is out of reach, or took too long.
AWAY = (psycopg.OperationalError, psycopg.InterfaceError)

_engine: sa.Engine | None = None
_running: "ContextVar[_Running | None]" = ContextVar("running", default=None)


class AlreadyInTransaction(RuntimeError):
    """A second transaction was begun inside one; a full pool would deadlock."""


def open_engine(url: str, *, pool: int, statement_timeout_ms: int, pool_timeout: float = 5.0) -> sa.Engine:
    """Connect this process to the database as the app's login. Connections are made when first needed."""
    global _engine
    _engine = sa.create_engine(
        url,
        pool_size=pool,
        max_overflow=0,
        pool_timeout=pool_timeout,
        pool_use_lifo=True,
        # An error of ours is logged with its statement; the values in it belong to people.
        hide_parameters=True,
        connect_args={"connect_timeout": 5, "prepare_threshold": 2},
    )

    _keep_prepared(_engine)

    @sa.event.listens_for(_engine, "connect")
    def limit(connection: Any, _record: Any) -> None:
        connection.execute(f"SET statement_timeout = {statement_timeout_ms:d}")
        connection.execute("SET timezone = 'UTC'")
        connection.commit()

    return _engine


def _keep_prepared(engine: sa.Engine) -> None:
    """After a rollback psycopg takes every prepared statement for lost, and throws all of them away: so it is not told
    of those of whole transactions. After one to a savepoint they are gone."""
    engine.dialect.do_rollback = _roll_back  # type: ignore[assignment, method-assign]
    engine.dialect.do_commit = _commit  # type: ignore[assignment, method-assign]

    @sa.event.listens_for(engine, "rollback_savepoint")
    def forget(connection: sa.Connection, *_: Any) -> None:
        direct.forget(_driver(connection))


def _commit(pooled: sa.PoolProxiedConnection) -> None:
    driver = _held(pooled)
    if direct.is_open(driver):
        direct.carry_out(driver, b"COMMIT")
    else:
        driver.commit()


def _roll_back(pooled: sa.PoolProxiedConnection) -> None:
    driver = _held(pooled)
    if direct.is_open(driver):
        direct.carry_out(driver, b"ROLLBACK")
    else:
        driver.rollback()


@contextmanager
def opened_by_owner(url: str) -> Iterator[None]:
    """For commands, which are one thread: inside the block, transactions are those of the login that owns the tables.

    It alone registers clients; the API does not even hold its password.
    """
    global _engine
    before, _engine = _engine, sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    _keep_prepared(_engine)
    try:
        yield
    finally:
        _engine.dispose()
        _engine = before


def engine() -> sa.Engine:
    assert _engine is not None, "db.open_engine was not called"
    return _engine


def uuid7() -> uuid.UUID:
    """A UUIDv7 (RFC 9562 §5.7) whose 12 bits after the milliseconds hold their fraction (§6.2, method 3).

    Ids made one after the other in a process are in order to a quarter of a microsecond.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (rest * 4096 // 1_000_000) << 64
    return uuid.UUID(int=value | 0b10 << 62 | int.from_bytes(os.urandom(8), "big") >> 2)


class _Running:
    """The running transaction: its connection, whose it is, and its session once somebody asks for one. Making one
    takes longer than a statement, and what goes to libpq directly needs none."""

    def __init__(
        self, connection: sa.Connection, caller: Caller, *, ends: Literal["control_fully", "rollback_only"]
    ) -> None:
        self.connection, self.caller = connection, caller
        self.preview = False
        self.left: list[tuple[Statement, Mapping[str, Any], type[errors.Refusal] | None]] = []
        self.after_rollback: list[Callable[[], object]] = []
        self._ends = ends
        self._session: orm.Session | None = None

    @property
    def session(self) -> orm.Session:
        if self._session is None:
            self._session = orm.Session(bind=self.connection, expire_on_commit=False, join_transaction_mode=self._ends)
            # One that has not asked anything yet would commit nothing.
            self._session.connection()
        return self._session

    def carry_out_left(self, *, last: bytes = b"") -> None:
        if self._session is not None:
            self._session.flush()
        if not self.left:
            return
        left, self.left = self.left, []
        asks = [(statement, parameters) for statement, parameters, _ in left]
        answers = direct.in_one_trip(_driver(self.connection), asks, last=last)
        refusals = itertools.chain((taken for *_, taken in left), itertools.repeat(None))
        for answer, taken in zip(answers, refusals, strict=False):
            try:
                answer.rows()
            except psycopg.errors.UniqueViolation as trouble:
                raise (taken or trouble) from trouble

    def commit(self) -> None:
        self.carry_out_left(last=b"COMMIT")
        (self._session or self.connection).commit()

    def rollback(self) -> None:
        (self._session or self.connection).rollback()

    def close(self) -> None:
        if self._session is not None:
            self._session.close()


def _now() -> _Running:
    if (running := _running.get()) is None:
        raise LookupError("no transaction is running")
    return running


def session() -> orm.Session:
    """The running transaction's session. Raises `LookupError` outside of one."""
    return _now().session


def driver() -> psycopg.Connection[Any]:
    """psycopg's connection of the running transaction. Raises `LookupError` outside of one."""
    return _driver(_now().connection)


@contextmanager
def transaction(caller: Caller) -> Iterator[orm.Session]:
    """`running`, with its session."""
    with running(caller):
        yield session()


@contextmanager
def running(caller: Caller) -> Iterator[None]:
    """Run the block as `caller`: commit when it returns, roll back when it raises or was a `preview`.

    After a rollback, and on the same connection, what was left for `after_rollback` runs in short transactions
    of its own. Raises `errors.Unavailable` when the database is out of reach, `SignedOut` when a caller
    with a token no longer stands.
    """
    if _running.get() is not None:
        raise AlreadyInTransaction
    with translated(), _connection(caller) as (connection, standing):
        current = _Running(connection, caller, ends="control_fully")
        reset = _running.set(current)
        try:
            refuse_unless(standing)
            yield
            if current.preview:
                current.carry_out_left()
                current.rollback()
            else:
                current.commit()
                current.after_rollback.clear()
        except BaseException:
            current.rollback()
            raise
        finally:
            _running.reset(reset)
            current.close()
            for outlives in reversed(current.after_rollback):
                _outlive(connection, caller, outlives)


def leave(statement: Statement, parameters: Mapping[str, Any], *, taken: type[errors.Refusal] | None = None) -> None:
    """Have `statement` carried out at the end of the running transaction, in one trip with its COMMIT, in the order in
    which they were left and as whoever is its caller now; nobody waits for its answer. Where it adds a row that is
    there already, `taken` is raised and everything rolled back."""
    _now().left.append((statement, parameters, taken))


def carry_out_left() -> None:
    """Have what was left carried out now: what is asked next is about it."""
    _now().carry_out_left()


def become(caller: Caller) -> None:
    """Go on in the running transaction as `caller`: who held a secret becomes whose it is."""
    current = _now()
    current.carry_out_left()
    current.caller = caller
    _name(current.connection, caller)


@contextmanager
def aside(caller: Caller) -> Iterator[None]:
    """Go on as `caller` inside the block, and after it as whoever it was, also when the block raises.

    What was loaded in the block is forgotten with it: its session is one of its own on the same connection, so that
    nothing that `caller` alone may see stays behind for whoever goes on.
    """
    before = _now()
    before.carry_out_left()
    inside = _Running(before.connection, caller, ends="rollback_only")
    reset = _running.set(inside)
    try:
        become(caller)
        yield
        inside.carry_out_left()
    except BaseException:
        # A transaction in which a statement failed takes no other; it can only end, and its role with it.
        with contextlib.suppress(exc.DBAPIError, psycopg.Error):
            _name(before.connection, replace(before.caller, token_id=None))
        raise
    else:
        _name(before.connection, replace(before.caller, token_id=None))
    finally:
        _running.reset(reset)
        inside.close()


def among(column: Any, ids: Iterable[uuid.UUID]) -> sa.ColumnElement[bool]:
    """Whether `column` is one of `ids`, as one parameter: a list of them is another statement for every length, and is
    written, sent and planned anew each time."""
    one_of: sa.ColumnElement[bool] = column == sa.any_(sa.literal(list(ids), ARRAY(sa.Uuid)))
    return one_of


def preview() -> None:
    """Let the running transaction do the real thing and then roll back instead of committing."""
    _now().preview = True


def previewing() -> bool:
    """Whether the running transaction is a preview."""
    return _now().preview


def after_rollback(outlives: Callable[[], object]) -> None:
    """Have `outlives` run in a transaction of its own should this one be rolled back; what was left last runs first.

    It can neither stop the others nor change the refusal: if it fails, that is logged by its kind alone.
    """
    _now().after_rollback.append(outlives)


@contextmanager
def translated() -> Iterator[None]:
    """Turn trouble with the database into `errors.Unavailable`; its words are for the log, not the caller."""
    try:
        yield
    except (exc.TimeoutError, exc.InterfaceError, exc.OperationalError, *AWAY) as trouble:
        raise errors.Unavailable from trouble
    except exc.DBAPIError as trouble:
        if trouble.connection_invalidated:
            raise errors.Unavailable from trouble
        raise


@contextmanager
def _connection(caller: Caller) -> Iterator[tuple[sa.Connection, str | None]]:
    """A connection on which `caller` has been named, and how it stands. One that died in the pool is replaced."""
    connection = engine().connect()
    try:
        try:
            standing = _name(connection, caller)
        except direct.Outdated:
            connection.rollback()
            standing = _name(connection, caller)
        except AWAY as trouble:
            if not direct.is_lost(_driver(connection), trouble):
                raise
            connection.invalidate(trouble)
            connection.close()
            # What became of this one has become of all that were waiting.
            engine().dispose()
            connection = engine().connect()
            standing = _name(connection, caller)
        yield connection, standing
    finally:
        connection.close()


def _name(connection: sa.Connection, caller: Caller) -> str | None:
    """`callers.name`, of which SQLAlchemy knows that a transaction has begun."""
    if not connection.in_transaction():
        connection.begin()
    return name(_driver(connection), caller)


def _driver(connection: sa.Connection) -> psycopg.Connection[Any]:
    return _held(connection.connection)


def _held(pooled: sa.PoolProxiedConnection) -> psycopg.Connection[Any]:
    """psycopg's connection: the pool's own has other things under the same names (`info`)."""
    return cast(psycopg.Connection[Any], pooled.driver_connection)


def _outlive(connection: sa.Connection, caller: Caller, outlives: Callable[[], object]) -> None:
    """Run what must outlive a rollback; on a fresh connection where the old one has died."""
    usable = not (connection.closed or connection.invalidated)
    try:
        with contextlib.nullcontext(connection) if usable else engine().connect() as held:
            current = _Running(held, caller, ends="control_fully")
            reset = _running.set(current)
            try:
                _name(held, caller)
                outlives()
                current.commit()
            except BaseException:
                current.rollback()
                raise
            finally:
                _running.reset(reset)
                current.close()
    except Exception as trouble:
        structlog.get_logger().error("outliving failed", error=type(trouble).__name__)

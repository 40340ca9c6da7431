"""Made rows, and what a caller reaches in a table when every WHERE is forgotten.

The caller is named exactly as the house names one: by `db.transaction`, as the app's own login. Nothing is committed.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from api import db
from tests.matrix.tables import ADD, CHANGE, CLIENTS, NOON, OF_OWNER, READ, REMOVE, Table

Row = dict[str, Any]
# What PostgreSQL says of a row that policies and rights have let through: they are asked before anything else is.
LET_THROUGH = (
    psycopg.errors.UniqueViolation,
    psycopg.errors.ForeignKeyViolation,
    psycopg.errors.ExclusionViolation,
)
COLUMNS = """
    SELECT attname, format_type(atttypid, NULL), attnotnull AND NOT atthasdef FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
OF_TYPE: dict[str, Callable[[], Any]] = {
    "uuid": uuid.uuid4,
    "text": lambda: uuid.uuid4().hex,
    "bytea": lambda: uuid.uuid4().bytes,
    "boolean": lambda: False,
    "integer": lambda: 1,
    "smallint": lambda: 1,
    "bigint": lambda: 1,
    "text[]": list,
    "jsonb": lambda: Jsonb({}),
    "date": lambda: NOON[:10],
    "timestamp with time zone": lambda: NOON,
    "timestamp without time zone": lambda: NOON.removesuffix("Z"),
    "time without time zone": lambda: "12:00",
}


@dataclass
class Rows:
    """One row of everybody's in every table. `owners` are ids by name; `made` the rows by table and owner."""

    superuser: psycopg.Connection[Any]
    owners: Mapping[str, uuid.UUID]
    made: dict[tuple[str, str], Row] = field(default_factory=dict)

    def fill(self, name: str, table: Table) -> None:
        """Rows that keep the table's own rules; what they refer to need not be there."""
        for owner in table.of:
            row = self.row(name, table, owner)
            self.made[name, owner] = row
            with self.superuser.transaction():
                self.superuser.execute("SET LOCAL session_replication_role = replica")
                self.superuser.execute(insertion(name, list(row)), row)

    def row(self, name: str, table: Table, owner: str) -> Row:
        given = {own_column(table, owner): "the owner", **(table.values or {})}
        kinds = {column: kind for column, kind, _ in self.columns(name)}
        needed = {column for column, _, needed in self.columns(name) if needed} | {*given, *table.held_by}
        return {one: self._value(given.get(one), kind, owner) for one, kind in kinds.items() if one in needed}

    def columns(self, name: str) -> list[tuple[str, str, bool]]:
        return self.superuser.execute(COLUMNS, [name]).fetchall()

    def _value(self, given: Any, kind: str, owner: str) -> Any:
        if given is None:
            return OF_TYPE[kind]()
        return OF_OWNER[given](self.owners[owner]) if isinstance(given, str) and given in OF_OWNER else given

    def reached(self, name: str, table: Table, caller: db.Caller) -> dict[str, set[str]]:
        """Whose rows of the table `caller` reads, adds, changes and removes."""
        own, change = f"coalesce({', '.join(table.own)})", self.changeable(name, caller)
        owners = {self.made[name, owner][own_column(table, owner)]: owner for owner in table.of}
        statements = {
            READ: f"SELECT {own} FROM {name}",
            CHANGE: f"UPDATE {name} SET {change[0]} = {change[0]} RETURNING {own}" if change else "SELECT WHERE false",
            REMOVE: f"DELETE FROM {name} RETURNING {own}",
        }
        found = {
            verb: {owners.get(key, "somebody else") for key in keys(caller, statement)}
            for verb, statement in statements.items()
        }
        return found | {ADD: {owner for owner in table.of if self._adds(name, table, owner, caller)}}

    def changeable(self, name: str, caller: db.Caller) -> list[str]:
        """The columns that the caller's role may write and read."""
        role = db.ROLES.get(caller.kind, "continuum_app")
        asked = "SELECT has_column_privilege(%s, %s, %s, 'UPDATE') AND has_column_privilege(%s, %s, %s, 'SELECT')"
        columns = [column for column, _, _ in self.columns(name)]
        may = (self.superuser.execute(asked, [role, name, column] * 2).fetchone() for column in columns)
        return [column for column, found in zip(columns, may, strict=True) if found == (True,)]

    def gives_away(self, name: str, table: Table, caller: db.Caller, to: str) -> bool:
        """Whether the caller makes a row of its own somebody else's."""
        own = table.own[0]
        given = sql.SQL("UPDATE {} SET {} = {}").format(*map(sql.Identifier, (name, own)), sql.Placeholder())
        return own in self.changeable(name, caller) and done(caller, given, [self.made[name, to][own]])

    def _adds(self, name: str, table: Table, owner: str, caller: db.Caller) -> bool:
        """Whether the caller may add a row of the owner's: a new one, but for what a holder presents."""
        row = self.row(name, table, owner)
        held = {column: self.made[name, owner][column] for column in table.held_by}
        row |= held if caller.kind == "holder" else {}
        return done(caller, insertion(name, list(row)), row)


def own_column(table: Table, owner: str) -> str:
    return table.own[-1] if owner in CLIENTS else table.own[0]


def insertion(name: str, columns: list[str]) -> sql.Composed:
    return sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(name),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(map(sql.Placeholder, columns)),
    )


@contextmanager
def undone(caller: db.Caller) -> Iterator[psycopg.Connection[Any]]:
    """The connection of a transaction as `caller`, which is rolled back."""
    with db.transaction(caller) as session:
        db.preview()
        connection = session.connection().connection.driver_connection
        assert isinstance(connection, psycopg.Connection)
        yield connection


def keys(caller: db.Caller, statement: str) -> list[Any]:
    """What the statement gives; nothing where the caller's role lacks the right to it."""
    with undone(caller) as connection:
        try:
            return [key for (key,) in connection.execute(statement.encode()).fetchall()]
        except psycopg.errors.InsufficientPrivilege:
            return []


def done(caller: db.Caller, statement: sql.Composed, values: Any) -> bool:
    """Whether rights and policies let the statement through."""
    with undone(caller) as connection:
        try:
            connection.execute(statement, values)
        except psycopg.errors.InsufficientPrivilege:
            return False
        except LET_THROUGH:
            return True
        return True

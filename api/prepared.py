"""Statements of the running transaction that are made all the time: compiled once, run by the driver.

Building and compiling a Core statement and mapping its rows costs several times what the driver takes to run it.
This is for the few statements on the way of every write; everything else goes through `db.session()`.
"""

from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.rows import namedtuple_row
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from api import db, errors


class Prepared:
    """A Core statement, or SQL as psycopg reads it (`%(name)s`); its parameters are its named bind parameters.

    Values go to the driver as they are: a dict needs psycopg's `Jsonb` around it, a list has one type. They come back
    in binary, which spares writing and reading instants and ids as text.
    """

    def __init__(self, statement: sa.sql.ClauseElement | str) -> None:
        self._statement = statement
        self._compiled: tuple[str, dict[str, Any]] | None = None

    def run(self, **parameters: Any) -> psycopg.Cursor[Any]:
        """Run in the running transaction. Raises `errors.Unavailable` when the database is out of reach."""
        sql, defaults = self._compiled or self._compile()
        driver: psycopg.Connection[Any] = db.session().connection().connection.driver_connection  # type: ignore[assignment]
        try:
            cursor = driver.cursor(row_factory=namedtuple_row, binary=True)
            return cursor.execute(sql, {**defaults, **parameters}, prepare=True)
        except (psycopg.OperationalError, psycopg.InterfaceError) as trouble:
            raise errors.Unavailable from trouble

    def one(self, **parameters: Any) -> Any:
        """The first row, with its columns as attributes; None without one."""
        return self.run(**parameters).fetchone()

    def _compile(self) -> tuple[str, dict[str, Any]]:
        if isinstance(self._statement, str):
            self._compiled = self._statement, {}
        else:
            compiled = self._statement.compile(dialect=PGDialect_psycopg())  # type: ignore[no-untyped-call]
            self._compiled = str(compiled), dict(compiled.params)
        return self._compiled

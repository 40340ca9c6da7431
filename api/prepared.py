"""Statements of the running transaction that are made all the time: compiled once, and handed to libpq (`direct`).

Building and compiling a Core statement and mapping its rows costs several times what it takes to run it. This is for
the few statements on the way of every write; everything else goes through `db.session()`.
"""

from typing import Any

import psycopg

from api import db, direct, errors


class Prepared(direct.Statement):
    """A statement that is asked in the running transaction."""

    def run(self, **parameters: Any) -> list[Any]:
        """Its rows. Raises `errors.Unavailable` when the database is out of reach."""
        try:
            return self.ask(db.driver(), parameters)
        except (psycopg.OperationalError, psycopg.InterfaceError) as trouble:
            raise errors.Unavailable from trouble

    def leave(self, *, taken: type[errors.Refusal] | None = None, **parameters: Any) -> None:
        """Have it carried out at the end of the transaction (`db.leave`)."""
        db.leave(self, parameters, taken=taken)

    def one(self, **parameters: Any) -> Any:
        """The first row, with its columns as attributes; None without one."""
        rows = self.run(**parameters)
        return rows[0] if rows else None

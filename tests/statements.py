"""What reaches the database while somebody looks on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from api import direct, hotlines


@contextmanager
def watched() -> Iterator[list[str]]:
    """Every statement that this process sends inside the block, in order: by SQLAlchemy and psycopg, directly, and on
    the lines of hot reads."""
    seen: list[str] = []
    execute, on, read = psycopg.Cursor.execute, direct.Statement.on, hotlines.Lines.ask

    def executed(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(str(query))
        return execute(self, query, *args, **kwargs)

    def goes_out(self: direct.Statement, *args: Any) -> direct.Asked:
        seen.append(self.sql)
        return on(self, *args)

    def was_read(self: hotlines.Lines, statement: hotlines.Prepared, *args: Any) -> Any:
        seen.append(statement.sql.decode())
        return read(self, statement, *args)

    psycopg.Cursor.execute, direct.Statement.on, hotlines.Lines.ask = executed, goes_out, was_read  # type: ignore[assignment, method-assign]
    try:
        yield seen
    finally:
        psycopg.Cursor.execute, direct.Statement.on, hotlines.Lines.ask = execute, on, read  # type: ignore[method-assign]

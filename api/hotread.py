"""A patient's hot reads: one autocommitted statement that says who asks, and reads (HOUSE decision 6).

Split from `db` for its length only. Measured for twenty rows, begin, set, select, commit takes 2.5 times
as long as this. PostgreSQL renders the JSON; the bytes go out as they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from api import db, hotlines


@dataclass(frozen=True, slots=True)
class Reading:
    """What a hot read selects, each part correlated with the `caller` row (column `id`: the patient).

    `tag` is text that changes whenever the answer would (for an ETag); `body` is the answer as JSON text
    rendered by PostgreSQL; `more` is the key of the next page, or NULL.
    """

    tag: sa.ColumnElement[str]
    body: sa.ColumnElement[str]
    more: sa.ColumnElement[str] | None = None


@dataclass(frozen=True, slots=True)
class HotAnswer:
    """What a hot read found; `body` is None when the caller's tag still holds."""

    tag: str
    body: str | None
    more: str | None


class HotRead:
    """A patient's read as one autocommitted statement that also says who asks (HOUSE decision 6).

    The caller is set in a materialised CTE to which every part refers, so row-level security is asked
    after the setting and fails closed before it; whether the app session stands is a column of its own,
    because a WHERE may be evaluated before the caller is set. `build` gets the caller row and returns the
    `Reading`; its parameters are named bind parameters. `about` gives columns that several parts ask for, such
    as the patient's language: they join the caller row, and are asked for once.

    Who polls with a tag is first asked no more than that: PostgreSQL prepares every part of a statement at each
    run, so parts that nobody wants are not for free.
    """

    def __init__(
        self, build: Callable[[sa.CTE], Reading], *, about: Callable[[sa.CTE], Sequence[sa.Label[Any]]] | None = None
    ) -> None:
        self._build, self._about = build, about
        self._whole: hotlines.Prepared | None = None
        self._poll: hotlines.Prepared | None = None

    def statement(self, *, poll: bool = False) -> sa.Select[Any]:
        """The whole statement, as Core, or what a `poll` asks of it: standing and tag."""
        caller = self._caller()
        reading = self._build(caller)
        columns: list[Any] = [db.standing("patient", caller).label("standing"), reading.tag.label("tag")]
        if not poll:
            columns += [reading.body, sa.null() if reading.more is None else reading.more]
        return sa.select(*columns).select_from(caller)

    def _caller(self) -> sa.CTE:
        named = sa.func.set_config("app.patient_id", sa.bindparam("caller_id", type_=sa.Text), True)
        app_session_id = sa.bindparam("app_session_id", type_=sa.Uuid).label("app_session_id")
        row = sa.select(sa.cast(named, sa.Uuid).label("id"), app_session_id)
        if not self._about:
            return row.cte("caller").prefix_with("MATERIALIZED")
        bare = row.cte("named").prefix_with("MATERIALIZED")
        return sa.select(bare.c.id, bare.c.app_session_id, *self._about(bare)).cte("caller").prefix_with("MATERIALIZED")

    def run(self, caller: db.Caller, *, known: str | None, **parameters: Any) -> HotAnswer:
        """Read as `caller`. Raises `db.SignedOut`, or `errors.Unavailable` when the database is out of reach."""
        asked = {"caller_id": str(caller.patient_id), "app_session_id": caller.app_session_id, **parameters}
        if known is not None:
            self._poll = self._poll or hotlines.Prepared(self.statement(poll=True))
            (tag,) = _asked(self._poll, asked)
            if tag == known:
                return HotAnswer(known, None, None)
        self._whole = self._whole or hotlines.Prepared(self.statement())
        tag, body, more = _asked(self._whole, asked)
        return HotAnswer(tag or "", body, more)


def _asked(statement: hotlines.Prepared, asked: dict[str, Any]) -> list[str | None]:
    standing, *columns = hotlines.current().ask(statement, asked)
    if standing != b"t":
        raise db.SignedOut
    return [None if column is None else column.decode() for column in columns]

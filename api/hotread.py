"""A patient's hot reads: one autocommitted statement that says who asks, and reads (HOUSE decision 6).

Split from `db` for its length only. Measured for twenty rows, begin, set, select, commit takes 2.5 times
as long as this. PostgreSQL renders the JSON; the bytes go out as they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, dpop, hotlines


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
    because a WHERE may be evaluated before the caller is set. A proof of possession is spent by the same
    statement, by a 304 too. `build` gets the caller row and returns the `Reading`; its parameters are named bind
    parameters. `about` gives columns that several parts ask for, such
    as the patient's language: they join the caller row, and are asked for once.

    Who polls with a tag is first asked no more than that: PostgreSQL prepares every part of a statement at each
    run, so parts that nobody wants are not for free.
    """

    def __init__(
        self, build: Callable[[sa.CTE], Reading], *, about: Callable[[sa.CTE], Sequence[sa.Label[Any]]] | None = None
    ) -> None:
        self._build, self._about = build, about
        self._prepared: dict[tuple[bool, bool], hotlines.Prepared] = {}

    def statement(self, *, poll: bool = False, spends: bool = False) -> sa.Select[Any]:
        """The whole statement, as Core, or what a `poll` asks of it: standing and tag. One that `spends` takes the
        proof `:proof` first, and answers nobody whose proof was seen before."""
        caller = self._caller()
        reading = self._build(caller)
        columns: list[Any] = [db.standing("patient", caller).label("standing"), reading.tag.label("tag")]
        if not poll:
            columns += [reading.body, sa.null() if reading.more is None else reading.more]
        statement = sa.select(*columns).select_from(caller)
        if not spends:
            return statement
        taken = dpop.spent()
        return statement.add_cte(taken).add_columns(dpop.is_fresh(taken))

    def _caller(self) -> sa.CTE:
        named = sa.func.set_config("app.patient_id", sa.bindparam("caller_id", type_=sa.Text), True)
        app_session_id = sa.bindparam("app_session_id", type_=sa.Uuid).label("app_session_id")
        row = sa.select(sa.cast(named, sa.Uuid).label("id"), app_session_id)
        if not self._about:
            return row.cte("caller").prefix_with("MATERIALIZED")
        bare = row.cte("named").prefix_with("MATERIALIZED")
        return sa.select(bare.c.id, bare.c.app_session_id, *self._about(bare)).cte("caller").prefix_with("MATERIALIZED")

    def run(self, caller: db.Caller, *, known: str | None, **parameters: Any) -> HotAnswer:
        """Read as `caller`. Raises `db.SignedOut`, `dpop.BadProof`, or `errors.Unavailable` when the database is out of
        reach."""
        asked = {"caller_id": str(caller.patient_id), "app_session_id": caller.app_session_id, **parameters}
        proof = caller.proof
        if known is not None:
            (tag,) = self._ask(asked, poll=True, proof=proof)
            if tag == known:
                return HotAnswer(known, None, None)
            proof = None  # spent
        tag, body, more = self._ask(asked, poll=False, proof=proof)
        return HotAnswer(tag or "", body, more)

    def _ask(self, asked: dict[str, Any], *, poll: bool, proof: UUID | None) -> list[str | None]:
        kind = poll, proof is not None
        statement = self._prepared.get(kind)
        if statement is None:
            statement = self._prepared[kind] = hotlines.Prepared(self.statement(poll=poll, spends=kind[1]))
        standing, *columns = hotlines.current().ask(statement, asked if proof is None else {**asked, "proof": proof})
        if proof is not None and columns.pop() != b"t":
            raise dpop.BadProof
        if standing != b"open":
            db.refuse_unless(None if standing is None else standing.decode())
        return [None if column is None else column.decode() for column in columns]

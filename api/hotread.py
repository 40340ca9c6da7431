"""A patient's hot reads: one autocommitted statement that says who asks, and reads (HOUSE decision 6).

Split from `db` for its length only. Measured for twenty rows, begin, set, select, commit takes 2.5 times
as long as this. PostgreSQL renders the JSON; the bytes go out as they are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from api import db, hotlines


@dataclass(frozen=True, slots=True)
class Reading:
    """What a hot read selects, each part correlated with the `caller` row (column `id`: the patient).

    `tag` is text that changes whenever the answer would (for an ETag); `body` is the answer as JSON text
    rendered by PostgreSQL; `more` is the key of the next page, or NULL. When the caller already knows
    `tag`, neither body nor `more` is computed.
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
    `Reading`; its parameters are named bind parameters.
    """

    def __init__(self, build: Callable[[sa.CTE], Reading]) -> None:
        self._build = build
        self._prepared: hotlines.Prepared | None = None

    def statement(self) -> sa.Select[Any]:
        """The whole statement, as Core."""
        caller = (
            sa.select(
                sa.cast(
                    sa.func.set_config("app.patient_id", sa.bindparam("caller_id", type_=sa.Text), True), sa.Uuid
                ).label("id"),
                sa.bindparam("app_session_id", type_=sa.Uuid).label("app_session_id"),
            )
            .cte("caller")
            .prefix_with("MATERIALIZED")
        )
        reading = self._build(caller)
        # OFFSET 0 keeps the planner from copying the tag into both places that use it.
        tag = sa.select(reading.tag.label("tag")).correlate(caller).offset(sa.literal_column("0")).lateral("tagged")
        known = tag.c.tag == sa.bindparam("known", type_=sa.Text)
        more = sa.null() if reading.more is None else sa.case((known, None), else_=reading.more)
        return sa.select(
            db.standing("patient", caller).label("standing"),
            tag.c.tag,
            sa.case((known, None), else_=reading.body).label("body"),
            more.label("more"),
        ).select_from(caller.join(tag, sa.true()))

    def run(self, caller: db.Caller, *, known: str | None, **parameters: Any) -> HotAnswer:
        """Read as `caller`. Raises `db.SignedOut`, or `errors.Unavailable` when the database is out of reach."""
        if self._prepared is None:
            self._prepared = hotlines.Prepared(self.statement())
        asked = {"caller_id": str(caller.patient_id), "app_session_id": caller.app_session_id, "known": known}
        standing, tag, body, more = hotlines.current().ask(self._prepared, asked | parameters)
        if standing != b"t":
            raise db.SignedOut
        return HotAnswer(_text(tag) or "", _text(body), _text(more))


def _text(column: bytes | None) -> str | None:
    return None if column is None else column.decode()

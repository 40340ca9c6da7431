"""What a kind of thing is to the delta sync: rows that are told one by one, or one thing that is told whole."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from api import hotjson

Columns = Any
Conditions = list[sa.ColumnElement[bool]]


@dataclass(frozen=True)
class Kind:
    """One kind of row. `id`, `patient_id` and `version` are columns of `table`. `worth` says which rows the reading of
    everything tells of. `gone` and `shown` are asked of the page's rows: whether one is the patient's no longer, and
    what is told of it; with `joined`, of the row of another table too, which is not there for what is gone.

    `number` is the kind's place in the order of a page, and stands in tokens that phones keep: it never changes.
    `scope` is what the kind's own door asks for.
    """

    number: int
    name: str
    scope: str
    table: type[Any] | sa.Subquery
    id: str
    patient_id: str
    worth: Callable[[], Conditions]
    shown: Callable[[Columns, sa.CTE], hotjson.Text]
    gone: Callable[[Columns], sa.ColumnElement[bool]] | None = None
    joined: Callable[[Any], tuple[type[Any], sa.ColumnElement[bool]]] | None = None

    @property
    def rows(self) -> sa.FromClause:
        return self.table if isinstance(self.table, sa.Subquery) else self.table.__table__

    def column(self, name: str) -> Any:
        return self.rows.c[name]


@dataclass(frozen=True)
class Whole:
    """A thing of which the patient has one or none, and of which nothing is left once it was taken away: no row could
    tell so. `shown` is what there is of it, or NULL. It is told under the patient's id at the end of every walk that
    tells of anything, as it is or as gone; whoever has nothing new to read is not told. `number` and `scope` as in
    `Kind`.
    """

    number: int
    name: str
    scope: str
    shown: Callable[[sa.CTE], hotjson.Text]


def bit(kind: Kind | Whole) -> int:
    """The kind in a set of kinds, which is a number with a bit for each."""
    return 1 << kind.number

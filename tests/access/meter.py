"""What a request costs the house: its slow hashes, and the statements that it asks, pooled or on the lines."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from api import db, hotlines
from api.access import hashing
from tests.phone import Answer


@dataclass(frozen=True)
class Cost:
    """The statements are in order, as the database got them."""

    hashes: int
    statements: tuple[str, ...]


class Meter:
    """Notes what is asked while it is on."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def of(self, knock: Callable[[], Answer]) -> tuple[Answer, Cost]:
        self.statements.clear()
        before = hashes()
        answer = knock()
        return answer, Cost(hashes() - before, tuple(self.statements))

    def note(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self.statements.append(statement)


def hashes() -> int:
    ((family),) = hashing.HASHES.collect()
    return int(next(one.value for one in family.samples if one.name.endswith("_total")))


@contextmanager
def metering() -> Iterator[Meter]:
    meter, ask = Meter(), hotlines.Lines.ask

    def noted(self: hotlines.Lines, statement: hotlines.Prepared, values: Any) -> Any:
        meter.statements.append(statement.sql.decode())
        return ask(self, statement, values)

    hotlines.Lines.ask = noted  # type: ignore[method-assign]
    sa.event.listen(db.engine(), "before_cursor_execute", meter.note)
    try:
        yield meter
    finally:
        sa.event.remove(db.engine(), "before_cursor_execute", meter.note)
        hotlines.Lines.ask = ask  # type: ignore[method-assign]

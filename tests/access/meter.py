"""What a request costs the house: its slow hashes, and the statements that it asks, pooled or on the lines."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from api.access import hashing
from tests.phone import Answer
from tests.statements import watched


@dataclass(frozen=True)
class Cost:
    """The statements are in order, as the database got them."""

    hashes: int
    statements: tuple[str, ...]


class Meter:
    """Says what a request cost while it is on."""

    def __init__(self, statements: list[str]) -> None:
        self.statements = statements

    def of(self, knock: Callable[[], Answer]) -> tuple[Answer, Cost]:
        self.statements.clear()
        before = hashes()
        answer = knock()
        return answer, Cost(hashes() - before, tuple(self.statements))


def hashes() -> int:
    ((family),) = hashing.HASHES.collect()
    return int(next(one.value for one in family.samples if one.name.endswith("_total")))


@contextmanager
def metering() -> Iterator[Meter]:
    with watched() as seen:
        yield Meter(seen)

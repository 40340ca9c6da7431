"""Contestants take turns in short rounds; a figure is the median of the rounds' ratios."""

import itertools
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench import generator

WARM_SECONDS = 0.6


@dataclass(frozen=True)
class Contestant:
    """One request line of one server. `asks` are whole requests, used in turn."""

    name: str
    port: int
    asks: Callable[[], bytes]
    status: int = 200


@dataclass(frozen=True)
class Figure:
    """A line of the table. `worth` compares with `bar` and `aim`; with `most` it must not exceed them."""

    key: str
    name: str
    worth: float
    bar: float | None = None
    aim: float | None = None
    most: bool = False
    unit: str = ""

    @property
    def reached(self) -> bool | None:
        if self.bar is None:
            return None
        return self.worth <= self.bar if self.most else self.worth >= self.bar

    def line(self) -> str:
        told = [f"{word} {limit:.2f}" for word, limit in (("bar", self.bar), ("aim", self.aim)) if limit is not None]
        return f"{self.key} {self.name} {self.worth:.2f}{self.unit}" + (f" ({', '.join(told)})" if told else "")


def in_turn(requests: Sequence[bytes]) -> Callable[[], bytes]:
    return itertools.cycle(requests).__next__


Rounds = list[dict[str, generator.Outcome]]


def compete(contestants: Sequence[Contestant], *, rounds: int, seconds: float) -> Rounds:
    """Every contestant once a round, after one round that does not count; every second round in reverse."""
    for one in contestants:
        _run(one, WARM_SECONDS)
    return [
        {one.name: _run(one, seconds) for one in (contestants if number % 2 else contestants[::-1])}
        for number in range(rounds)
    ]


def _run(one: Contestant, seconds: float) -> generator.Outcome:
    if prepare := getattr(one.asks, "prepare", None):
        prepare()
    return generator.load(one.port, one.asks, status=one.status, seconds=seconds)


def speed(rounds: Rounds, ours: str, peer: str) -> float:
    """How many times as many requests a second ours answers: the median of the rounds' ratios."""
    return statistics.median(one[ours].per_second / one[peer].per_second for one in rounds)


def latency(rounds: Rounds, ours: str, other: str) -> float:
    """The median latency of ours over that of the other: the median of the rounds' ratios."""
    return statistics.median(one[ours].median / one[other].median for one in rounds)


def usual(rounds: Rounds) -> dict[str, float]:
    """Requests a second of each contestant in its median round: for the record, not for quoting."""
    return {name: round(statistics.median(one[name].per_second for one in rounds)) for name in rounds[0]}

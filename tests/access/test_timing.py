"""The tool of `make timing` finds what was planted, and nothing else."""

import random

import pytest

from tests.timing import ROUNDS, judged


def samples(median: float, *, more: float = 0, seed: int = 0) -> list[float]:
    """Milliseconds as a machine takes them: mostly alike, now and then far off."""
    drawn = random.Random(seed)
    return [median + more + abs(drawn.gauss(0, 1)) + (30 if drawn.random() < 0.05 else 0) for _ in range(ROUNDS)]


@pytest.mark.parametrize(("median", "more"), [(40, 3), (10, 2), (10, -2)])
def test_a_planted_difference_is_told(median: float, more: float) -> None:
    verdict = judged(samples(median), samples(median, more=more, seed=1))
    assert verdict.tells and verdict.low < more < verdict.high


@pytest.mark.parametrize(("median", "more"), [(40, 0), (40, 0.2), (10, 0.3), (100, 3)])
def test_what_is_no_difference_or_too_little_is_not(median: float, more: float) -> None:
    verdict = judged(samples(median), samples(median, more=more, seed=1))
    assert not verdict.tells and verdict.bound >= abs(verdict.difference)

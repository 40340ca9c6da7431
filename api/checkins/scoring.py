"""From answers to a number: pure, and only ever the published rule.

A PHQ-9 with a missing item has no total at all: a partial sum would read as a falsely low one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from api.checkins.instruments.model import Instrument, Scoring


@dataclass(frozen=True, slots=True)
class Score:
    """`total` and `band` are None unless the instrument has scoring and every scored item is answered."""

    complete: bool
    total: int | None = None
    band: str | None = None
    screen_positive: bool | None = None


def score(instrument: Instrument, answers: Mapping[str, int | str]) -> Score:
    """Score validated answers, keyed by item. Without scoring, one answer of any kind is complete."""
    if instrument.scoring is None:
        return Score(complete=bool(answers))
    numbers = [answers.get(key) for key in instrument.scoring.items]
    if not all(isinstance(number, int) for number in numbers):
        return Score(complete=False)
    return _banded(instrument.scoring, sum(number for number in numbers if isinstance(number, int)))


def of_total(instrument: Instrument, total: int | None) -> Score | None:
    """What a stored total means; None without one."""
    if instrument.scoring is None or total is None:
        return None
    return _banded(instrument.scoring, total)


def _banded(scoring: Scoring, total: int) -> Score:
    band = next(band.key for band in scoring.bands if band.low <= total <= band.high)
    return Score(complete=True, total=total, band=band, screen_positive=total >= scoring.screen_from)

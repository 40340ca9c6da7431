"""The PHQ-9's total is the sum of nine answers, or nothing at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.checkins import scoring
from api.checkins.instruments.daily import DAILY
from api.checkins.instruments.phq9 import BANDS, KEYS, PHQ_9

ANSWERS = st.lists(st.integers(0, 3), min_size=9, max_size=9).map(lambda numbers: dict(zip(KEYS, numbers, strict=True)))


@given(ANSWERS)
def test_a_full_phq_9_totals_its_nine_answers(answers: dict[str, int]) -> None:
    score = scoring.score(PHQ_9, answers)
    assert (score.complete, score.total) == (True, sum(answers.values()))
    assert score.screen_positive == (sum(answers.values()) >= 10)


@given(ANSWERS, st.sampled_from(KEYS))
def test_one_missing_answer_leaves_no_total_and_no_band(answers: dict[str, int], missing: str) -> None:
    answers.pop(missing)
    assert scoring.score(PHQ_9, answers) == scoring.Score(complete=False)


def test_the_difficulty_question_changes_no_total() -> None:
    answers = dict.fromkeys(KEYS, 1) | {"phq9_difficulty": "very_difficult"}
    assert scoring.score(PHQ_9, answers).total == 9


def test_the_bands_cover_every_total_once() -> None:
    assert [total for band in BANDS for total in range(band.low, band.high + 1)] == list(range(28))


@pytest.mark.parametrize(
    ("total", "band"),
    [(4, "none_minimal"), (5, "mild"), (14, "moderate"), (15, "moderately_severe"), (27, "severe")],
)
def test_a_stored_total_finds_its_band_again(total: int, band: str) -> None:
    score = scoring.of_total(PHQ_9, total)
    assert score is not None
    assert (score.band, score.screen_positive) == (band, total >= 10)


def test_without_a_total_there_is_no_band() -> None:
    assert scoring.of_total(PHQ_9, None) is None


def test_a_daily_check_in_has_no_total_and_any_answer_completes_it() -> None:
    assert scoring.score(DAILY, {"mood": 3}) == scoring.Score(complete=True)
    assert scoring.score(DAILY, {}) == scoring.Score(complete=False)

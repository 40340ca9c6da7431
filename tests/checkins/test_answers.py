"""Answers that do not fit the instrument are named one by one."""

from typing import Any

import pytest

from api import errors
from api.checkins import answers
from api.checkins.instruments.daily import DAILY
from api.checkins.instruments.phq9 import PHQ_9


def test_what_fits_is_kept_by_item() -> None:
    given = [
        {"item": "mood", "number": 6},
        {"item": "used", "choice": "prefer_not_to_say"},
        {"item": "note", "text": "ok"},
    ]
    assert answers.checked(DAILY, given) == {"mood": 6, "used": "prefer_not_to_say", "note": "ok"}


def test_every_question_may_be_left_out() -> None:
    assert answers.checked(PHQ_9, []) == {}


@pytest.mark.parametrize(
    "one",
    [
        {"item": "phq9_1", "number": 1},
        {"item": "mood", "number": 11},
        {"item": "mood", "choice": "good"},
        {"item": "mood", "number": 3, "text": "three"},
        {"item": "mood"},
        {"item": "used", "choice": "maybe"},
        {"item": "note", "text": "x" * 1001},
    ],
    ids=["another's item", "too high", "wrong member", "two members", "no answer", "unknown word", "too long"],
)
def test_what_does_not_fit_is_pointed_at(one: dict[str, Any]) -> None:
    with pytest.raises(errors.Invalid) as refused:
        answers.checked(DAILY, [{"item": "slept_hours", "number": 7}, one])
    assert [place["pointer"] for place in refused.value.extra["errors"]] == ["/answers/1"]


def test_an_item_is_answered_once() -> None:
    with pytest.raises(errors.Invalid):
        answers.checked(DAILY, [{"item": "mood", "number": 6}, {"item": "mood", "number": 7}])

"""Instruments are versioned data: complete, in plain words, and checked by their own vectors."""

import re

import pytest

from api.checkins import instruments, safety, scoring
from api.checkins.instruments.model import Instrument, Item

ALL = list(instruments.VERSIONS.values())
STIGMATIZING = re.compile(
    r"\b(clean|dirty|addict|abuse|abuser|relapse|junkie|alcoholic|adicto|limpio|sucio|recaída)\b", re.I
)


def texts(instrument: Instrument) -> list[str]:
    items = [text for item in instrument.items for text in (*item.text.values(), *item.note.values())]
    labels = [text for item in instrument.items for option in item.options for text in option.label.values()]
    house = [*instrument.title.values(), *instrument.about.values(), *instrument.instruction.values()]
    return [*items, *labels, *house]


@pytest.mark.parametrize("instrument", ALL, ids=lambda one: f"{one.key} {one.version}")
def test_every_vector_gives_what_it_says(instrument: Instrument) -> None:
    for vector in instrument.vectors:
        score = scoring.score(instrument, vector.answers)
        body = {"answers": [{"item": item, "number": value} for item, value in vector.answers.items()]}
        assert (vector.name, score.total) == (vector.name, vector.total)
        assert (vector.name, bool(safety.hits(body))) == (vector.name, vector.safety)


@pytest.mark.parametrize("instrument", ALL, ids=lambda one: f"{one.key} {one.version}")
def test_every_text_stands_in_every_language_of_its_instrument(instrument: Instrument) -> None:
    for item in instrument.items:
        for words in (item.text, *(option.label for option in item.options)):
            assert set(words) == set(instrument.languages)


@pytest.mark.parametrize("instrument", ALL, ids=lambda one: f"{one.key} {one.version}")
def test_an_instrument_s_language_puts_the_person_first(instrument: Instrument) -> None:
    assert not [text for text in texts(instrument) if STIGMATIZING.search(text)]


def test_a_stigmatizing_text_would_be_found() -> None:
    assert STIGMATIZING.search("Are you clean?")


def test_the_daily_check_in_says_that_it_is_not_validated() -> None:
    assert not instruments.CURRENT["daily"].validated
    assert "not a validated measure" in instruments.CURRENT["daily"].about["en"]


def test_craving_and_use_are_asked_only_where_the_focus_asks_for_them() -> None:
    daily = instruments.CURRENT["daily"]
    assert keys(daily.items_for(frozenset({"mental_health"}))) == ["safe_now", "mood", "slept_hours", "note"]
    assert {"craving", "used"} <= set(keys(daily.items_for(frozenset({"substance_use"}))))


def test_use_may_be_left_unsaid() -> None:
    used = instruments.CURRENT["daily"].item("used")
    assert used is not None
    assert [option.choice for option in used.options] == ["no", "yes", "prefer_not_to_say"]


def test_the_phq_9_is_offered_in_the_language_of_its_published_wording_only() -> None:
    assert instruments.CURRENT["phq-9"].languages == ("en",)


def test_the_phq_9_s_codes_are_loinc_s() -> None:
    phq = instruments.CURRENT["phq-9"]
    codes = [item.loinc for item in phq.items[:9]]
    published = ["44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8"]
    assert (phq.loinc, codes) == ("44249-1", published)
    assert phq.scoring is not None and phq.scoring.loinc == "44261-6"
    assert [option.loinc for option in phq.items[0].options] == ["LA6568-5", "LA6569-3", "LA6570-1", "LA6571-9"]


def test_a_current_version_is_one_of_those_that_ever_stood() -> None:
    for key, instrument in instruments.CURRENT.items():
        assert instruments.version(key, instrument.version) is instrument


def test_no_two_instruments_share_an_item() -> None:
    found = [item.key for instrument in instruments.CURRENT.values() for item in instrument.items]
    assert len(found) == len(set(found))


def keys(items: tuple[Item, ...]) -> list[str]:
    return [item.key for item in items]

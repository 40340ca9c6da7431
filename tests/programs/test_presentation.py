"""A program as anyone reads it."""

import json

import pytest

from api.programs import presentation
from api.programs.catalogue import shipped
from schemas.programs import ProgramAnswer
from tests.programs.catalogue_of import edition


def shown(slug, language="en"):
    catalogue = edition()
    return presentation.program(catalogue, catalogue.program(slug), language)


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("slug", shipped())
def test_what_is_shown_is_what_is_promised(slug, language):
    answer = shown(slug, language)
    loaded = ProgramAnswer().load(answer)
    assert set(loaded) <= set(ProgramAnswer().fields)
    assert ProgramAnswer().dump(loaded) == answer


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("slug", shipped())
def test_umbrella_terms_are_shown_nowhere(slug, language):
    page = json.dumps(shown(slug, language), ensure_ascii=False).lower()
    names = [name.lower() for name in shown(slug, language)["aliases"]]
    assert not any(term in page for term in ("rehab", "abuse", "abuso", "drug", "droga"))
    assert not any("addiction" in name or "adicci" in name for name in names)


def test_iop_reads_in_words_and_numbers():
    iop = shown("iop")
    assert iop["frequency"]["text"] == "usually 3 to 5 days a week"
    assert iop["session_length"]["text"] == "about 3 hours a day"
    assert (iop["hours_per_week"]["min"], iop["hours_per_week"]["max"]) == (9, 15)
    assert (iop["minutes_per_week"]["min"], iop["minutes_per_week"]["max"]) == (540, 900)
    assert iop["duration"]["text"] == "often 8 to 12 weeks"
    assert iop["duration"]["note"] == "Some people stay longer, according to clinical need."
    assert [one["slug"] for one in iop["steps_from"]] == ["php", "detox"]
    assert [one["slug"] for one in iop["steps_to"]] == ["op"]


@pytest.mark.parametrize("slug", ["php", "detox", "inpatient"])
def test_a_level_shown_for_orientation_says_so_and_says_no_more(slug):
    answer = shown(slug)
    assert "orientation" in answer["orientation_note"]
    unknown = {
        "offered_here",
        "residential",
        "frequency",
        "hours_per_week",
        "minutes_per_week",
        "duration",
        "therapies",
    }
    assert not unknown & set(answer)


def test_only_a_translation_says_whether_it_was_reviewed():
    assert shown("iop", "es")["translation_reviewed"] is False
    assert "translation_reviewed" not in shown("iop")


def test_a_review_is_shown_once_a_revision_carries_it():
    catalogue = edition(op=shipped()["op"] | {"reviewed_by": "Dr. Robin Example", "reviewed_on": "2026-11-01"})
    answer = presentation.program(catalogue, catalogue.program("op"), "en")
    assert (answer["reviewed_by"], answer["reviewed_on"]) == ("Dr. Robin Example", "2026-11-01")
    assert not {"reviewed_by", "reviewed_on"} & set(shown("op"))

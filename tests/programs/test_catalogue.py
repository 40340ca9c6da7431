"""The shipped catalogue says what the clinic's article says, and nothing else."""

import pytest

from api.programs.catalogue import shipped
from tests.programs.catalogue_of import edition

CATALOGUE = shipped()
OFFERED = ("iop", "op")
ONLY_NAMED = ("php", "detox", "inpatient")


def words(value):
    """Every pair of languages in a content."""
    if isinstance(value, dict):
        if set(value) == {"en", "es"}:
            yield value
        else:
            for member in value.values():
                yield from words(member)
    elif isinstance(value, list):
        for member in value:
            yield from words(member)


def test_the_programs_offered_are_iop_and_op():
    assert [slug for slug, content in CATALOGUE.items() if content.get("offered_here")] == ["iop", "op"]


@pytest.mark.parametrize("slug", ONLY_NAMED)
def test_a_level_that_the_article_only_names_claims_nothing(slug):
    unknown = ("offered_here", "residential", "frequency", "session_length", "duration", "therapies", "suits", "goal")
    assert not set(CATALOGUE[slug]) & set(unknown)


def test_the_steps_are_those_of_the_article_and_no_others():
    steps = {(slug, onward) for slug, content in CATALOGUE.items() for onward in content["steps_to"]}
    assert steps == {("detox", "iop"), ("php", "iop"), ("iop", "op")}


def test_iop_is_three_to_five_days_of_about_three_hours_often_for_eight_to_twelve_weeks():
    iop = CATALOGUE["iop"]
    assert iop["frequency"] == {"min": 3, "max": 5, "unit": "days_per_week", "qualifier": "usually"}
    assert iop["session_length"] == {"min": 180, "max": 180, "unit": "minutes_per_day", "qualifier": "about"}
    assert (iop["duration"]["min_weeks"], iop["duration"]["max_weeks"]) == (8, 12)
    assert iop["duration"]["qualifier"] == "often"
    assert iop["duration"]["open_ended"] is True
    assert "longer" in iop["duration"]["note"]["en"]


def test_op_is_one_to_two_sessions_of_one_to_two_hours_without_an_end():
    op = CATALOGUE["op"]
    assert (op["frequency"]["min"], op["frequency"]["max"], op["frequency"]["unit"]) == (1, 2, "sessions_per_week")
    assert (op["session_length"]["min"], op["session_length"]["max"]) == (60, 120)
    assert op["duration"]["open_ended"] is True
    assert not {"min_weeks", "max_weeks"} & set(op["duration"])


def test_group_therapy_in_op_is_conditional_and_says_on_what():
    assert [one["key"] for one in CATALOGUE["op"]["therapies"] if one["conditional"]] == ["group"]
    assert "clinical needs" in CATALOGUE["op"]["therapies"][1]["condition"]["en"]
    assert [one["key"] for one in CATALOGUE["iop"]["therapies"]] == [
        "individual", "group", "family", "relapse_prevention", "life_skills",
    ]  # fmt: skip
    assert not any(one["conditional"] for one in CATALOGUE["iop"]["therapies"])


def test_only_iop_says_when_in_the_day_it_takes_place():
    assert CATALOGUE["iop"]["tracks"] == ["day", "evening"]
    assert [slug for slug, content in CATALOGUE.items() if "tracks" in content] == ["iop"]


def test_the_asam_levels_are_unconfirmed_name_their_edition_and_are_absent_for_detox_and_inpatient():
    levels = {slug: content["asam"] for slug, content in CATALOGUE.items() if "asam" in content}
    assert {slug: level["code"] for slug, level in levels.items()} == {"iop": "2.1", "op": "1.5", "php": "2.5"}
    assert all(level["edition"] == "4" and level["confirmed"] is False for level in levels.values())


@pytest.mark.parametrize("slug", OFFERED)
def test_of_supervision_nothing_is_stated_but_meetings_and_that_it_is_not_described(slug):
    supervision = CATALOGUE[slug]["supervision"]
    assert supervision["note"]["en"].endswith("does not describe it.")
    for words_of in (supervision["text"], supervision["in_short"]):
        assert "meetings" in words_of["en"].lower()
        assert not any(made_up in words_of["en"].lower() for made_up in ("close", "light", "contact", "team", "more"))


@pytest.mark.parametrize("slug", CATALOGUE)
def test_nobody_is_said_to_have_reviewed_it_but_its_author_is_named(slug):
    content = CATALOGUE[slug]
    assert not {"reviewed_by", "reviewed_on"} & set(content)
    assert content["source"]["author"] == "Dr. Amy L. Fitzpatrick"
    assert content["translation_reviewed"] is False


@pytest.mark.parametrize("slug", CATALOGUE)
def test_everything_stands_in_both_languages(slug):
    texts = list(words(CATALOGUE[slug]))
    assert len(texts) > 2
    for pair in texts:
        assert bool(pair["en"]) == bool(pair["es"])
        assert pair["en"] != pair["es"] or pair["en"] in ([], ["PHP"])


@pytest.mark.parametrize(
    ("less", "more", "stated"),
    [
        ("op", "iop", True),
        ("iop", "php", True),
        ("iop", "inpatient", True),
        ("op", "detox", True),
        ("op", "php", True),
        ("iop", "op", False),
        ("iop", "detox", False),
        ("detox", "iop", False),
        ("php", "inpatient", False),
        ("inpatient", "php", False),
        ("op", "op", False),
    ],
)
def test_what_is_more_intense_is_known_only_as_far_as_it_is_stated(less, more, stated):
    assert edition().less_intense(less, more) is stated


def test_steps_read_backward_are_the_same_steps():
    catalogue = edition()
    assert {one.slug for one in catalogue.steps_from("iop")} == {"detox", "php"}
    assert [one.slug for one in catalogue.steps_to("iop")] == ["op"]
    assert [one.slug for one in catalogue.steps_from("op")] == ["iop"]
    assert catalogue.steps_to("op") == []

"""Programs side by side: rows from the data, sentences from templates over the data."""

import copy
from itertools import combinations

import pytest

from api.programs import comparison
from api.programs.catalogue import shipped
from tests.programs.catalogue_of import edition

SLUGS = tuple(shipped())


def compared(*slugs, language="en", catalogue=None):
    return comparison.of(catalogue or edition(), slugs, language=language)


def row(answer, key):
    return next(one for one in answer["rows"] if one["key"] == key)


def texts(answer, key):
    return [cell["text"] for cell in row(answer, key)["cells"]]


def test_the_rows_hold_what_the_clinics_article_compares():
    keys = [one["key"] for one in compared("iop", "op")["rows"]]
    assert keys[:3] == ["intensity", "structure", "supervision"]
    assert set(keys) >= {
        "frequency", "session_length", "hours_per_week", "duration", "therapies", "flexibility", "goal", "suits",
        "steps_from", "steps_to", "living", "hours_of_day", "offered_here",
    }  # fmt: skip


def test_every_row_is_aligned_with_the_programs_asked_for():
    answer = compared("op", "php", "iop")
    assert [one["slug"] for one in answer["programs"]] == ["op", "php", "iop"]
    assert all([cell["program"] for cell in one["cells"]] == ["op", "php", "iop"] for one in answer["rows"])


def test_numbers_keep_the_unit_of_each_program():
    cells = row(compared("iop", "op"), "frequency")["cells"]
    assert [cell["range"]["unit"] for cell in cells] == ["days_per_week", "sessions_per_week"]
    assert texts(compared("iop", "op"), "frequency") == [
        "Usually 3 to 5 days a week",
        "Typically 1 to 2 sessions a week",
    ]


def test_weekly_hours_are_derived_and_side_by_side():
    cells = row(compared("iop", "op"), "hours_per_week")["cells"]
    assert [(cell["range"]["min"], cell["range"]["max"], cell["range"]["derived"]) for cell in cells] == [
        (9, 15, True), (1, 4, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("intensity", "IOP is more intense than OP."),
        ("frequency", "IOP meets more often than OP. IOP counts days and OP counts sessions."),
        ("session_length", "IOP takes longer at a time than OP."),
        ("hours_per_week", "IOP takes about 5 to 14 hours a week more than OP."),
        ("duration", "IOP has a usual length (often 8 to 12 weeks); OP is ongoing."),
        (
            "therapies",
            "Individual therapy: in IOP and OP. Group therapy: in IOP; in OP sometimes, according to clinical needs. "
            "Family therapy, relapse prevention and life skills: in IOP; not stated for OP.",
        ),
        ("living", "The same in all of them: you live at home."),
        ("hours_of_day", "IOP has daytime or evening hours. Not stated for OP."),
        ("steps_to", "After IOP typically comes OP. Not stated for OP."),
        ("steps_from", "Before IOP typically comes PHP or Detox. Before OP typically comes IOP."),
        ("offered_here", "The same in all of them: offered here."),
    ],
)
def test_each_row_says_in_a_plain_sentence_what_differs(key, sentence):
    assert row(compared("iop", "op"), key)["difference"] == sentence


@pytest.mark.parametrize("key", ["structure", "flexibility", "goal", "suits"])
def test_what_is_said_in_words_is_set_side_by_side_in_words(key):
    sentence = row(compared("iop", "op"), key)["difference"]
    iop, op = shipped()["iop"][key]["in_short"]["en"], shipped()["op"][key]["in_short"]["en"]
    assert sentence.startswith("IOP ")
    assert f"{iop}; OP " in sentence
    assert sentence.endswith(f"{op}.")


def test_supervision_is_said_to_differ_and_not_to_be_described_beside_what_is_stated_of_meetings():
    said = row(compared("iop", "op"), "supervision")
    note = (
        "The clinic's article names supervision as a difference between the Intensive Outpatient Program and "
        "outpatient treatment, and does not describe it."
    )
    assert said["difference"] == (
        "IOP has meetings on several days a week, a few hours at a time; "
        f"OP has typically brief meetings, once or twice a week. {note}"
    )
    assert all(cell["text"].endswith(f". {note}") for cell in said["cells"])


def test_a_program_of_which_nothing_is_noted_adds_no_note():
    described = {key: value for key, value in shipped()["op"]["supervision"].items() if key != "note"}
    catalogue = edition(op=shipped()["op"] | {"supervision": described})
    assert texts(compared("iop", "op", catalogue=catalogue), "supervision")[1] == (
        "Typically brief meetings, once or twice a week."
    )


def test_the_order_asked_for_does_not_change_what_is_true():
    assert row(compared("op", "iop"), "intensity")["difference"] == "IOP is more intense than OP."
    assert row(compared("op", "iop"), "hours_per_week")["difference"].startswith("IOP takes about 5 to 14 hours")


def test_what_is_not_known_reads_not_stated_and_never_zero():
    answer = compared("iop", "php")
    for key in ("frequency", "session_length", "hours_per_week", "duration", "therapies", "suits", "offered_here"):
        iop, php = row(answer, key)["cells"]
        assert (iop["stated"], php["stated"], php["text"]) == (True, False, "Not stated")
        assert "range" not in php
        assert "Not stated for PHP." in row(answer, key)["difference"]


def test_therapies_that_one_program_states_are_not_said_to_be_in_all():
    sentence = row(compared("iop", "php"), "therapies")["difference"]
    assert sentence.startswith("IOP: individual therapy, group therapy, ")
    assert sentence.endswith(" Not stated for PHP.")


def test_what_is_known_of_no_program_says_so_once():
    assert row(compared("php", "detox"), "hours_per_week")["difference"] == "Not stated for any of them."


def test_an_order_of_intensity_that_nobody_stated_is_not_made_up():
    assert row(compared("php", "detox"), "intensity")["difference"] == (
        "Which of PHP and Detox is more intense is not stated."
    )
    assert row(compared("iop", "op", "php", "detox"), "intensity")["difference"] == (
        "IOP is more intense than OP. PHP is more intense than IOP and OP. Detox is more intense than OP. "
        "Which of IOP and Detox is more intense is not stated. Which of PHP and Detox is more intense is not stated."
    )


def test_ranges_that_overlap_are_not_called_more_or_less():
    content = copy.deepcopy(shipped()["op"])
    content["frequency"] = {"min": 2, "max": 4, "unit": "days_per_week"}
    content["session_length"] = {"min": 120, "max": 240, "unit": "minutes_per_day"}
    answer = compared("iop", "op", catalogue=edition(op=content))
    assert row(answer, "frequency")["difference"] == "The ranges of IOP and OP overlap."
    assert row(answer, "session_length")["difference"] == "The ranges of IOP and OP overlap."
    assert row(answer, "hours_per_week")["difference"] == "The ranges of IOP and OP overlap."


def test_many_sessions_are_not_called_more_often_than_fewer_days():
    content = copy.deepcopy(shipped()["op"])
    content["frequency"] = {"min": 6, "max": 8, "unit": "sessions_per_week"}
    answer = compared("iop", "op", catalogue=edition(op=content))
    assert row(answer, "frequency")["difference"] == "IOP counts days and OP counts sessions."


def test_what_is_the_same_is_said_to_be_the_same():
    answer = compared("iop", "op", catalogue=edition(op=shipped()["iop"] | {"short_name": "OP"}))
    assert row(answer, "frequency")["difference"] == "The same in all of them: usually 3 to 5 days a week."
    assert row(answer, "goal")["difference"].startswith("The same in all of them: ")
    assert row(answer, "therapies")["difference"].startswith("The same in all of them: individual therapy, ")


def test_that_placement_is_by_assessment_stands_beside_it():
    assert "assessment" in compared("iop", "op")["placement_note"]
    assert "evaluación" in compared("iop", "op", language="es")["placement_note"]


def test_a_level_of_which_the_clinic_has_said_nothing_is_marked_as_orientation():
    iop, php = compared("iop", "php")["programs"]
    assert "orientation_note" not in iop
    assert "orientation" in php["orientation_note"]


def test_it_reads_in_spanish_and_says_that_nobody_has_reviewed_the_translation():
    answer = compared("iop", "op", language="es")
    assert answer["translation_reviewed"] is False
    assert row(answer, "intensity")["difference"] == "IOP tiene mayor intensidad que OP."
    assert (
        row(answer, "hours_per_week")["difference"] == "IOP requiere alrededor de 5 a 14 horas por semana más que OP."
    )
    assert texts(compared("iop", "php", language="es"), "hours_per_week")[1] == "No se indica"
    assert "translation_reviewed" not in compared("iop", "op")


@pytest.mark.parametrize("language", ["en", "es"])
def test_any_two_to_four_programs_compare_in_whole_sentences(language):
    for count in (2, 3, 4):
        for slugs in combinations(SLUGS, count):
            for one in compared(*slugs, language=language)["rows"]:
                assert len(one["cells"]) == count
                assert one["difference"][0].isupper()
                assert one["difference"].endswith(".")
                assert not any(flaw in one["difference"] for flaw in ("None", "{", "  ", "..", " 0 "))

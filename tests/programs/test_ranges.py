"""Ranges as data: what is derived from them, and how they read."""

import pytest

from api.programs import ranges

THREE_TO_FIVE_DAYS = {"min": 3, "max": 5, "unit": "days_per_week", "qualifier": "usually"}
ABOUT_THREE_HOURS_A_DAY = {"min": 180, "max": 180, "unit": "minutes_per_day", "qualifier": "about"}
ONE_OR_TWO_SESSIONS = {"min": 1, "max": 2, "unit": "sessions_per_week", "qualifier": "typically"}
ONE_TO_TWO_HOURS_EACH = {"min": 60, "max": 120, "unit": "minutes_per_session", "qualifier": "typically"}


def test_three_to_five_days_of_three_hours_are_nine_to_fifteen_hours_a_week():
    derived = ranges.hours_per_week(THREE_TO_FIVE_DAYS, ABOUT_THREE_HOURS_A_DAY)
    assert (derived["min"], derived["max"], derived["unit"]) == (9, 15, "hours_per_week")


def test_one_or_two_sessions_of_one_to_two_hours_are_one_to_four_hours_a_week():
    derived = ranges.hours_per_week(ONE_OR_TWO_SESSIONS, ONE_TO_TWO_HOURS_EACH)
    assert (derived["min"], derived["max"]) == (1, 4)


def test_what_is_derived_says_so_and_is_no_surer_than_what_it_came_from():
    derived = ranges.hours_per_week(THREE_TO_FIVE_DAYS, ABOUT_THREE_HOURS_A_DAY)
    assert derived["derived"] is True
    assert derived["qualifier"] == "about"
    assert ranges.hours_per_week(ONE_OR_TWO_SESSIONS, ONE_TO_TWO_HOURS_EACH)["qualifier"] == "typically"


@pytest.mark.parametrize(
    ("frequency", "length"),
    [
        (None, ABOUT_THREE_HOURS_A_DAY),
        (THREE_TO_FIVE_DAYS, None),
        (None, None),
        (THREE_TO_FIVE_DAYS, ONE_TO_TWO_HOURS_EACH),
        (ONE_OR_TWO_SESSIONS, ABOUT_THREE_HOURS_A_DAY),
    ],
    ids=["no frequency", "no length", "neither", "days with minutes a session", "sessions with minutes a day"],
)
def test_what_cannot_be_derived_is_absent_and_never_zero(frequency, length):
    assert ranges.minutes_per_week(frequency, length) is None
    assert ranges.hours_per_week(frequency, length) is None


def test_half_hours_are_exact_in_minutes_and_rounded_outward_with_about_in_hours():
    ninety_minutes = {"min": 90, "max": 90, "unit": "minutes_per_session"}
    once = {"min": 1, "max": 1, "unit": "sessions_per_week"}
    assert ranges.minutes_per_week(once, ninety_minutes) == {
        "min": 90, "max": 90, "unit": "minutes_per_week", "derived": True,
    }  # fmt: skip
    hours = ranges.hours_per_week(once, ninety_minutes)
    assert (hours["min"], hours["max"], hours["qualifier"]) == (1, 2, "about")


@pytest.mark.parametrize(
    ("span", "english", "spanish"),
    [
        (THREE_TO_FIVE_DAYS, "usually 3 to 5 days a week", "por lo general, de 3 a 5 días por semana"),
        (ABOUT_THREE_HOURS_A_DAY, "about 3 hours a day", "alrededor de 3 horas por día"),
        (ONE_OR_TWO_SESSIONS, "typically 1 to 2 sessions a week", "normalmente, de 1 a 2 sesiones por semana"),
        (ONE_TO_TWO_HOURS_EACH, "typically 1 to 2 hours a session", "normalmente, de 1 a 2 horas por sesión"),
        ({"min": 1, "max": 1, "unit": "days_per_week"}, "1 day a week", "1 día por semana"),
        (
            {"min": 45, "max": 90, "unit": "minutes_per_session"},
            "45 to 90 minutes a session",
            "de 45 a 90 minutos por sesión",
        ),
        (
            {"min": 9, "max": 15, "unit": "hours_per_week", "qualifier": "about"},
            "about 9 to 15 hours a week",
            "alrededor de 9 a 15 horas por semana",
        ),
    ],
)
def test_a_range_reads_as_a_person_would_say_it(span, english, spanish):
    assert ranges.in_words(span, "en") == english
    assert ranges.in_words(span, "es") == spanish


@pytest.mark.parametrize(
    ("duration", "english", "spanish"),
    [
        (
            {"min_weeks": 8, "max_weeks": 12, "open_ended": True, "qualifier": "often"},
            "often 8 to 12 weeks",
            "a menudo, de 8 a 12 semanas",
        ),
        ({"open_ended": True}, "ongoing", "sin plazo fijo"),
        ({"min_weeks": 1, "max_weeks": 1, "open_ended": False}, "1 week", "1 semana"),
    ],
)
def test_a_duration_reads_as_a_person_would_say_it(duration, english, spanish):
    assert ranges.duration_in_words(duration, "en") == english
    assert ranges.duration_in_words(duration, "es") == spanish

"""How an instant is said."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from api.messages import when

NEW_YORK = ZoneInfo("America/New_York")
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
NOW = datetime(2026, 6, 8, 9, tzinfo=NEW_YORK)


def said(text, *, language="en", reader=NEW_YORK, at=NOW):
    instant = datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)
    return when.said(instant, zone=NEW_YORK, reader=reader, at=at, language=language)


@pytest.mark.parametrize(
    ("instant", "english", "spanish"),
    [
        ("2026-06-08T18:00", "today at 6:00 PM", "hoy a las 6:00 p. m."),
        ("2026-06-09T00:05", "tomorrow at 12:05 AM", "mañana a las 12:05 a. m."),
        ("2026-06-09T12:00", "tomorrow at 12:00 PM", "mañana a las 12:00 p. m."),
        ("2026-06-10T13:30", "on Wednesday, June 10 at 1:30 PM", "el miércoles 10 de junio a la 1:30 p. m."),
        ("2026-06-07T13:30", "on Sunday, June 7 at 1:30 PM", "el domingo 7 de junio a la 1:30 p. m."),
    ],
)
def test_an_instant_is_said_as_people_say_it(instant, english, spanish):
    assert said(instant) == english
    assert said(instant, language="es") == spanish


def test_a_reader_far_away_is_told_the_zone_and_the_date():
    assert said("2026-06-08T18:00", reader=LOS_ANGELES) == "on Monday, June 8 at 6:00 PM EDT"


def test_a_zone_with_the_same_clock_needs_no_name():
    assert said("2026-06-08T18:00", reader=ZoneInfo("America/Toronto")) == "today at 6:00 PM"


def test_tomorrow_is_tomorrow_across_a_change_of_clocks():
    eve = datetime(2026, 10, 31, 23, 30, tzinfo=NEW_YORK)
    assert said("2026-11-01T23:00", at=eve) == "tomorrow at 11:00 PM"

"""Where a day and a week begin for a person."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sessions import localtime

NEW_YORK = ZoneInfo("America/New_York")
ZONES = st.sampled_from(["America/New_York", "America/Havana", "Africa/Cairo", "Asia/Kathmandu", "Pacific/Kiritimati"])
INSTANTS = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2030, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(("on", "hours"), [(date(2026, 11, 1), 25), (date(2027, 3, 14), 23), (date(2026, 12, 1), 24)])
def test_a_day_is_as_long_as_the_clocks_make_it(on, hours):
    begins, ends = localtime.day(on, NEW_YORK)
    assert ends - begins == timedelta(hours=hours)


def test_a_sunday_evening_belongs_to_the_week_that_is_ending():
    sunday_evening = datetime(2026, 11, 30, 3, tzinfo=UTC)  # Sunday 22:00 in New York
    assert localtime.week(sunday_evening, NEW_YORK) == (
        datetime(2026, 11, 23, 5, tzinfo=UTC),
        datetime(2026, 11, 30, 5, tzinfo=UTC),
    )


def test_the_same_instant_lies_in_different_weeks_for_two_people():
    instant = datetime(2026, 11, 30, 3, tzinfo=UTC)
    assert localtime.week(instant, UTC) != localtime.week(instant, NEW_YORK)


def test_a_day_whose_midnight_does_not_exist_begins_when_the_clocks_went_forward():
    begins, _ = localtime.day(date(2026, 3, 8), ZoneInfo("America/Havana"))
    assert begins.astimezone(ZoneInfo("America/Havana")).time().isoformat() == "01:00:00"


@given(INSTANTS, ZONES)
def test_every_instant_lies_in_its_own_day_and_week(at, zone_name):
    zone = ZoneInfo(zone_name)
    for begins, ends in (localtime.day(localtime.day_of(at, zone), zone), localtime.week(at, zone)):
        assert begins <= at < ends


@given(INSTANTS, ZONES)
def test_the_wall_shows_what_the_instant_was_made_from(at, zone_name):
    zone = ZoneInfo(zone_name)
    shown = localtime.wall(at, zone)
    assert localtime.wall(localtime.instant(shown, zone), zone) == shown

"""Quiet hours are the patient's: earlier rather than later, and right when the clocks change."""

from datetime import UTC, datetime, time, timedelta

import pytest

from api.reminders import quiet
from api.reminders.quiet import QuietHours
from tests.reminders.people import LONG_AGO, NEW_YORK, NIGHT, local

START = local("2026-06-10T09:00")


def shifted(due, *, known_at=LONG_AGO, before=START, hours=NIGHT):
    return quiet.shift(due, hours, known_at=known_at, before=before)


def test_what_is_due_by_day_stays_where_it_is():
    assert shifted(local("2026-06-09T18:00")) == (local("2026-06-09T18:00"), "on_time")


def test_what_is_due_at_night_is_said_before_the_night():
    assert shifted(local("2026-06-10T07:00")) == (local("2026-06-09T20:45"), "before_quiet_hours")


def test_the_minute_at_which_quiet_ends_is_not_quiet():
    assert shifted(local("2026-06-10T08:00"))[1] == "on_time"


def test_the_minute_at_which_quiet_begins_is_quiet():
    assert shifted(local("2026-06-09T21:00")) == (local("2026-06-09T20:45"), "before_quiet_hours")


def test_what_became_known_in_the_night_waits_for_its_end():
    known_at = local("2026-06-09T22:00")
    assert shifted(local("2026-06-10T07:00"), known_at=known_at) == (local("2026-06-10T08:00"), "after_quiet_hours")


def test_what_became_known_in_the_night_before_an_early_appointment_is_not_said():
    early = local("2026-06-10T08:00")
    assert shifted(local("2026-06-10T06:00"), known_at=local("2026-06-09T22:00"), before=early) == (None, "quiet_hours")


def test_equal_times_mean_no_quiet_at_all():
    always = QuietHours(time(0), time(0), NEW_YORK)
    assert shifted(local("2026-06-10T03:00"), hours=always)[1] == "on_time"
    assert always.next_begin(START) is None


@pytest.mark.parametrize(
    ("hours", "instant"),
    [
        pytest.param((time(2, 30), time(8)), local("2027-03-14T03:10"), id="it begins at a time that does not exist"),
        pytest.param((time(1, 30), time(8)), local("2026-11-01T01:40"), id="it begins at a time that comes twice"),
        pytest.param(
            (time(21), time(1, 30)),
            datetime(2026, 11, 1, 6, 20, tzinfo=UTC),
            id="it ends at a time that comes twice, and this is the second",
        ),
    ],
)
def test_no_reading_of_the_clock_is_in_the_night_when_clocks_change(hours, instant):
    due_at, _ = shifted(instant, hours=QuietHours(*hours, NEW_YORK), before=instant + timedelta(days=1))
    begin, end = hours
    wall = due_at.astimezone(NEW_YORK).time()
    assert not (begin <= wall < end if begin < end else wall >= begin or wall < end)
    assert due_at < instant


def test_the_next_night_begins_tonight():
    assert NIGHT.next_begin(local("2026-06-10T09:00")) == local("2026-06-10T21:00")
    assert NIGHT.next_begin(local("2026-06-10T21:00")) == local("2026-06-11T21:00")


@pytest.mark.parametrize(("begin", "end", "hours"), [(21, 8, 11), (8, 21, 13), (5, 5, 0)])
def test_the_length_of_quiet_hours_goes_over_midnight(begin, end, hours):
    assert quiet.length(time(begin), time(end)) == timedelta(hours=hours)

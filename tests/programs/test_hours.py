"""When a place is open: weekly hours in its own zone, closures over them, both DST changes between."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from api.programs import hours
from api.programs.edition import Closure, Hours, Location

NINE, FIVE, MIDNIGHT = time(9), time(17), time(0)
WORKDAYS = tuple(Hours(weekday=day, opens=NINE, closes=FIVE) for day in range(1, 6))


def place(*weekly, closures=(), zone="America/New_York", number=1):
    return Location(id=UUID(int=number), details={}, time_zone=zone, hours=weekly, closures=tuple(closures))


def closed(starts, ends):
    return Closure(id=UUID(int=7), starts_at=starts, ends_at=ends)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


MONDAY_TEN = at("2026-11-23T15:00")  # 10:00 in New York
FRIDAY_SIX = at("2026-11-27T23:00")  # 18:00 in New York


def test_it_is_open_during_its_hours_and_says_until_when():
    found = hours.opening([place(*WORKDAYS)], at=MONDAY_TEN)
    assert (found.open_now, found.closes_at) == (True, at("2026-11-23T22:00"))


def test_after_hours_it_says_when_it_opens_next():
    found = hours.opening([place(*WORKDAYS)], at=FRIDAY_SIX)
    assert (found.open_now, found.opens_at) == (False, at("2026-11-30T14:00"))


def test_opening_counts_from_the_first_minute_and_closing_ends_it():
    assert hours.opening([place(*WORKDAYS)], at=at("2026-11-23T14:00")).open_now
    assert not hours.opening([place(*WORKDAYS)], at=at("2026-11-23T22:00")).open_now


def test_a_closure_is_closed_whatever_the_week_says():
    holiday = closed(at("2026-11-26T05:00"), at("2026-11-28T05:00"))
    found = hours.opening([place(*WORKDAYS, closures=[holiday])], at=at("2026-11-26T15:00"))
    assert (found.open_now, found.opens_at) == (False, at("2026-11-30T14:00"))


def test_a_closure_in_the_middle_of_a_day_leaves_its_ends_open():
    noon = closed(at("2026-11-23T17:00"), at("2026-11-23T18:00"))
    location = place(*WORKDAYS, closures=[noon])
    assert hours.opening([location], at=MONDAY_TEN).closes_at == at("2026-11-23T17:00")
    assert hours.opening([location], at=at("2026-11-23T17:30")).opens_at == at("2026-11-23T18:00")


def test_nine_oclock_stays_nine_oclock_across_both_changes_of_the_clocks():
    location = place(*WORKDAYS)
    assert hours.opening([location], at=at("2026-10-31T12:00")).opens_at == at("2026-11-02T14:00")
    assert hours.opening([location], at=at("2027-03-13T12:00")).opens_at == at("2027-03-15T13:00")


def test_midnight_as_closing_time_is_the_end_of_the_day():
    around_the_clock = [Hours(weekday=day, opens=MIDNIGHT, closes=MIDNIGHT) for day in range(1, 8)]
    found = hours.opening([place(*around_the_clock)], at=FRIDAY_SIX)
    assert found.open_now
    assert found.closes_at is None


def test_a_place_without_hours_says_nothing_about_when():
    assert hours.opening([place()], at=MONDAY_TEN) is None
    assert hours.opening([], at=MONDAY_TEN) is None


def test_two_places_together_are_open_while_either_is():
    late = place(Hours(weekday=1, opens=time(12), closes=time(20)), number=2)
    found = hours.opening([place(*WORKDAYS), late], at=MONDAY_TEN)
    assert found.closes_at == at("2026-11-24T01:00")


def test_open_time_is_counted_over_nights_weekends_and_closures():
    thanksgiving = closed(at("2026-11-26T05:00"), at("2026-11-27T05:00"))
    location = place(*WORKDAYS, closures=[thanksgiving])
    wednesday_half_past_four = at("2026-11-25T21:30")
    assert hours.after_open_time([location], start=wednesday_half_past_four, minutes=30) == at("2026-11-25T22:00")
    assert hours.after_open_time([location], start=wednesday_half_past_four, minutes=60) == at("2026-11-27T14:30")
    assert hours.after_open_time([location], start=FRIDAY_SIX, minutes=15) == at("2026-11-30T14:15")


def test_without_hours_there_is_no_open_time_to_count():
    assert hours.after_open_time([place()], start=MONDAY_TEN, minutes=15) is None


def test_a_place_closed_for_a_year_does_not_open_next():
    forever = closed(MONDAY_TEN - timedelta(days=2), MONDAY_TEN + timedelta(days=800))
    found = hours.opening([place(*WORKDAYS, closures=[forever])], at=MONDAY_TEN)
    assert (found.open_now, found.opens_at) == (False, None)

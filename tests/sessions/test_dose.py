"""A week of treatment, as one pure function sees it."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from api.sessions import dose
from api.sessions.dose import Planned, Stay, Week

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = date(2026, 11, 9)
NINE_HOURS = 540
LATER = datetime(2026, 12, 1, tzinfo=UTC)
LONG_AGO = datetime(2026, 6, 1, tzinfo=UTC)


def local(day: int, hour: int = 9, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=NEW_YORK).astimezone(UTC)


def session(day: int, hour: int = 9, *, hours: int = 3, **more: object) -> Planned:
    return Planned(local(day, hour), local(day, hour) + timedelta(hours=hours), **more)  # type: ignore[arg-type]


def there(day: int, hours: int = 3) -> Planned:
    return session(day, mark="present", minutes=hours * 60)


def absent(day: int) -> Planned:
    return session(day, mark="absent")


def of(*places: Planned, stay: Stay | None = None, monday: date = MONDAY, at: datetime = LATER) -> Week:
    known = stay or Stay(LONG_AGO, floor=NINE_HOURS)
    (week,) = dose.rows(known, places, mondays=[monday], zone=NEW_YORK, at=at)
    return week


def test_a_week_counts_what_the_clinic_recorded() -> None:
    week = of(there(9), there(11, hours=2), absent(13))
    assert (week.scheduled, week.attended, week.attested, week.unrecorded) == (540, 300, 0, 0)


def test_three_of_three_is_not_below_and_two_of_three_is() -> None:
    assert of(there(9), there(11), there(13)).below is False
    assert of(there(9), there(11), absent(13)).below is True


def test_nobody_is_asked_for_more_than_was_scheduled_for_them() -> None:
    assert of(there(9), there(11)).below is False


def test_nobody_is_asked_for_more_than_the_floor() -> None:
    assert of(there(9), there(10), there(11), absent(12), absent(13)).below is False


def test_what_the_clinic_cancelled_counts_against_nobody() -> None:
    week = of(there(9), there(11), session(13, cancelled=True))
    assert (week.scheduled, week.below) == (360, False)


def excused(day: int) -> Planned:
    return session(day, mark="excused")


def test_what_staff_excused_counts_against_nobody() -> None:
    week = of(there(9), there(11), excused(13))
    assert (week.scheduled, week.excused, week.attended, week.below) == (360, 180, 360, False)
    assert of(there(9), absent(11), excused(13)).below is True


def test_a_make_up_for_what_was_excused_gives_its_minutes() -> None:
    week = of(there(9), excused(11), session(12, mark="present", minutes=180, makes_up=True))
    assert (week.scheduled, week.excused, week.attended, week.below) == (360, 180, 360, False)


def test_a_make_up_counts_for_the_missed_one_and_asks_for_nothing_more() -> None:
    made_up = session(12, mark="present", minutes=180, makes_up=True)
    week = of(there(9), absent(11), made_up)
    assert (week.scheduled, week.attended, week.below) == (540, 360, False)
    assert of(there(9), there(11), session(12, mark="absent", makes_up=True)).below is False
    assert of(there(9), absent(11), session(12, mark="absent", makes_up=True)).below is True


def test_a_week_without_sessions_is_below_nothing() -> None:
    assert of().below is False


def test_a_level_without_a_floor_measures_nobody() -> None:
    assert of(absent(9), stay=Stay(LONG_AGO)).below is None


def test_what_only_the_patient_said_stands_beside_what_the_clinic_recorded() -> None:
    week = of(session(9, arrived_at=local(9) - timedelta(minutes=10)), there(11))
    assert (week.attended, week.attested, week.unrecorded) == (180, 180, 180)


def test_who_came_late_by_their_own_word_attested_the_rest() -> None:
    assert of(session(9, arrived_at=local(9) + timedelta(minutes=45))).attested == 135


def test_a_session_that_goes_on_is_attested_as_far_as_it_has_come() -> None:
    assert of(session(9, arrived_at=local(9)), at=local(9) + timedelta(minutes=50)).attested == 50


@pytest.mark.parametrize("minutes", [-31, 181])
def test_an_arrival_outside_the_window_is_no_attendance(minutes: int) -> None:
    assert of(session(9, arrived_at=local(9) + timedelta(minutes=minutes))).attested == 0


def test_the_clinics_mark_stands_over_the_patients_word() -> None:
    assert of(session(9, arrived_at=local(9), mark="absent")).attested == 0


def test_a_session_that_is_over_and_has_no_mark_is_unrecorded() -> None:
    week = of(session(9), session(11), at=local(10))
    assert (week.scheduled, week.unrecorded) == (360, 180)


def test_a_week_begins_and_ends_at_the_zones_midnight() -> None:
    late = session(15, 23, hours=1, mark="present", minutes=60)
    assert late.starts_at.date() == date(2026, 11, 16)
    assert of(late).attended == 60
    assert of(late, monday=MONDAY + dose.WEEK).attended == 0


def test_the_week_of_a_clock_change_is_a_week_like_any_other() -> None:
    fall = date(2026, 10, 26)
    places = [
        Planned(local(26, 9, 10), local(26, 12, 10), mark="present", minutes=180),
        Planned(local(1, 22, 11), local(1, 23, 11), mark="present", minutes=60),
    ]
    assert of(*places, monday=fall).attended == 240


@pytest.mark.parametrize(("begins", "partial"), [(local(9, 14), False), (local(10), True), (local(8), False)])
def test_the_first_week_is_partial_unless_it_began_on_its_monday(begins: datetime, partial: bool) -> None:
    assert of(stay=Stay(begins, floor=NINE_HOURS)).partial is partial


@pytest.mark.parametrize(("ends", "partial"), [(local(14, 20), True), (local(15, 20), False), (local(16), False)])
def test_the_last_week_is_partial_unless_it_ended_on_its_sunday(ends: datetime, partial: bool) -> None:
    assert of(stay=Stay(LONG_AGO, ends, floor=NINE_HOURS)).partial is partial


def test_a_week_that_goes_on_is_partial_until_its_last_moment() -> None:
    ends = datetime(2026, 11, 16, tzinfo=NEW_YORK)
    assert of(at=ends - timedelta(seconds=1)).partial is True
    assert of(at=ends).partial is False


def test_nobody_is_measured_in_a_partial_week() -> None:
    assert of(absent(11), stay=Stay(local(10), floor=NINE_HOURS)).below is None


def test_a_week_with_a_pause_is_partial_and_sessions_in_the_pause_count_for_nothing() -> None:
    paused = Stay(LONG_AGO, floor=NINE_HOURS, pauses=((local(11, 0), local(13, 0)),))
    week = of(there(9), absent(11), there(13), stay=paused)
    assert (week.partial, week.scheduled, week.below) == (True, 360, None)


def test_a_pause_that_lasts_is_over_for_no_later_week() -> None:
    paused = Stay(LONG_AGO, pauses=((local(2), None),))
    assert of(absent(9), stay=paused).partial is True


def test_what_lies_outside_the_stay_is_no_part_of_its_weeks() -> None:
    week = of(there(9), there(11), stay=Stay(local(10), local(11), floor=NINE_HOURS))
    assert (week.scheduled, week.attended) == (0, 0)


@pytest.mark.parametrize(("days", "below"), [(7, None), (13, None), (14, True), (15, True)])
def test_two_weeks_after_stepping_down_are_no_under_dose(days: int, below: bool | None) -> None:
    stay = Stay(local(9, 0) - timedelta(days=days), floor=NINE_HOURS, came_down=True)
    week = of(absent(9), stay=stay)
    assert (week.partial, week.below) == (False, below)


def test_who_came_otherwise_has_no_such_grace() -> None:
    assert of(absent(9), stay=Stay(local(2), floor=NINE_HOURS)).below is True


@pytest.mark.parametrize(("ended", "below"), [(17, None), (24, None), (29, None), (30, True)])
def test_two_weeks_before_stepping_down_are_no_under_dose(ended: int, below: bool | None) -> None:
    ended_at = local(ended, 0)
    week = of(absent(9), stay=Stay(LONG_AGO, ended_at, floor=NINE_HOURS, went_down=True))
    assert week.below is below


def test_the_weeks_of_a_stay_are_the_last_twelve_the_newest_first() -> None:
    mondays = dose.weeks_of(Stay(LONG_AGO), zone=NEW_YORK, at=LATER)
    assert (mondays[0], len(mondays)) == (date(2026, 11, 30), 12)
    assert {one - two for one, two in pairwise(mondays)} == {dose.WEEK}


def test_a_stay_has_the_weeks_that_it_touches() -> None:
    stay = Stay(local(10), local(16, 0))
    assert dose.weeks_of(stay, zone=NEW_YORK, at=LATER) == [MONDAY]


def test_the_floor_of_a_level_is_the_known_one_or_the_configured_one() -> None:
    try:
        assert (dose.floor_of("2.1"), dose.floor_of("2.5"), dose.floor_of(None)) == (540, None, None)
        dose.use_floors({"2.5": 20})
        assert (dose.floor_of("2.1"), dose.floor_of("2.5")) == (540, 1200)
    finally:
        dose.use_floors({})

"""When a check-in is due, across days, zones and both changes of the clock."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from api.checkins.windows import Schedule, Window, next_window, window, window_at

NEW_YORK = ZoneInfo("America/New_York")
DAILY = Schedule("daily", 1, time(5), 16, 24)
EVERY_TWO_WEEKS = Schedule("phq-9", 14, time(5), 72, 168)
BEGAN = datetime(2026, 10, 1, 14, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).astimezone(UTC)


def found(schedule: Schedule, text: str) -> Window:
    window = window_at(schedule, began_at=BEGAN, zone=NEW_YORK, at=at(text))
    assert window is not None
    return window


def daily_at(text: str) -> Window:
    return found(DAILY, text)


def test_a_daily_check_in_starts_at_five_is_overdue_at_nine_and_closes_the_next_morning() -> None:
    today = daily_at("2026-10-05 12:00")
    assert (today.opens_at, today.overdue_at, today.closes_at) == (
        at("2026-10-05 05:00"),
        at("2026-10-05 21:00"),
        at("2026-10-06 05:00"),
    )


def test_a_window_says_its_state() -> None:
    today = daily_at("2026-10-05 12:00")
    moments = ["2026-10-05 04:59", "2026-10-05 05:00", "2026-10-05 21:00", "2026-10-06 05:00"]
    assert [today.state(at(moment)) for moment in moments] == ["upcoming", "start", "overdue", "closed"]


def test_after_midnight_the_day_before_may_still_be_answered() -> None:
    assert daily_at("2026-10-06 01:30").opens_at == at("2026-10-05 05:00")


def test_nothing_is_due_before_the_first_window() -> None:
    before = at("2026-09-30 12:00")
    assert window_at(DAILY, began_at=BEGAN, zone=NEW_YORK, at=before) is None
    assert next_window(DAILY, began_at=BEGAN, zone=NEW_YORK, at=before).opens_at == at("2026-10-01 05:00")


def test_the_phq_9_is_asked_every_two_weeks_and_closes_after_one() -> None:
    opened = [window(EVERY_TWO_WEEKS, began_at=BEGAN, zone=NEW_YORK, number=number) for number in (0, 1)]
    assert [one.opens_at for one in opened] == [at("2026-10-01 05:00"), at("2026-10-15 05:00")]
    assert found(EVERY_TWO_WEEKS, "2026-10-10 12:00").state(at("2026-10-10 12:00")) == "closed"


def test_a_day_with_25_hours_and_one_with_23_keep_their_local_times() -> None:
    autumn, spring = daily_at("2026-10-31 12:00"), daily_at("2027-03-13 12:00")
    assert autumn.closes_at - autumn.opens_at == timedelta(hours=25)
    assert spring.closes_at - spring.opens_at == timedelta(hours=23)


def test_a_skipped_local_time_moves_forward_and_a_repeated_one_is_its_second_meaning() -> None:
    half_past_two, half_past_one = (Schedule("daily", 1, time(hour, 30), 16, 24) for hour in (2, 1))
    skipped, repeated = found(half_past_two, "2027-03-14 12:00"), found(half_past_one, "2026-11-01 12:00")
    assert skipped.opens_at == datetime(2027, 3, 14, 7, 30, tzinfo=UTC)
    assert repeated.opens_at == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)),
    st.sampled_from(["America/New_York", "Pacific/Auckland", "Asia/Kolkata", "America/Havana"]),
    st.integers(1, 30),
)
def test_windows_follow_one_another_without_overlap(moment: datetime, zone_name: str, days: int) -> None:
    zone, moment = ZoneInfo(zone_name), moment.replace(tzinfo=UTC)
    schedule = Schedule("daily", days, time(5), 16, 24)
    last = window_at(schedule, began_at=datetime(2025, 12, 1, tzinfo=UTC), zone=zone, at=moment)
    following = next_window(schedule, began_at=datetime(2025, 12, 1, tzinfo=UTC), zone=zone, at=moment)
    assert last is not None
    assert last.opens_at <= moment < following.opens_at
    assert last.closes_at <= following.opens_at

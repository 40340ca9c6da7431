"""Weekly rules in wall time, across both changes of the clocks, and against a slow reading of RFC 5545."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.sessions import recurrence

NEW_YORK = ZoneInfo("America/New_York")


def meetings(rule, first, zone=NEW_YORK):
    found = recurrence.expand(recurrence.parse(rule), datetime.fromisoformat(first), zone)
    return [occurrence.starts_at.isoformat().replace("+00:00", "Z") for occurrence in found]


def test_nine_in_the_morning_stays_nine_when_the_clocks_go_back():
    assert meetings("FREQ=WEEKLY;BYDAY=MO;COUNT=3", "2026-10-26T09:00") == [
        "2026-10-26T13:00:00Z",
        "2026-11-02T14:00:00Z",
        "2026-11-09T14:00:00Z",
    ]


def test_nine_in_the_morning_stays_nine_when_the_clocks_go_forward():
    assert meetings("FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=4", "2027-03-10T09:00") == [
        "2027-03-10T14:00:00Z",
        "2027-03-12T14:00:00Z",
        "2027-03-15T13:00:00Z",
        "2027-03-17T13:00:00Z",
    ]


def test_a_time_that_does_not_exist_moves_forward_by_the_gap():
    assert meetings("FREQ=WEEKLY;BYDAY=SU;COUNT=3", "2027-03-07T02:30") == [
        "2027-03-07T07:30:00Z",
        "2027-03-14T07:30:00Z",  # 03:30 on the wall
        "2027-03-21T06:30:00Z",
    ]


def test_a_time_that_occurs_twice_is_its_first_occurrence():
    assert meetings("FREQ=WEEKLY;BYDAY=SU;COUNT=3", "2026-10-25T01:30") == [
        "2026-10-25T05:30:00Z",
        "2026-11-01T05:30:00Z",  # the second 01:30 would be 06:30Z
        "2026-11-08T06:30:00Z",
    ]


def test_a_day_that_a_zone_skipped_altogether_gives_no_second_meeting_at_the_same_instant():
    everyday = "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR,SA,SU;COUNT=3"
    found = recurrence.expand(recurrence.parse(everyday), datetime(2011, 12, 29, 9), ZoneInfo("Pacific/Apia"))
    assert [occurrence.on for occurrence in found] == [date(2011, 12, 29), date(2011, 12, 31)]


def test_a_meeting_keeps_its_local_day_as_its_name():
    late = recurrence.expand(recurrence.parse("FREQ=WEEKLY;COUNT=1"), datetime(2026, 11, 24, 21), NEW_YORK)
    assert late == [recurrence.Occurrence(date(2026, 11, 24), datetime(2026, 11, 25, 2, tzinfo=UTC))]


def test_without_days_the_rule_repeats_the_day_of_the_first_meeting():
    assert len(meetings("FREQ=WEEKLY;COUNT=2", "2026-11-24T09:00")) == 2


def test_every_other_week():
    assert meetings("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;COUNT=4", "2026-12-01T18:00") == [
        "2026-12-01T23:00:00Z",
        "2026-12-03T23:00:00Z",
        "2026-12-15T23:00:00Z",
        "2026-12-17T23:00:00Z",
    ]


def test_a_last_day_is_included_whole():
    assert len(meetings("FREQ=WEEKLY;BYDAY=TU;UNTIL=20261208", "2026-11-24T21:00")) == 3


@pytest.mark.parametrize(("until", "count"), [("20261209T020000Z", 3), ("20261209T015959Z", 2)])
def test_a_last_instant_is_included_to_the_second(until, count):
    assert len(meetings(f"FREQ=WEEKLY;BYDAY=TU;UNTIL={until}", "2026-11-24T21:00")) == count


def test_small_letters_are_read():
    assert recurrence.parse("freq=weekly;byday=mo;count=2") == recurrence.parse("FREQ=WEEKLY;BYDAY=MO;COUNT=2")


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "FREQ=WEEKLY",
        "COUNT=4",
        "FREQ=MONTHLY;COUNT=4",
        "FREQ=YEARLY;COUNT=4",
        "FREQ=HOURLY;COUNT=4",
        "FREQ=DAILY;COUNT=4",
        "FREQ=DAILY;BYDAY=;COUNT=4",
        "FREQ=DAILY;BYDAY=MO;INTERVAL=2;COUNT=4",
        "FREQ=WEEKLY;COUNT=4;UNTIL=20270101",
        "FREQ=WEEKLY;COUNT=0",
        "FREQ=WEEKLY;COUNT=-1",
        "FREQ=WEEKLY;COUNT=1001",
        "FREQ=WEEKLY;COUNT=" + "9" * 5000,
        "FREQ=WEEKLY;COUNT=٣",
        "FREQ=WEEKLY;COUNT=4;COUNT=5",
        "FREQ=WEEKLY;INTERVAL=53;COUNT=4",
        "FREQ=WEEKLY;BYDAY=2MO;COUNT=4",
        "FREQ=WEEKLY;BYDAY=XX;COUNT=4",
        "FREQ=WEEKLY;BYHOUR=9;COUNT=4",
        "FREQ=WEEKLY;BYSETPOS=1;COUNT=4",
        "FREQ=WEEKLY;WKST=0;COUNT=4",
        "FREQ=WEEKLY;UNTIL=20270101T090000",
        "FREQ=WEEKLY;UNTIL=20270230",
        "FREQ=WEEKLY;UNTIL=20270101T250000Z",
        "FREQ=WEEKLY;UNTIL=tomorrow",
        "RRULE:FREQ=WEEKLY;COUNT=4",
        "FREQ=WEEKLY;COUNT=4;",
    ],
)
def test_a_rule_that_is_no_bounded_weekly_rule_is_refused(rule):
    with pytest.raises(recurrence.RuleRefused):
        recurrence.parse(rule)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=WEEKLY;BYDAY=TU;COUNT=4",
        "FREQ=WEEKLY;UNTIL=20261129",
        "FREQ=WEEKLY;UNTIL=20320101",
        "FREQ=WEEKLY;UNTIL=99991231",
        "FREQ=WEEKLY;INTERVAL=52;COUNT=1000",
        "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR,SA,SU;UNTIL=20300101",
    ],
)
def test_a_series_that_misses_its_first_day_or_runs_too_long_is_refused(rule):
    with pytest.raises(recurrence.RuleRefused):
        meetings(rule, "2026-11-30T09:00")


ZONES = ["America/New_York", "America/Havana", "Africa/Cairo", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
FIRSTS = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 12, 31)).map(
    lambda moment: moment.replace(second=0, microsecond=0, fold=0)
)


@st.composite
def series(draw):
    """A first meeting and a rule that fits it, often enough beside a change of the clocks."""
    first = draw(FIRSTS | st.sampled_from([datetime(2026, 10, 25, 1, 30), datetime(2027, 3, 7, 2, 30)]))
    weekdays = draw(st.sets(st.integers(0, 6))) | {first.weekday()}
    interval, week_start = draw(st.integers(1, 4)), draw(st.integers(0, 6))
    count = draw(st.none() | st.integers(1, 40))
    until = None if count else first.date() + timedelta(days=draw(st.integers(0, 200)))
    return first, weekdays, interval, week_start, count, until


def spell(weekdays, interval, week_start, count, until):
    names = recurrence.WEEKDAYS
    days = ",".join(names[weekday] for weekday in weekdays)
    end = f"COUNT={count}" if count else f"UNTIL={until:%Y%m%d}"
    return f"FREQ=WEEKLY;INTERVAL={interval};BYDAY={days};WKST={names[week_start]};{end}"


def slowly(first, weekdays, interval, week_start, count, until):
    """RFC 5545 day by day: every ``interval``-th week from the first one's, each named weekday in it."""
    start_of_week = first.date() - timedelta(days=(first.weekday() - week_start) % 7)
    on, days = first.date(), []
    while len(days) < (count or 10_000) and (until is None or on <= until):
        if on.weekday() in weekdays and (on - start_of_week).days // 7 % interval == 0:
            days.append(on)
        on += timedelta(days=1)
    return days


@given(series())
@settings(max_examples=80, deadline=None)
def test_days_agree_with_a_walk_day_by_day(drawn):
    first, *rest = drawn
    found = recurrence.expand(recurrence.parse(spell(*rest)), first, NEW_YORK)
    assert [occurrence.on for occurrence in found] == slowly(first, *rest)


@given(series(), st.sampled_from(ZONES))
@settings(max_examples=30, deadline=None)
def test_every_meeting_shows_its_hour_on_the_wall_or_lies_just_behind_a_gap(drawn, zone_name):
    first, *rest = drawn
    zone = ZoneInfo(zone_name)
    for on, starts_at in recurrence.expand(recurrence.parse(spell(*rest)), first, zone):
        assert starts_at == reading_every_minute(datetime.combine(on, first.time()), zone)


def reading_every_minute(local, zone):
    """The first UTC minute whose wall clock shows the time; if none does, the time by the offset before the gap."""
    minutes = [local.replace(tzinfo=UTC) + timedelta(minutes=m) for m in range(-15 * 60, 15 * 60, 15)]
    shown = [(at, at.astimezone(zone).replace(tzinfo=None)) for at in minutes]
    exact = [at for at, wall in shown if wall == local]
    before = max((at, wall) for at, wall in shown if wall < local and all(w < local for a, w in shown if a <= at))
    return exact[0] if exact else local.replace(tzinfo=UTC) - (before[1] - before[0].replace(tzinfo=None))


@given(series(), st.sampled_from(ZONES))
@settings(max_examples=50, deadline=None)
def test_instants_rise_and_days_never_repeat(drawn, zone_name):
    first, *rest = drawn
    found = recurrence.expand(recurrence.parse(spell(*rest)), first, ZoneInfo(zone_name))
    assert all(a.starts_at < b.starts_at and a.on < b.on for a, b in pairwise(found))


@given(st.text(alphabet="FREQWKLYDAICOUNTVBMTHSP=;,0123456789Z-", max_size=60))
def test_no_text_does_anything_but_parse_or_be_refused(text):
    try:
        rule = recurrence.parse(text)
    except recurrence.RuleRefused:
        return
    assert (rule.count is None) != (rule.until is None)

"""What holds for every plan, and its equality with a slow and obvious one."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from api.reminders import plan as fast
from api.reminders.merge import APART, merged_plan
from api.reminders.plan import Appointment, Change, Facts, Placement, Wishes
from api.reminders.quiet import QuietHours

ZONES = [ZoneInfo(name) for name in ("America/New_York", "America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata")]
# The weeks around both changes of clocks in the United States, and one without.
STARTS = [datetime(2026, 10, 28, tzinfo=UTC), datetime(2027, 3, 11, tzinfo=UTC), datetime(2026, 6, 8, tzinfo=UTC)]
MINUTE = timedelta(minutes=1)


@st.composite
def quiet_hours(draw, begins=tuple(range(19, 24)), ends=tuple(range(5, 11))):
    begin, end = draw(st.sampled_from(begins)), draw(st.sampled_from(ends))
    return QuietHours(time(begin, draw(st.sampled_from([0, 30]))), time(end), draw(st.sampled_from(ZONES)))


@st.composite
def situations(draw, hours=None):
    """Facts and a time: up to six sessions within five days, some of them just changed."""
    at = draw(st.sampled_from(STARTS)) + draw(st.integers(0, 48 * 4)) * timedelta(minutes=15)
    appointments = tuple(
        Appointment(
            UUID(int=number),
            at + timedelta(minutes=15 * draw(st.integers(1, 5 * 96))),
            draw(st.sampled_from(ZONES)),
            revision=draw(st.integers(1, 2)),
            known_at=at - timedelta(minutes=15 * draw(st.sampled_from([0, 20, 500]))),
            cancelled=draw(st.sampled_from([False, False, False, True])),
            attending=draw(st.sampled_from([True, True, True, False])),
        )
        for number in range(1, draw(st.integers(1, 6)) + 1)
    )
    changes = tuple(
        Change(one.session_id, one.revision, "cancelled" if one.cancelled else "moved", one.known_at)
        for one in appointments
        if one.revision > 1
    )
    ends_at = draw(st.sampled_from([None, None, at + timedelta(days=3)]))
    placement = Placement(at - timedelta(days=9), ends_at, draw(st.sampled_from([False, False, True])), UUID(int=1))
    pause = draw(st.sampled_from([None, None, at + timedelta(days=1)]))
    wishes = Wishes(draw(quiet_hours() if hours is None else hours), paused_until=pause)
    return Facts(draw(st.sampled_from([True] * 5 + [False])), wishes, appointments, (placement,), changes), at


any_quiet = quiet_hours(begins=tuple(range(24)), ends=tuple(range(24))).filter(
    lambda one: 0 < (one.end.hour - one.begin.hour) % 24 <= 19
)


def said(entries):
    return [one for one in entries if one.state == "planned"]


def is_quiet(instant, hours):
    wall = instant.astimezone(hours.zone).time()
    over_midnight = hours.begin > hours.end
    return wall >= hours.begin or wall < hours.end if over_midnight else hours.begin <= wall < hours.end


@given(situations(hours=any_quiet))
def test_nothing_is_said_in_quiet_hours(situation):
    facts, at = situation
    for one in said(merged_plan(facts, at=at)):
        assert not is_quiet(one.due_at, facts.wishes.quiet)
        assert not is_quiet(one.expires_at - timedelta(seconds=1), facts.wishes.quiet)


@given(situations())
def test_nothing_is_said_after_the_start_or_too_late(situation):
    facts, at = situation
    for one in said(merged_plan(facts, at=at)):
        assert one.due_at < one.expires_at <= one.starts_at
        assert at < one.expires_at


@given(situations())
def test_nothing_is_said_twice(situation):
    facts, at = situation
    entries = merged_plan(facts, at=at)
    assert max(Counter(one.key for one in entries).values()) == 1


@given(situations())
def test_every_entry_has_one_state_and_one_reason(situation):
    facts, at = situation
    reasons = {"planned": {"on_time", "before_quiet_hours", "after_quiet_hours"}, "held": HELD}
    for one in merged_plan(facts, at=at):
        assert one.reason in reasons[one.state]
        assert (one.replaced_by is not None) == (one.reason == "merged")


HELD = {
    "merged",
    "past",
    "quiet_hours",
    "session_cancelled",
    "not_attending",
    "not_enrolled",
    "enrollment_paused",
    "account_not_active",
    "paused_by_patient",
}


@given(situations())
def test_what_replaced_another_is_said_itself_and_speaks_in_time(situation):
    facts, at = situation
    entries = merged_plan(facts, at=at)
    due = {one.key: one.due_at for one in said(entries)}
    for one in entries:
        assert one.replaced_by is None or due[one.replaced_by] < one.starts_at


@given(situations())
def test_reminders_are_more_than_two_hours_and_an_evening_apart(situation):
    facts, at = situation
    dues = sorted(one.due_at for one in said(merged_plan(facts, at=at)) if one.key.kind == "appointment")
    assert all(later - sooner > APART for sooner, later in pairwise(dues))
    walls = [one.astimezone(facts.wishes.quiet.zone) for one in dues]
    evenings = [wall.date() for wall in walls if wall.hour >= 17]
    assert len(evenings) == len(set(evenings))


@given(situations())
def test_planning_again_changes_nothing(situation):
    facts, at = situation
    assert merged_plan(facts, at=at) == merged_plan(facts, at=at + timedelta(seconds=1)) or any(
        at < one.expires_at <= at + timedelta(seconds=1) for one in merged_plan(facts, at=at)
    )


@settings(max_examples=60, deadline=None)
@given(situations())
def test_the_plan_equals_a_slow_and_obvious_one(situation):
    facts, at = situation
    plain = {one.key: (one.state, one.reason, one.replaced_by) for one in merged_plan(facts, at=at)}
    assert plain == slow_plan(facts, at)


def slow_plan(facts, at):
    """One entry after the other, quiet hours minute by minute, and everything compared with everything."""
    result, sayable = {}, []
    for appointment in facts.appointments:
        for key, wanted, known_at in slow_wanted(appointment, facts):
            held, due = slow_judgement(key, wanted, known_at, appointment, facts, at)
            result[key] = ("held", held, None)
            if due is not None:
                sayable.append((key[2] == "appointment", due, appointment.starts_at, key, held))
    sayable.sort(key=lambda one: (one[0], one[1], one[2], str(one[3].session_id), one[3].lead))
    spoken = []
    for _, due, starts_at, key, reason in sayable:
        taken = [other for other_due, other in spoken if other_due < starts_at and too_close(due, other_due, facts)]
        result[key] = ("held", "merged", taken[0]) if taken else ("planned", reason, None)
        if not taken:
            spoken.append((due, key))
    return result


def slow_wanted(appointment, facts):
    for change in facts.changes:
        if change.session_id == appointment.session_id:
            due = change.at + fast.SETTLING
            yield fast.Key(appointment.session_id, appointment.revision, change.kind, ""), due, due
    wall = appointment.starts_at.astimezone(appointment.zone).replace(tzinfo=None)
    evening = (wall - timedelta(days=1)).replace(hour=18, minute=0)
    usual = {"evening_before": evening, "hours_2": None}
    first = {"hours_72": wall - timedelta(days=3), "hours_24": wall - timedelta(days=1), "hours_2": None}
    for lead, local in (first if appointment.session_id == UUID(int=1) else usual).items():
        due = slow_instant(local, appointment.zone) if local else appointment.starts_at - timedelta(hours=2)
        yield fast.Key(appointment.session_id, appointment.revision, "appointment", lead), due, appointment.known_at


def slow_instant(local, zone):
    """The first instant of the days around at which the wall shows `local`; if none does, go by the offset before."""
    offsets = [timedelta(minutes=15 * step) for step in range(56, -49, -1)]
    shown = [local - offset for offset in offsets if wall_at(local - offset, zone) == local]
    if shown:
        return shown[0].replace(tzinfo=UTC)
    yesterday = (local - timedelta(days=1)).replace(tzinfo=zone)
    return (local - yesterday.utcoffset()).replace(tzinfo=UTC)


def wall_at(naive_utc, zone):
    return naive_utc.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def slow_judgement(key, wanted, known_at, appointment, facts, at):
    """(reason, None) of what is held back, (reason, due) of what could be said."""
    if reason := slow_ground(key, appointment, facts):
        return reason, None
    reason, due = slow_shift(wanted, known_at, appointment.starts_at, facts.wishes.quiet)
    if due is None:
        return reason, None
    if at >= slow_expiry(key, due, appointment.starts_at, facts.wishes.quiet):
        return "past", None
    if facts.wishes.paused_until and due < facts.wishes.paused_until:
        return "paused_by_patient", None
    return reason, due


def slow_ground(key, appointment, facts):
    (placement,) = facts.placements
    enrolled = placement.ends_at is None or appointment.starts_at < placement.ends_at
    if not facts.account_active:
        return "account_not_active"
    if appointment.cancelled and key.kind == "appointment":
        return "session_cancelled"
    if not appointment.attending:
        return "not_attending"
    if not enrolled:
        return "not_enrolled"
    return "enrollment_paused" if placement.paused else ""


def slow_shift(wanted, known_at, starts_at, hours):
    if not is_quiet(wanted, hours):
        return "on_time", wanted
    begin = wanted
    while is_quiet(begin - MINUTE, hours):
        begin -= MINUTE
    if begin - 15 * MINUTE >= known_at:
        return "before_quiet_hours", begin - 15 * MINUTE
    end = wanted
    while is_quiet(end, hours):
        end += MINUTE
    return ("after_quiet_hours", end) if end < starts_at else ("quiet_hours", None)


def slow_expiry(key, due, starts_at, hours):
    latest = due
    patience = 15 * MINUTE if key.kind == "appointment" else timedelta(days=9)
    while latest < starts_at and latest < due + patience and not is_quiet(latest, hours):
        latest += MINUTE
    return latest


def too_close(one, other, facts):
    here, there = (each.astimezone(facts.wishes.quiet.zone) for each in (one, other))
    same_evening = here.hour >= 17 and there.hour >= 17 and here.date() == there.date()
    return abs(one - other) <= timedelta(hours=2) or same_evening

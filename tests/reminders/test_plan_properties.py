"""What holds for every plan, and its equality with a slow and obvious one. FUZZ asks for more examples."""

import os
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from api.reminders.merge import APART, merged_plan
from api.reminders.plan import Appointment, Change, Facts, Key, Placement, Said, Wishes, plan
from api.reminders.quiet import QuietHours
from tests.reminders.slow_plan import is_quiet, slow_plan

EXAMPLES = 10 * int(os.environ.get("FUZZ", "3"))

ZONES = [ZoneInfo(name) for name in ("America/New_York", "America/Los_Angeles", "Europe/Berlin", "Asia/Kolkata")]
# The weeks around both changes of clocks in the United States, and one without.
STARTS = [datetime(2026, 10, 28, tzinfo=UTC), datetime(2027, 3, 11, tzinfo=UTC), datetime(2026, 6, 8, tzinfo=UTC)]
holds = settings(max_examples=EXAMPLES, derandomize="FUZZ" not in os.environ, deadline=None)


@st.composite
def quiet_hours(draw, begins=tuple(range(19, 24)), ends=tuple(range(5, 11))):
    begin, end = draw(st.sampled_from(begins)), draw(st.sampled_from(ends))
    return QuietHours(time(begin, draw(st.sampled_from([0, 30]))), time(end), draw(st.sampled_from(ZONES)))


@st.composite
def situations(draw, hours=None):
    """Facts and a time: up to six sessions within five days, some of them just changed, and what was said of late."""
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
    active = draw(st.sampled_from([True] * 5 + [False]))
    return Facts(active, wishes, appointments, (placement,), changes, draw(what_was_said(appointments, at))), at


@st.composite
def what_was_said(draw, appointments, at):
    """Up to two messages, about a session of these or another one, each speaking for some of them."""
    about = [(one.session_id, one.revision) for one in appointments]
    keys = st.builds(
        lambda session, lead: Key(*session, "appointment", lead),
        st.sampled_from([*about, (UUID(int=9), 1)]),
        st.sampled_from(["evening_before", "hours_2", "hours_24"]),
    )
    times = st.integers(0, 100).map(lambda quarters: at - timedelta(minutes=15 * quarters))
    of = st.frozensets(st.sampled_from(about), max_size=2)
    return tuple(draw(st.lists(st.builds(Said, keys, times, of), max_size=2, unique_by=lambda one: one.key)))


any_quiet = quiet_hours(begins=tuple(range(24)), ends=tuple(range(24))).filter(
    lambda one: 0 < (one.end.hour - one.begin.hour) % 24 <= 19
)


def said(entries):
    return [one for one in entries if one.state == "planned"]


@holds
@given(situations(hours=any_quiet))
def test_nothing_is_said_in_quiet_hours(situation):
    facts, at = situation
    for one in said(merged_plan(facts, at=at)):
        assert not is_quiet(one.due_at, facts.wishes.quiet)
        assert not is_quiet(one.expires_at - timedelta(seconds=1), facts.wishes.quiet)


@holds
@given(situations())
def test_nothing_is_said_after_the_start_or_too_late(situation):
    facts, at = situation
    for one in said(merged_plan(facts, at=at)):
        assert one.due_at < one.expires_at <= one.starts_at
        assert at < one.expires_at


@holds
@given(situations())
def test_nothing_is_said_twice(situation):
    facts, at = situation
    entries = merged_plan(facts, at=at)
    assert max(Counter(one.key for one in entries).values()) == 1


@holds
@given(situations())
def test_every_entry_has_one_state_and_one_reason(situation):
    facts, at = situation
    reasons = {"planned": {"on_time", "before_quiet_hours", "after_quiet_hours", "after_another"}, "held": HELD}
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


@holds
@given(situations())
def test_what_replaced_another_is_said_itself_and_speaks_in_time(situation):
    facts, at = situation
    entries = merged_plan(facts, at=at)
    times = {one.key: one.due_at for one in said(entries)} | {one.key: one.at for one in facts.said}
    for one in entries:
        assert one.replaced_by is None or times[one.replaced_by] < one.starts_at


@holds
@given(situations())
def test_what_could_be_said_of_an_appointment_is_said_or_was(situation):
    """Whatever was said before, an appointment whose last lead lies ahead is spoken for by what comes, or was by what
    spoke for it."""
    facts, at = situation
    entries = merged_plan(facts, at=at)
    for last in said(plan(facts, at=at)):
        speaking = {one.replaced_by or one.key for one in entries if one.key[:2] == last.key[:2]}
        to_come = speaking & {one.key for one in said(entries)}
        assert to_come or any(one.speaks_for(last.key) for one in facts.said)


@holds
@given(situations())
def test_saying_what_is_planned_leaves_the_rest_of_the_plan(situation):
    facts, at = situation
    if not (planned := said(merged_plan(facts, at=at))):
        return
    now = min(planned, key=lambda one: one.due_at)
    at = max(at, now.due_at)
    before = merged_plan(facts, at=at)
    of = frozenset(one.key[:2] for one in before if one.replaced_by == now.key)
    told = {now.key} | {one.key for one in before if one.replaced_by == now.key and one.is_change}
    after = replace(
        facts,
        said=(*facts.said, Said(now.key, now.due_at, of)),
        changes=tuple(one for one in facts.changes if Key(one.session_id, one.revision, one.kind, "") not in told),
    )
    remaining = {one.key: one.due_at for one in said(before) if one.key != now.key}
    assert {one.key: one.due_at for one in said(merged_plan(after, at=at))} == remaining


@holds
@given(situations())
def test_reminders_are_more_than_two_hours_and_an_evening_apart(situation):
    facts, at = situation
    dues = sorted(one.due_at for one in said(merged_plan(facts, at=at)) if one.key.kind == "appointment")
    assert all(later - sooner > APART for sooner, later in pairwise(dues))
    walls = [one.astimezone(facts.wishes.quiet.zone) for one in dues]
    evenings = [wall.date() for wall in walls if wall.hour >= 17]
    assert len(evenings) == len(set(evenings))


@holds
@given(situations())
def test_planning_again_changes_nothing(situation):
    facts, at = situation
    assert merged_plan(facts, at=at) == merged_plan(facts, at=at + timedelta(seconds=1)) or any(
        at < one.expires_at <= at + timedelta(seconds=1) for one in merged_plan(facts, at=at)
    )


@holds
@given(situations())
def test_the_plan_equals_a_slow_and_obvious_one(situation):
    facts, at = situation
    plain = {one.key: (one.state, one.reason, one.replaced_by) for one in merged_plan(facts, at=at)}
    assert plain == slow_plan(facts, at)

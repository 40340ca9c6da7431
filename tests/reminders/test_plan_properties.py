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

from api.reminders.merge import APART, DIGEST_LEADS, merged_plan
from api.reminders.plan import plan
from api.reminders.quiet import QuietHours
from api.reminders.situation import Appointment, Asked, Change, Facts, Key, Placement, Said, Wishes
from tests.reminders.slow_plan import is_quiet, slow_plan

EXAMPLES = 10 * int(os.environ.get("FUZZ", "2"))

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
        Change(one.session_id, one.revision, "cancelled" if one.cancelled else "moved", one.known_at, draw(befores(at)))
        for one in appointments
        if one.revision > 1
    )
    ends_at = draw(st.sampled_from([None, None, at + timedelta(days=3)]))
    placement = Placement(at - timedelta(days=9), ends_at, draw(st.sampled_from([False, False, True])), UUID(int=1))
    pause = draw(st.sampled_from([None, None, at + timedelta(days=1)]))
    wishes = Wishes(
        draw(quiet_hours() if hours is None else hours),
        paused_until=pause,
        channels=draw(st.sampled_from([("push", "sms"), ("sms",)])),
        kinds=draw(st.sampled_from([ALL_KINDS] * 4 + [one_off(kind) for kind in ALL_KINDS])),
        digest=draw(st.booleans()),
    )
    active = draw(st.sampled_from([True] * 5 + [False]))
    asked = draw(windows(at, wishes.quiet.zone))
    said = draw(what_was_said(appointments, asked, at))
    begun = draw(st.sampled_from([(), (), begun_at(at, wishes.quiet.zone)]))
    return Facts(active, wishes, appointments, (placement,), changes, asked, said, begun=begun), at


def begun_at(at, zone):
    """A session that has begun today."""
    midnight = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return (Appointment(UUID(int=99), max(midnight.astimezone(UTC), at - timedelta(minutes=30)), zone, 1, at),)


def befores(at):
    """When something was to begin before it changed."""
    return st.one_of(st.none(), st.integers(1, 2 * 96).map(lambda quarters: at + timedelta(minutes=15 * quarters)))


ALL_KINDS = ("sessions", "changes", "check_ins")


def one_off(kind):
    return tuple(one for one in ALL_KINDS if one != kind)


@st.composite
def windows(draw, at, zone):
    """Up to three windows of check-ins that close within five days, some of them open already."""
    hours = [st.integers(-20, 90), st.sampled_from([2, 24, 72]), st.sampled_from([False] * 3 + [True])]
    found = []
    for number, (opens, lasts, answered) in enumerate(draw(st.lists(st.tuples(*hours), max_size=3))):
        opens_at = at + timedelta(hours=opens)
        closes_at = opens_at + timedelta(hours=lasts)
        if closes_at > at:
            opens_on, paused = opens_at.astimezone(zone).date(), draw(st.sampled_from([False] * 4 + [True]))
            found.append(Asked(f"instrument-{number}", opens_on, opens_at, closes_at, paused, answered))
    return tuple(found)


@st.composite
def what_was_said(draw, appointments, asked, at):
    """Up to two messages, about a session or a check-in of these or another one, each speaking for some of them; a
    digest speaks for all of its own."""
    about = [(one.session_id, one.revision) for one in appointments]
    sessions = st.builds(
        lambda session, lead: Key(*session, "appointment", lead),
        st.sampled_from([*about, (UUID(int=9), 1)]),
        st.sampled_from(["evening_before", "hours_2", "hours_24"]),
    )
    changes = st.builds(lambda session: Key(*session, "moved", ""), st.sampled_from([*about, (UUID(int=9), 1)]))
    checks = [Key(None, 1, "check_in", "", one.instrument, one.opens_on) for one in asked]
    keys = st.one_of(sessions, sessions, changes, st.sampled_from(checks or [Key(UUID(int=9), 1, "moved", "")]))
    times = st.integers(0, 100).map(lambda quarters: at - timedelta(minutes=15 * quarters))
    some = st.frozensets(st.sampled_from([*about, *(one.about for one in checks)]), max_size=2)
    digests = st.sampled_from([frozenset(), frozenset(), frozenset(about[:2])])
    silent = st.sampled_from([False, False, True])
    build = st.builds(
        lambda key, when, of, digest, quietly: Said(key, when, of | digest, digest, quietly and key.kind == "moved"),
        keys, times, some, digests, silent,
    )  # fmt: skip
    return tuple(draw(st.lists(build, max_size=2, unique_by=lambda one: one.key)))


any_quiet = quiet_hours(begins=tuple(range(24)), ends=tuple(range(24))).filter(
    lambda one: 0 < (one.end.hour - one.begin.hour) % 24 <= 19
)


def is_of(change, entry):
    return change.session_id == entry.key.session_id


def said(entries):
    return [one for one in entries if one.state == "planned"]


def heard(entries):
    return [one for one in said(entries) if not one.silent]


@holds
@given(situations(hours=any_quiet))
def test_only_changes_that_cannot_wait_are_silent(situation):
    facts, at = situation
    for one in merged_plan(facts, at=at):
        assert one.silent == (one.reason == "silent_change") or one.state == "held"
        night = facts.wishes.quiet.around(one.due_at)
        starts = [one.starts_at, *(change.before or one.starts_at for change in facts.changes if is_of(change, one))]
        assert not one.silent or (one.is_change and min(starts) <= night.end + timedelta(hours=4))


@holds
@given(situations(hours=any_quiet))
def test_nothing_is_said_in_quiet_hours(situation):
    facts, at = situation
    for one in heard(merged_plan(facts, at=at)):
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
    reasons = {"planned": PLANNED, "held": HELD}
    for one in merged_plan(facts, at=at):
        assert one.reason in reasons[one.state]
        assert (one.replaced_by is not None) == (one.reason in ("merged", "digest"))


PLANNED = {"on_time", "before_quiet_hours", "after_quiet_hours", "after_another", "silent_change"}
HELD = {
    "merged",
    "digest",
    "kind_off",
    "check_in_sent",
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
        speaking = {one.replaced_by or one.key for one in entries if one.key.about == last.key.about}
        to_come = speaking & {one.key for one in said(entries)}
        assert to_come or any(one.speaks_for(last.key) for one in facts.said)


@holds
@given(situations())
def test_saying_what_is_planned_leaves_the_rest_of_the_plan(situation):
    facts, at = situation
    planned = merged_plan(facts, at=at)
    if not said(planned):
        return
    now = min(said(planned), key=lambda one: one.due_at)
    covered = [one for one in planned if one.replaced_by == now.key]
    at = max(at, now.due_at)
    before = merged_plan(facts, at=at)
    of = frozenset(one.key.about for one in covered)
    digest = frozenset(one.key.about for one in covered if one.reason == "digest")
    own = {now.key.about} if digest and now.key.lead in DIGEST_LEADS else set()
    told = {now.key} | {one.key for one in covered if one.is_change}
    after = replace(
        facts,
        said=(*facts.said, Said(now.key, now.due_at, of, digest | own, now.silent)),
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

"""What is planned for whom, and why something is held back."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from api.reminders.merge import merged_plan
from api.reminders.plan import due
from api.reminders.situation import Asked, Change, Key, Placement, Said, Wishes
from tests.reminders.people import LONG_AGO, NEW_YORK, NIGHT, appointment, facts, local

MONDAY = local("2026-06-08T09:00")
GROUP = appointment("2026-06-10T18:00")


def planned(these, at=MONDAY):
    return [(one.key.lead or one.key.kind, one.due_at) for one in merged_plan(these, at=at) if one.state == "planned"]


def reasons(these, at=MONDAY):
    return {one.reason for one in merged_plan(these, at=at)}


def test_a_usual_session_is_said_the_evening_before_and_two_hours_before():
    assert planned(facts(GROUP)) == [
        ("evening_before", local("2026-06-09T18:00")),
        ("hours_2", local("2026-06-10T16:00")),
    ]


def test_the_first_session_of_an_enrollment_is_said_72_24_and_2_hours_before():
    first = facts(appointment("2026-06-12T18:00"), placements=(Placement(LONG_AGO, first_session_id=UUID(int=1)),))
    assert planned(first) == [
        ("hours_72", local("2026-06-09T18:00")),
        ("hours_24", local("2026-06-11T18:00")),
        ("hours_2", local("2026-06-12T16:00")),
    ]


def test_the_evening_before_is_the_sessions_evening_not_the_patients():
    chicago = ZoneInfo("America/Chicago")
    seen_from_afar = appointment("2026-06-10T18:00", zone=chicago)
    assert planned(facts(seen_from_afar))[0] == ("evening_before", local("2026-06-09T18:00", chicago))


def test_quiet_hours_are_the_patients_not_the_sessions():
    los_angeles = ZoneInfo("America/Los_Angeles")
    seen_from_afar = appointment("2026-06-10T18:00", zone=los_angeles)
    assert planned(facts(seen_from_afar))[0] == ("evening_before", local("2026-06-09T20:45"))


def test_a_morning_session_is_said_once_in_the_evening():
    entries = merged_plan(facts(appointment("2026-06-10T09:00")), at=MONDAY)
    said, held = sorted(entries, key=lambda one: one.state, reverse=True)
    assert (said.due_at, said.reason) == (local("2026-06-09T18:00"), "on_time")
    assert (held.due_at, held.reason) == (local("2026-06-09T20:45"), "merged")
    assert held.replaced_by == said.key


DAY = appointment("2026-06-10T11:00"), appointment("2026-06-10T18:00", number=2)
NO_DIGEST = Wishes(NIGHT, digest=False)


def test_a_day_of_two_sessions_is_said_once_the_evening_before():
    entries = merged_plan(facts(*DAY), at=MONDAY)
    (said,) = (one for one in entries if one.state == "planned")
    assert (said.key.lead, said.due_at) == ("evening_before", local("2026-06-09T18:00"))
    assert {(one.reason, one.replaced_by) for one in entries if one != said} == {("digest", said.key)}


def test_without_a_digest_two_sessions_of_one_day_share_only_their_evening():
    these = facts(*DAY, wishes=NO_DIGEST)
    assert [lead for lead, _ in planned(these)] == ["evening_before", "hours_2", "hours_2"]
    (held,) = (one for one in merged_plan(these, at=MONDAY) if one.state == "held")
    assert (held.key.session_id.int, held.reason, held.replaced_by.session_id.int) == (2, "merged", 1)


def test_a_day_on_which_one_session_is_left_is_said_as_usual():
    left, cancelled = DAY[0], replace(DAY[1], cancelled=True)
    assert [lead for lead, _ in planned(facts(left, cancelled))] == ["evening_before", "hours_2"]


def test_the_first_session_of_an_enrollment_keeps_its_own_reminders_on_a_day_of_two():
    these = facts(*DAY, placements=(Placement(LONG_AGO, first_session_id=UUID(int=1)),))
    assert [lead for lead, _ in planned(these, at=local("2026-06-05T09:00"))] == [
        *("hours_72", "hours_24", "evening_before", "hours_2", "hours_2")
    ]


def test_a_day_that_was_said_once_is_not_said_again():
    of = frozenset((one.session_id, one.revision) for one in DAY)
    said = Said(Key(DAY[0].session_id, 1, "appointment", "evening_before"), local("2026-06-09T18:00"), of, of)
    assert planned(facts(*DAY, said=(said,)), at=local("2026-06-09T18:05")) == []


def test_what_came_too_late_for_the_day_is_said_as_usual():
    late = replace(DAY[1], known_at=local("2026-06-09T19:00"))
    of = frozenset({(DAY[0].session_id, 1)})
    said = Said(Key(DAY[0].session_id, 1, "appointment", "evening_before"), local("2026-06-09T18:00"))
    assert ("hours_2", local("2026-06-10T16:00")) in planned(
        facts(DAY[0], late, said=(replace(said, of=of, digest=of),)), at=local("2026-06-09T19:00")
    )


@pytest.mark.parametrize(
    ("about", "other", "reason"),
    [
        pytest.param({"cancelled": True}, {}, "session_cancelled", id="the session is cancelled"),
        pytest.param({"attending": False}, {}, "not_attending", id="the patient is not attending"),
        pytest.param({}, {"placements": ()}, "not_enrolled", id="the patient is not enrolled"),
        pytest.param(
            {}, {"placements": (Placement(LONG_AGO, ends_at=MONDAY),)}, "not_enrolled", id="the enrollment has ended"
        ),
        pytest.param(
            {}, {"placements": (Placement(LONG_AGO, paused=True),)}, "enrollment_paused", id="the enrollment is paused"
        ),
        pytest.param({}, {"account_active": False}, "account_not_active", id="the account is suspended"),
        pytest.param({}, {"wishes": Wishes(NIGHT, channels=())}, "no_channel", id="no channel is wanted"),
        pytest.param(
            {},
            {"wishes": Wishes(NIGHT, paused_until=local("2026-06-11T09:00"))},
            "paused_by_patient",
            id="the patient wants a pause",
        ),
    ],
)
def test_nothing_is_planned_when(about, other, reason):
    entries = merged_plan(facts(replace(GROUP, **about), **other), at=MONDAY)
    assert {(one.state, one.reason) for one in entries} == {("held", reason)}


def test_a_pause_holds_back_only_what_falls_into_it():
    wishes = Wishes(NIGHT, paused_until=local("2026-06-10T09:00"))
    assert planned(facts(GROUP, wishes=wishes)) == [("hours_2", local("2026-06-10T16:00"))]


def test_what_is_already_past_is_held_back():
    late = merged_plan(facts(GROUP), at=local("2026-06-09T18:15"))
    assert [(one.key.lead, one.state, one.reason) for one in late] == [
        ("evening_before", "held", "past"),
        ("hours_2", "planned", "on_time"),
    ]


def test_what_was_due_a_moment_ago_is_still_said():
    assert len(planned(facts(GROUP), at=local("2026-06-09T18:14"))) == 2


def test_a_session_added_in_the_night_is_said_in_the_morning():
    added = appointment("2026-06-10T09:30", known_at=local("2026-06-09T22:00"))
    entries = merged_plan(facts(added), at=local("2026-06-09T22:00"))
    assert [(one.reason, one.due_at) for one in entries if one.state == "planned"] == [
        ("after_quiet_hours", local("2026-06-10T08:00"))
    ]


def test_an_early_session_added_in_the_night_leaves_no_time_to_say_it():
    added = appointment("2026-06-10T08:00", known_at=local("2026-06-09T22:00"))
    assert reasons(facts(added), at=local("2026-06-09T22:00")) == {"past", "quiet_hours"}


def test_a_move_is_said_soon_and_once():
    moved = replace(GROUP, revision=2)
    change = Change(GROUP.session_id, 2, "moved", MONDAY)
    assert planned(facts(moved, changes=(change,)))[0] == ("moved", MONDAY + timedelta(minutes=2))


def test_a_change_about_an_older_revision_is_no_news():
    change = Change(GROUP.session_id, 2, "moved", MONDAY)
    assert "moved" not in dict(planned(facts(replace(GROUP, revision=3), changes=(change,))))


def test_a_cancellation_is_said_and_nothing_else_of_the_session():
    cancelled = replace(GROUP, revision=2, cancelled=True)
    change = Change(GROUP.session_id, 2, "cancelled", MONDAY)
    assert [lead for lead, _ in planned(facts(cancelled, changes=(change,)))] == ["cancelled"]


def test_a_cancellation_that_was_taken_back_is_not_said():
    change = Change(GROUP.session_id, 1, "cancelled", MONDAY)
    assert "cancelled" not in dict(planned(facts(GROUP, changes=(change,))))


def test_a_change_made_in_the_night_is_said_in_the_morning():
    at = local("2026-06-09T23:00")
    change = Change(GROUP.session_id, 1, "moved", at)
    assert ("moved", local("2026-06-10T08:00")) in planned(facts(GROUP, changes=(change,)), at=at)


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        ("2026-06-10T11:59", ("silent_change", "2026-06-09T23:02", True)),
        ("2026-06-10T12:00", ("silent_change", "2026-06-09T23:02", True)),
        ("2026-06-10T12:01", ("after_quiet_hours", "2026-06-10T08:00", False)),
        ("2026-06-10T07:00", ("silent_change", "2026-06-09T23:02", True)),
    ],
)
def test_a_change_in_the_night_comes_without_a_sound_when_morning_is_too_late(starts, expected):
    at = local("2026-06-09T23:00")
    soon = appointment(starts, revision=2, known_at=at)
    entries = merged_plan(facts(soon, changes=(Change(soon.session_id, 2, "moved", at),)), at=at)
    (moved,) = (one for one in entries if one.is_change)
    reason, due_at, silent = expected
    assert (moved.state, moved.reason, moved.due_at, moved.silent) == ("planned", reason, local(due_at), silent)


@pytest.mark.parametrize(
    ("before", "expected"),
    [("2026-06-10T12:00", ("silent_change", True)), ("2026-06-10T12:01", ("after_quiet_hours", False))],
)
def test_what_was_to_begin_in_the_morning_cannot_wait_for_it_though_it_begins_later_now(before, expected):
    at = local("2026-06-09T23:00")
    later = appointment("2026-06-17T18:00", revision=2, known_at=at)
    change = Change(later.session_id, 2, "moved", at, local(before))
    (moved,) = (one for one in merged_plan(facts(later, changes=(change,)), at=at) if one.is_change)
    assert (moved.reason, moved.silent) == expected


def test_without_push_nothing_can_come_without_a_sound():
    at = local("2026-06-09T23:00")
    soon = appointment("2026-06-10T11:00", revision=2, known_at=at)
    these = facts(soon, changes=(Change(soon.session_id, 2, "moved", at),), wishes=Wishes(NIGHT, channels=("sms",)))
    assert ("moved", local("2026-06-10T08:00")) in planned(these, at=at)


def test_no_reminder_gives_way_to_what_came_without_a_sound():
    said = Said(Key(GROUP.session_id, 1, "moved", ""), local("2026-06-10T06:30"), silent=True)
    soon = appointment("2026-06-10T10:00")
    these = facts(soon, said=(said,), wishes=Wishes(NIGHT, leads=("hours_2",)))
    assert planned(these, at=local("2026-06-09T06:30")) == [("hours_2", local("2026-06-10T08:00"))]


def asked(day, opens="05:00", hours=24, **other):
    opens_at = local(f"{day}T{opens}")
    return Asked("daily", date.fromisoformat(day), opens_at, opens_at + timedelta(hours=hours), **other)


@pytest.mark.parametrize(
    ("window", "due_at", "reason"),
    [
        pytest.param(asked("2026-06-09"), "2026-06-09T18:00", "on_time", id="in the evening of its day"),
        pytest.param(asked("2026-06-09", hours=9), "2026-06-09T08:00", "after_quiet_hours", id="closes before"),
        pytest.param(asked("2026-06-09", "19:00"), "2026-06-09T19:00", "on_time", id="opens after"),
        pytest.param(asked("2026-06-09", "22:00"), "2026-06-10T08:00", "after_quiet_hours", id="opens at night"),
    ],
)
def test_a_check_in_is_said_once_in_its_window(window, due_at, reason):
    (one,) = merged_plan(facts(check_ins=(window,)), at=MONDAY)
    assert (one.state, one.due_at, one.reason) == ("planned", local(due_at), reason)


@pytest.mark.parametrize(
    ("window", "wishes", "reason"),
    [
        (asked("2026-06-09", answered=True), Wishes(NIGHT), "check_in_sent"),
        (asked("2026-06-09", paused=True), Wishes(NIGHT), "enrollment_paused"),
        (asked("2026-06-09"), Wishes(NIGHT, kinds=("sessions", "changes")), "kind_off"),
        (asked("2026-06-09"), Wishes(NIGHT, channels=()), "no_channel"),
    ],
)
def test_a_check_in_is_held_back_when(window, wishes, reason):
    (one,) = merged_plan(facts(check_ins=(window,), wishes=wishes), at=MONDAY)
    assert (one.state, one.reason) == ("held", reason)


def test_a_check_in_gives_way_to_a_reminder_near_it_also_to_a_later_one():
    late = appointment("2026-06-09T21:30")
    entries = merged_plan(
        facts(late, check_ins=(asked("2026-06-09"),), wishes=Wishes(NIGHT, leads=("hours_2",))), at=MONDAY
    )
    assert [(one.key.kind, one.state) for one in entries] == [("appointment", "planned"), ("check_in", "held")]
    assert entries[1].replaced_by == entries[0].key


def test_what_comes_before_a_check_in_opens_does_not_speak_for_it():
    window = asked("2026-06-09", "17:30")
    entries = merged_plan(facts(GROUP, check_ins=(window,), wishes=Wishes(NIGHT, leads=("hours_24",))), at=MONDAY)
    soon = merged_plan(
        facts(appointment("2026-06-10T17:00"), check_ins=(window,), wishes=Wishes(NIGHT, leads=("hours_24",))),
        at=MONDAY,
    )
    assert entries[-1].reason == "merged"
    assert (soon[-1].reason, soon[-1].due_at) == ("after_another", local("2026-06-10T08:00"))


def test_no_reminder_gives_way_to_a_check_in():
    said = Said(Key(None, 1, "check_in", "", "daily", date(2026, 6, 9)), local("2026-06-09T17:30"))
    assert ("evening_before", local("2026-06-09T18:00")) in planned(
        facts(GROUP, said=(said,)), at=local("2026-06-09T17:30")
    )


@pytest.mark.parametrize("off", ["sessions", "changes"])
def test_a_kind_that_is_off_is_held_back(off):
    kinds = tuple(one for one in ("sessions", "changes", "check_ins") if one != off)
    change = Change(GROUP.session_id, 1, "moved", MONDAY)
    entries = merged_plan(facts(GROUP, changes=(change,), wishes=Wishes(NIGHT, kinds=kinds)), at=MONDAY)
    held = {"changes" if one.is_change else "sessions" for one in entries if one.reason == "kind_off"}
    assert held == {off}


def test_changes_made_together_are_said_as_one():
    days = [appointment(f"2026-06-{day}T18:00", number=day) for day in (10, 11, 12)]
    changes = tuple(Change(one.session_id, 1, "moved", MONDAY) for one in days)
    assert [lead for lead, _ in planned(facts(*days, changes=changes))].count("moved") == 1


def test_a_reminder_near_a_change_gives_way_to_it():
    at = local("2026-06-09T17:00")
    entries = merged_plan(facts(GROUP, changes=(Change(GROUP.session_id, 1, "moved", at),)), at=at)
    (evening,) = (one for one in entries if one.key.lead == "evening_before")
    assert (evening.reason, evening.replaced_by.kind) == ("merged", "moved")


def test_a_reminder_does_not_give_way_to_a_change_after_its_own_session():
    at = local("2026-06-10T17:59")
    change = Change(UUID(int=2), 1, "moved", at)
    soon = replace(GROUP, starts_at=local("2026-06-10T18:00"), known_at=at)
    wishes = Wishes(NIGHT, leads=("hours_2",))
    entries = merged_plan(
        facts(soon, appointment("2026-06-12T18:00", number=2), changes=(change,), wishes=wishes), at=at
    )
    assert "merged" not in {one.reason for one in entries}


def test_a_reminder_gives_way_to_what_was_just_said_for_it_too():
    of = frozenset({(GROUP.session_id, GROUP.revision)})
    said = Said(Key(UUID(int=9), 1, "moved", ""), local("2026-06-09T16:30"), of)
    entries = merged_plan(facts(GROUP, said=(said,)), at=local("2026-06-09T16:30"))
    (evening,) = (one for one in entries if one.key.lead == "evening_before")
    assert (evening.state, evening.replaced_by) == ("held", said.key)


@pytest.mark.parametrize(
    ("starts", "just_said", "expected"),
    [
        pytest.param("2026-06-10T18:00", "2026-06-10T15:30", "2026-06-10T17:31", id="two hours after the other"),
        pytest.param("2026-06-10T09:00", "2026-06-09T18:00", "2026-06-10T08:00", id="not twice in one evening"),
        pytest.param(
            "2026-06-10T18:00", "2026-06-10T16:10", "2026-06-10T16:00", id="before its start there is no time"
        ),
        pytest.param("2026-06-10T08:00", "2026-06-09T18:00", "2026-06-09T20:45", id="before its start it is quiet"),
    ],
)
def test_a_reminder_moves_away_from_what_was_said_without_it(starts, just_said, expected):
    about = appointment(starts)
    said = Said(Key(UUID(int=9), 1, "appointment", "hours_2"), local(just_said))
    these = facts(about, said=(said,), wishes=Wishes(NIGHT, leads=("hours_2",)))
    (entry,) = merged_plan(these, at=local(just_said))
    assert (entry.state, entry.due_at) == ("planned", local(expected))
    assert merged_plan(these, at=entry.due_at) == [entry]


def test_what_moved_away_becomes_one_with_what_it_then_comes_close_to():
    said = Said(Key(UUID(int=9), 1, "appointment", "hours_2"), local("2026-06-10T15:30"))
    days = appointment("2026-06-10T18:00"), appointment("2026-06-10T20:00", number=2)
    entries = merged_plan(
        facts(*days, said=(said,), wishes=Wishes(NIGHT, leads=("hours_2",))), at=local("2026-06-10T15:40")
    )
    assert [(one.state, one.due_at) for one in entries] == [
        ("planned", local("2026-06-10T17:31")),
        ("held", local("2026-06-10T18:00")),
    ]


def test_what_was_past_when_it_became_known_stays_past():
    added = appointment("2026-06-10T18:00", known_at=local("2026-06-09T18:30"))
    said = Said(Key(UUID(int=9), 1, "appointment", "evening_before"), local("2026-06-09T18:00"))
    entries = merged_plan(facts(added, said=(said,)), at=local("2026-06-09T18:30"))
    assert [(one.key.lead, one.state) for one in entries] == [("evening_before", "held"), ("hours_2", "planned")]


def test_what_was_given_up_is_not_planned_again_and_replaces_nothing():
    day = facts(appointment("2026-06-10T18:00"), appointment("2026-06-10T19:00", number=2))
    (first, *_) = merged_plan(day, at=MONDAY)
    after = merged_plan(replace(day, given_up=frozenset({first.key})), at=MONDAY)
    assert first.key not in {one.key for one in after} | {one.replaced_by for one in after}


def test_a_change_does_not_give_way_to_what_was_just_said():
    said = Said(Key(UUID(int=9), 1, "appointment", "hours_2"), local("2026-06-09T16:30"))
    change = Change(GROUP.session_id, 1, "moved", local("2026-06-09T16:35"))
    entries = facts(GROUP, said=(said,), changes=(change,))
    assert "moved" in dict(planned(entries, at=local("2026-06-09T16:35")))


@pytest.mark.parametrize(
    ("lead", "starts", "expected"),
    [
        pytest.param("hours_24", "2027-03-15T02:30", "2027-03-14T03:30", id="a time that does not exist moves forward"),
        pytest.param("hours_24", "2026-11-02T01:30", "2026-11-01T01:30", id="a time that comes twice is the first"),
        pytest.param("hours_24", "2027-03-14T18:00", "2027-03-13T18:00", id="a day is a day on the wall"),
        pytest.param("hours_2", "2027-03-14T03:30", "2027-03-14T00:30", id="two hours are two hours"),
        pytest.param("evening_before", "2026-11-01T09:00", "2026-10-31T18:00", id="the evening before the change"),
    ],
)
def test_leads_hold_across_a_change_of_clocks(lead, starts, expected):
    assert due(lead, local(starts), NEW_YORK) == local(expected)

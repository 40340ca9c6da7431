"""The plan as rows, rewritten in the transaction of whatever changes it."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
import sqlalchemy as sa

from api import db, events
from api.enrollments.events import PreviewableChange
from api.enrollments.models import Enrollment
from api.messages.gateway import Address
from api.patients import service as patients
from api.patients import versions
from api.reminders import collapsing, hearing, preferences
from api.sessions import replies
from api.sessions.events import MembershipEnded
from api.sessions.models import Attendance
from tests.reminders.people import local
from tests.statements import watched

MONDAY = local("2026-06-08T09:00")
WEDNESDAY = "2026-06-10T18:00"


@pytest.fixture
def group(patient, enroll, book):
    """A session on Wednesday evening, planned on Monday."""
    enroll(patient.id)
    return book([patient.id], WEDNESDAY)


def told(rows):
    return [(row.lead or row.kind, row.state, row.reason) for row in rows]


def reasons(rows):
    return {(row.state, row.reason) for row in rows}


def test_a_session_is_planned_when_it_is_scheduled(patient, group, rows):
    assert told(rows(patient.id)) == [("evening_before", "planned", "on_time"), ("hours_2", "planned", "on_time")]
    assert [row.due_at for row in rows(patient.id)] == [local("2026-06-09T18:00"), local("2026-06-10T16:00")]


def test_the_first_session_of_an_enrollment_is_planned_with_three_leads(patient, enroll, book, rows):
    enroll(patient.id, first_is_over=False)
    book([patient.id], "2026-06-12T18:00")
    assert [row.lead for row in rows(patient.id)] == ["hours_72", "hours_24", "hours_2"]


def test_an_earlier_session_takes_over_as_the_first(patient, enroll, book, rows):
    enroll(patient.id, first_is_over=False)
    later = book([patient.id], "2026-06-12T18:00")
    book([patient.id], "2026-06-11T12:00")
    of_later = {row.lead: (row.state, row.reason) for row in rows(patient.id, session_id=later)}
    assert of_later["hours_72"] == ("held", "not_wanted")
    assert of_later["evening_before"][0] == "planned"


def test_two_of_one_day_become_one_row_that_the_other_names(patient, group, book, rows):
    other = book([patient.id], "2026-06-10T13:00")
    kept = rows(patient.id, session_id=other, lead="evening_before")[0]
    held = rows(patient.id, session_id=group, lead="evening_before")[0]
    assert (kept.state, held.state, held.reason, held.replaced_by) == ("planned", "held", "digest", kept.id)


def test_a_move_is_said_and_its_old_self_is_not(patient, group, change, rows):
    change(group, starts="2026-06-11T18:00", now="2026-06-08T10:00")
    old, new = rows(patient.id, revision=1), rows(patient.id, revision=2)
    assert reasons(old) == {("held", "session_changed")}
    assert told(new) == [
        ("moved", "planned", "on_time"),
        ("evening_before", "planned", "on_time"),
        ("hours_2", "planned", "on_time"),
    ]
    assert {row.replaced_by for row in old} == {new[0].id}
    assert new[0].due_at == local("2026-06-08T10:02")


def test_two_moves_before_anything_was_said_are_said_once(patient, group, change, rows):
    change(group, starts="2026-06-11T18:00", now="2026-06-08T10:00")
    change(group, starts="2026-06-12T18:00", now="2026-06-08T10:01")
    moved = rows(patient.id, kind="moved")
    assert [(row.revision, row.state) for row in moved] == [(2, "held"), (3, "planned")]
    assert moved[0].replaced_by == moved[1].id


def test_a_cancellation_is_said_and_nothing_else(patient, group, change, rows):
    change(group, starts=WEDNESDAY, status="cancelled", now="2026-06-08T10:00")
    assert told(rows(patient.id)) == [
        ("cancelled", "planned", "on_time"),
        ("evening_before", "held", "session_cancelled"),
        ("hours_2", "held", "session_cancelled"),
    ]


def test_a_cancellation_taken_back_before_it_was_said_is_not_said(patient, group, change, rows):
    change(group, starts=WEDNESDAY, status="cancelled", now="2026-06-08T10:00")
    change(group, starts=WEDNESDAY, now="2026-06-08T10:01")
    assert [row.state for row in rows(patient.id, kind="cancelled")] == ["held"]
    assert rows(patient.id, kind="restored") == []
    assert {row.state for row in rows(patient.id, revision=3)} == {"planned"}


def test_a_cancellation_taken_back_after_it_was_said_is_said_too(patient, group, change, tick, rows):
    change(group, starts=WEDNESDAY, status="cancelled", now="2026-06-08T10:00")
    tick("2026-06-08T10:03")
    change(group, starts=WEDNESDAY, now="2026-06-08T10:30")
    assert [row.state for row in rows(patient.id, kind="restored")] == ["planned"]


def test_not_attending_holds_back_and_attending_plans_again(patient, group, travel, rows):
    def reply(answer, now):
        with db.transaction(db.Caller(kind="patient", patient_id=patient.id)):
            replies.reply(
                patient_id=patient.id,
                session_id=group,
                answer=answer,
                starts_at=local(WEDNESDAY),
                at=travel(local(now)),
            )

    reply("not_attending", "2026-06-08T10:00")
    assert reasons(rows(patient.id)) == {("held", "not_attending")}
    reply("attending", "2026-06-09T20:00")
    assert told(rows(patient.id)) == [("evening_before", "held", "not_attending"), ("hours_2", "planned", "on_time")]


def test_leaving_a_group_holds_back_what_was_planned(patient, group, owner_sql, travel, rows):
    with db.transaction(db.SYSTEM) as session:
        versions.touch([patient.id])
        session.execute(sa.update(Attendance).where(Attendance.session_id == group).values(status="released"))
        events.announce(MembershipEnded((patient.id,), (group,), MONDAY))
    assert reasons(rows(patient.id)) == {("held", "not_in_session")}


@pytest.mark.parametrize("status", ["suspended", "deceased", "merged"])
def test_an_account_that_is_not_active_has_no_reminders(patient, group, status, rows):
    with db.transaction(db.SYSTEM):
        patients.set_status(patient_id=patient.id, status=status, at=MONDAY)
    assert {row.state for row in rows(patient.id)} == {"held"}


def test_an_account_that_is_active_again_has_reminders_again(patient, group, rows):
    for status in ("suspended", "active"):
        with db.transaction(db.SYSTEM):
            patients.set_status(patient_id=patient.id, status=status, at=MONDAY)
    assert {row.state for row in rows(patient.id)} == {"planned"}


@pytest.mark.parametrize(
    ("status", "ended_at", "reason"), [("paused", None, "enrollment_paused"), ("ended", MONDAY, "not_enrolled")]
)
def test_a_pause_or_a_discharge_ends_reminders(patient, group, rewrite, rows, status, ended_at, reason):
    with db.transaction(db.SYSTEM) as session:
        session.execute(sa.update(Enrollment).values(status=status, ended_at=ended_at))
    rewrite(patient.id, at=MONDAY)
    assert reasons(rows(patient.id)) == {("held", reason)}


def test_a_new_zone_moves_quiet_hours_with_it(patient, enroll, book, rows, monday):
    enroll(patient.id)
    book([patient.id], "2026-06-10T12:00")
    with db.transaction(db.Caller(kind="patient", patient_id=patient.id)):
        patients.set_preferences(
            patient_id=patient.id, choices={"time_zone": "America/Los_Angeles"}, expected=None, at=monday
        )
    two_hours = rows(patient.id, lead="hours_2")[0]
    assert (two_hours.due_at, two_hours.reason) == (
        local("2026-06-09T20:45", ZoneInfo("America/Los_Angeles")),
        "before_quiet_hours",
    )


def test_new_quiet_hours_leave_nothing_planned_in_them(patient, enroll, book, rows, travel):
    enroll(patient.id)
    book([patient.id], "2026-06-10T09:30")
    choose(patient.id, {"quiet_to": "07:00"}, at=travel(local("2026-06-08T10:00")))
    assert told(rows(patient.id))[1] == ("hours_2", "planned", "on_time")
    choose(patient.id, {}, at=travel(local("2026-06-10T06:00")))
    assert told(rows(patient.id, lead="hours_2")) == [("hours_2", "held", "past")]


def choose(patient_id, choices, *, at):
    with db.transaction(db.Caller(kind="patient", patient_id=patient_id)):
        preferences.choose(patient_id=patient_id, choices=choices, expected=None, at=at)


def test_rewriting_without_a_change_writes_nothing(patient, group, rewrite, rows, owner_sql):
    before = owner_sql("SELECT count(*), max(at) FROM reminder_states")
    rewrite(patient.id, at=MONDAY + timedelta(hours=1))
    assert owner_sql("SELECT count(*), max(at) FROM reminder_states") == before


def test_history_keeps_every_state(patient, group, change, owner_sql):
    change(group, starts="2026-06-11T18:00", now="2026-06-08T10:00")
    history = owner_sql(
        "SELECT s.state, s.reason FROM reminder_states s JOIN reminders r ON r.id = s.reminder_id"
        " WHERE r.revision = 1 AND r.lead = 'hours_2' ORDER BY s.at"
    )
    assert history == [("planned", "on_time"), ("held", "session_changed")]


@pytest.mark.parametrize(
    "wrong", ["UPDATE reminder_states SET reason = 'past'", "DELETE FROM reminder_states", "TRUNCATE reminder_states"]
)
def test_history_is_changed_by_nobody(group, owner_sql, wrong):
    with pytest.raises(psycopg.errors.RaiseException, match="only grows"):
        owner_sql(wrong)
    assert owner_sql("SELECT count(*) FROM reminder_states WHERE reason = 'on_time'") == [(2,)]


@pytest.mark.parametrize("left", ["1 minute", "-1 minute"], ids=["still working", "perhaps dead"])
def test_a_row_in_a_workers_hands_is_left_alone(patient, group, change, owner_sql, rows, left):
    owner_sql(
        "UPDATE reminders SET lease = gen_random_uuid(), leased_until = now() + %s WHERE lead = 'evening_before'", left
    )
    change(group, starts="2026-06-11T18:00", now="2026-06-08T10:00")
    assert [row.state for row in rows(patient.id, revision=1)] == ["planned", "held"]


def test_the_patients_version_is_on_what_was_written(patient, group, rows, owner_sql):
    version = owner_sql("SELECT version FROM patient_versions WHERE patient_id = %s", patient.id)[0][0]
    assert {row.version for row in rows(patient.id)} == {version}


def test_a_group_of_thirty_is_rewritten_in_a_few_statements(new_patient, enroll, book, change, rows):
    members = [new_patient().id for _ in range(30)]
    for member in members:
        enroll(member)
    session_id = book(members, WEDNESDAY)
    with watched() as seen:
        change(session_id, starts="2026-06-11T18:00", now="2026-06-08T10:00")
    assert len(seen) < 25
    assert all(len(rows(member, revision=2)) == 3 for member in members)


def test_whoever_previews_is_told_each_change(patient, group, change):
    with events.recorded() as heard:
        change(group, starts=WEDNESDAY, status="cancelled", now="2026-06-08T10:00")
    told = [(one.action, one.what) for one in heard if isinstance(one, PreviewableChange)]
    assert told == [("added", "cancelled"), ("held", "evening_before"), ("held", "hours_2")]


def test_every_fact_that_changes_a_plan_is_heard():
    heard = {kind.__name__ for kind, _ in hearing.SUBSCRIPTIONS}
    assert heard == {
        *("SessionScheduled", "SessionMoved", "SessionCancelled", "SessionRestored", "MembershipEnded", "ReplyGiven"),
        *("EnrollmentStarted", "EnrollmentEnded", "EnrollmentPaused", "EnrollmentResumed"),
        *("PatientStatusChanged", "PreferencesChanged", "CheckInSwitched", "SchedulesChanged"),
    }


def test_a_moved_session_keeps_its_collapse_ids(patient, group, change, rows):
    change(group, starts="2026-06-11T18:00", now="2026-06-08T10:00")
    before, after = ({row.lead: collapsing.of(row) for row in rows(patient.id, revision=n)} for n in (1, 2))
    assert {lead: after[lead] for lead in before} == before
    assert len(set(after.values())) == 3


def test_collapse_ids_tell_nothing_and_differ_between_patients(patient, other_patient, enroll, book, rows):
    enroll(patient.id), enroll(other_patient.id)
    book([patient.id, other_patient.id], WEDNESDAY)
    ids = [collapsing.of(row) for one in (patient, other_patient) for row in rows(one.id)]
    assert len(set(ids)) == len(ids) == 4
    assert all(len(one.encode()) <= 64 for one in ids)


def test_a_change_at_night_of_a_session_soon_after_is_planned_without_a_sound(patient, enroll, book, change, rows):
    enroll(patient.id)
    early = book([patient.id], "2026-06-10T09:00")
    change(early, starts="2026-06-10T10:00", now="2026-06-09T23:00")
    (moved,) = rows(patient.id, kind="moved")
    assert (moved.state, moved.reason, moved.silent) == ("planned", "silent_change", True)
    assert moved.due_at == local("2026-06-09T23:02")


def test_a_change_at_night_of_what_was_to_begin_soon_after_is_said_before_its_old_time(
    patient, enroll, book, change, rows, tick, sent
):
    enroll(patient.id)
    early = book([patient.id], "2026-06-10T07:30")
    change(early, starts="2026-06-17T18:00", now="2026-06-09T23:00")
    (moved,) = rows(patient.id, kind="moved")
    assert (moved.state, moved.reason) == ("planned", "silent_change")
    tick("2026-06-09T23:02")
    assert [(one.kind, one.silent) for one in sent.attempts] == [("moved", True)]


def test_each_phone_is_spoken_to_in_its_own_language(patient, group, tick, sent):
    tick("2026-06-09T18:00")
    (message,) = sent.attempts
    at = (db.uuid7(), "push", "fcm", "a-token", local("2026-06-09T18:00"))
    spoken = [message.for_reader_at(Address(*at, details)) for details in ({"language": "es"}, {"language": "en"}, {})]
    assert [(one.language, one.text.split()[0]) for one in spoken] == [("es", "Tiene"), ("en", "You"), ("en", "You")]


@pytest.mark.parametrize(
    ("starts", "moved_to", "now", "calls"),
    [
        pytest.param("2026-06-10T07:00", "2026-06-10T07:30", "2026-06-09T23:00", 1, id="quiet until it begins"),
        pytest.param("2026-06-10T07:30", "2026-06-17T18:00", "2026-06-09T23:00", 1, id="quiet until it was to begin"),
        pytest.param("2026-06-10T15:00", "2026-06-10T18:00", "2026-06-10T14:59", 1, id="it was to begin at once"),
        pytest.param("2026-06-10T15:00", "2026-06-10T18:00", "2026-06-10T10:00", 0, id="there is time"),
        pytest.param("2026-06-10T15:00", "2026-06-10T18:00", "2026-06-09T23:00", 0, id="there is time after the night"),
    ],
)
def test_a_change_that_cannot_be_said_in_time_is_a_call_for_staff(
    patient, enroll, book, change, wish_texts, owner_sql, starts, moved_to, now, calls
):
    enroll(patient.id)
    change(book([patient.id], starts), starts=moved_to, now=now)
    found = owner_sql("SELECT count(*) FROM tasks WHERE cause = 'undeliverable_messages' AND status = 'open'")
    assert found == [(calls,)]


@pytest.fixture
def wish_texts(patient, owner_sql):
    """Nothing reaches the patient without a sound."""
    owner_sql(
        "INSERT INTO reminder_preferences (patient_id, channels, leads, first_leads, quiet_begin, quiet_end,"
        " changed_at, preferences_version, version) VALUES (%s, '{sms}', '{evening_before,hours_2}', '{hours_24}',"
        " '21:00', '08:00', now(), 1, 1)",
        patient.id,
    )


def test_a_silent_change_goes_by_push_alone(patient, enroll, book, change, tick, sent):
    enroll(patient.id)
    early = book([patient.id], "2026-06-10T09:00")
    change(early, starts="2026-06-10T10:00", now="2026-06-09T23:00")
    tick("2026-06-09T23:02")
    (message,) = sent.attempts
    assert (message.silent, message.channels, message.kind) == (True, ("push",), "moved")

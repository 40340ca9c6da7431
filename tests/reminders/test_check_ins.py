"""Reminders of check-ins: a week ahead, in the evening of each day, until the check-in is sent."""

from datetime import date, timedelta
from uuid import UUID

import pytest

from api import db, queue
from api.checkins import review, settings
from api.reminders import ahead, ledger
from schemas.reminders import RemindersAnswer
from tests.reminders.people import local

DAILY = {"instrument": "daily", "instrument_version": "1", "answers": [{"item": "craving", "number": 3}]}
TUESDAY = "2026-06-09"


@pytest.fixture
def asked(enroll, patient, monday, rewrite):
    """The patient's level of care asks the daily check-in from five in the morning, and a longer one every 14 days."""
    enroll(patient.id)
    rewrite(patient.id, at=monday)


def of_daily(rows, patient, **having):
    return rows(patient.id, subject="check_in", instrument="daily", **having)


def send(patient, at, **different):
    when = local(at).isoformat()
    body = {**DAILY, "id": str(db.uuid7()), "occurred_at": when, "sent_at": when, **different}
    answer = patient.post("/v1/me/check-ins", json=body)
    assert answer.status_code == 201, answer.json
    return answer.json


def at_seven():
    """The clinic asks the daily check-in from seven in the evening on."""
    seven = {"program_slug": "iop", "every_days": 1, "opens_local": "19:00", "overdue_after_hours": 1}
    with db.transaction(db.SYSTEM):
        settings.set_settings(
            instrument="daily", task_over_total=None, schedules=[{**seven, "closes_after_hours": 20}], expected=None
        )


def test_a_week_of_check_ins_is_planned_for_their_evenings(patient, asked, rows):
    planned = of_daily(rows, patient, state="planned")
    assert [row.due_at for row in planned] == [local(f"2026-06-{day:02}T18:00") for day in range(8, 17)]
    assert [row.opens_on for row in planned] == [date(2026, 6, day) for day in range(8, 17)]
    assert (planned[0].opens_at, planned[0].starts_at) == (local("2026-06-08T05:00"), local("2026-06-09T05:00"))


def test_a_check_in_that_was_sent_is_not_reminded_of(patient, asked, rows, travel, tick, sent):
    travel(local("2026-06-08T12:00"))
    send(patient, "2026-06-08T12:00")
    row = of_daily(rows, patient)[0]
    assert (row.state, row.reason, row.changed_at) == ("held", "check_in_sent", local("2026-06-08T12:00"))
    assert tick("2026-06-08T18:00") == {}
    tick(f"{TUESDAY}T18:00")
    assert [message.kind for message in sent.attempts] == ["check_in"]


def test_a_partial_check_in_is_still_reminded_of(patient, asked, rows, travel):
    travel(local("2026-06-08T12:00"))
    send(patient, "2026-06-08T12:00", answers=[])
    assert of_daily(rows, patient)[0].state == "planned"


def test_yesterdays_check_in_sent_late_leaves_todays_reminder(patient, asked, rows, travel):
    travel(local(f"{TUESDAY}T06:00"))
    send(patient, "2026-06-08T23:00", sent_at=local(f"{TUESDAY}T06:00").isoformat())
    assert [row.reason for row in of_daily(rows, patient)[:2]] == ["check_in_sent", "on_time"]


def test_its_history_is_kept(patient, asked, rows, travel, owner_sql):
    travel(local("2026-06-08T12:00"))
    send(patient, "2026-06-08T12:00")
    row = of_daily(rows, patient)[0]
    told = owner_sql("SELECT state, reason FROM reminder_states WHERE reminder_id = %s ORDER BY at", row.id)
    assert told == [("planned", "on_time"), ("held", "check_in_sent")]


def test_what_a_check_in_spoke_for_is_said_by_itself_after_it(
    patient, asked, rows, owner_sql, travel, rewrite, tick, sent
):
    """Both are due at six; the one that speaks for both is answered, and the worker finds the other."""
    travel(local("2026-06-08T12:00"))
    owner_sql("UPDATE check_in_schedules SET every_days = 1, overdue_after_hours = 10, closes_after_hours = 24")
    rewrite(patient.id, at=local("2026-06-08T11:00"))
    both = {row.instrument: row for row in rows(patient.id, opens_on=date(2026, 6, 8))}
    assert both["phq-9"].replaced_by == both["daily"].id
    send(patient, "2026-06-08T12:00")
    tick("2026-06-08T18:00")
    tick("2026-06-08T18:00")
    assert [message.subject_id for message in sent.attempts] == [both["phq-9"].id]
    assert {row.instrument: row.state for row in rows(patient.id, opens_on=date(2026, 6, 8))} == {
        "daily": "held", "phq-9": "sent",
    }  # fmt: skip


def test_a_reminder_near_it_speaks_for_it(patient, asked, book, tick, sent, rows):
    book([patient.id], "2026-06-09T10:00")
    tick("2026-06-08T18:00")
    (message,) = sent.attempts
    assert message.text == "You have an appointment tomorrow at 10:00 AM. Something else waits in the app."
    row = of_daily(rows, patient)[0]
    assert (row.state, row.reason) == ("held", "merged")


def test_a_check_in_is_said_without_saying_what_it_is(patient, asked, tick, sent):
    tick("2026-06-08T18:00")
    (message,) = sent.attempts
    assert message.text == "Something in the app waits for your answer. It closes tomorrow at 5:00 AM."
    assert message.kind == "check_in"
    assert "daily" not in repr(message)


def test_days_that_come_into_sight_are_planned(patient, asked, rows, travel):
    before = len(of_daily(rows, patient))
    travel(local("2026-06-10T09:00"))
    ahead.run()
    assert len(of_daily(rows, patient)) == before + 2
    versions = {row.version for row in of_daily(rows, patient)}
    ahead.run()
    assert {row.version for row in of_daily(rows, patient)} == versions


def test_an_instrument_that_is_switched_off_is_not_reminded_of(patient, asked, rows, monday):
    with db.transaction(db.SYSTEM):
        review.switch(patient_id=patient.id, instrument="daily", offered=False, by="u-17", role="counselor", at=monday)
    assert {(row.state, row.reason) for row in of_daily(rows, patient)} == {("held", "not_wanted")}


def test_what_is_asked_no_more_is_not_reminded_of(patient, asked, rows):
    with db.transaction(db.SYSTEM):
        settings.set_settings(instrument="daily", task_over_total=None, schedules=[], expected=None)
    assert {(row.state, row.reason) for row in of_daily(rows, patient)} == {("held", "not_wanted")}


def test_other_times_of_a_check_in_are_planned_at_once(patient, asked, rows):
    at_seven()
    planned = of_daily(rows, patient, state="planned")[:3]
    assert [row.due_at for row in planned] == [local(f"2026-06-{day:02}T19:00") for day in (8, 9, 10)]


def test_a_window_that_only_opens_later_is_known_by_its_new_hour(patient, asked, rows, monkeypatch):
    six = {"program_slug": "iop", "every_days": 1, "opens_local": "06:00", "overdue_after_hours": 1}
    with db.transaction(db.SYSTEM):
        settings.set_settings(
            instrument="daily", task_over_total=None, schedules=[{**six, "closes_after_hours": 23}], expected=None
        )
    (row,) = of_daily(rows, patient, opens_on=date(2026, 6, 9))
    assert (row.opens_at, row.starts_at) == (local("2026-06-09T06:00"), local("2026-06-10T05:00"))
    planned = rewrites_of(monkeypatch)
    ahead.run()
    assert not any(planned)


@pytest.fixture
def jobs(superuser):
    """Runs the jobs that wait for plans, each with those that it leaves; gives how many there were."""
    superuser.execute("DELETE FROM jobs.procrastinate_jobs")

    def run():
        taken = superuser.execute(
            "DELETE FROM jobs.procrastinate_jobs WHERE task_name = %s AND status = 'todo' RETURNING args", [ahead.JOB]
        ).fetchall()
        for (args,) in taken:
            queue.jobs[ahead.JOB].function(**{name: UUID(said) for name, said in args.items()})
        return len(taken) + run() if taken else 0

    return run


@pytest.fixture
def five(new_patient, enroll, patient, asked, rewrite, monday):
    """Five patients who are asked, planned for by the hours as they were."""
    others = [new_patient().id for _ in range(4)]
    for one in others:
        enroll(one)
        rewrite(one, at=monday)
    return [patient.id, *others]


def evenings(rows, patient_ids):
    """When the first check-in of each is due."""
    return [rows(one, subject="check_in", instrument="daily", state="planned")[0].due_at for one in patient_ids]


@pytest.mark.parametrize(("most", "sizes"), [(1, [1, 1, 1, 1, 1]), (2, [2, 2, 1]), (4, [4, 1])])
def test_a_program_with_many_is_planned_anew_by_jobs_of_so_many_each(five, rows, jobs, monkeypatch, most, sizes):
    monkeypatch.setattr(ahead, "MOST", most)
    at_seven()
    assert evenings(rows, five) == [local("2026-06-08T18:00")] * 5
    planned = rewrites_of(monkeypatch)
    assert jobs() >= len(sizes)
    assert evenings(rows, five) == [local("2026-06-08T19:00")] * 5
    assert [len(one) for one in planned if one] == sizes


def nowhere(owner_sql, patient_id):
    """Nothing can be planned for the patient."""
    owner_sql("UPDATE patients SET time_zone = 'Nowhere/Ever' WHERE id = %s", patient_id)


@pytest.mark.parametrize("number", range(5))
def test_somebody_who_cannot_be_planned_for_keeps_nobody_else_from_it(
    five, rows, jobs, monkeypatch, owner_sql, capfdbinary, number
):
    monkeypatch.setattr(ahead, "MOST", 2)
    lost, *others = sorted(five, key=lambda one: one != sorted(five)[number])
    at_seven()
    nowhere(owner_sql, lost)
    jobs()
    assert evenings(rows, others) == [local("2026-06-08T19:00")] * 4
    assert evenings(rows, [lost]) == [local("2026-06-08T18:00")]
    assert str(lost).encode() in capfdbinary.readouterr().out


def test_as_the_days_pass_they_keep_nobody_from_it_either(five, rows, monkeypatch, owner_sql, travel):
    monkeypatch.setattr(ahead, "MOST", 2)
    before = len(rows(five[0], subject="check_in", instrument="daily"))
    nowhere(owner_sql, min(five))
    travel(local("2026-06-10T09:00"))
    ahead.run()
    found = {one: len(rows(one, subject="check_in", instrument="daily")) - before for one in five}
    assert found == {one: 0 if one == min(five) else 2 for one in five}


def test_what_a_job_that_failed_left_behind_is_planned_as_the_days_pass(five, rows, jobs, monkeypatch, superuser):
    monkeypatch.setattr(ahead, "MOST", 2)
    at_seven()
    superuser.execute("DELETE FROM jobs.procrastinate_jobs")
    ahead.run()
    assert evenings(rows, five) == [local("2026-06-08T19:00")] * 5
    planned = rewrites_of(monkeypatch)
    ahead.run()
    assert not any(planned)


def rewrites_of(monkeypatch):
    """Collects for whom each transaction plans."""
    planned, rewrite = [], ledger.rewrite

    def seen(*, patient_ids, **told):
        planned.append(list(patient_ids))
        rewrite(patient_ids=patient_ids, **told)

    monkeypatch.setattr(ledger, "rewrite", seen)
    return planned


def test_a_program_with_few_is_planned_anew_at_once(five, rows, jobs, monkeypatch):
    monkeypatch.setattr(ahead, "MOST", 5)
    at_seven()
    assert evenings(rows, five) == [local("2026-06-08T19:00")] * 5
    assert jobs() == 0


def test_meanwhile_nothing_is_said_that_is_asked_no_more(five, jobs, monkeypatch, tick, sent):
    monkeypatch.setattr(ahead, "MOST", 1)
    with db.transaction(db.SYSTEM):
        settings.set_settings(instrument="daily", task_over_total=None, schedules=[], expected=None)
    tick("2026-06-08T18:00")
    assert not sent.attempts


def test_a_paused_enrollment_asks_nothing(patient, asked, rows, owner_sql, rewrite, monday):
    owner_sql("UPDATE enrollments SET status = 'paused'")
    rewrite(patient.id, at=monday)
    assert {row.reason for row in rows(patient.id, subject="check_in")} == {"enrollment_paused"}


def test_a_discharge_ends_them(patient, asked, rows, owner_sql, rewrite, monday):
    owner_sql("UPDATE enrollments SET status = 'ended', ended_at = %s", monday - timedelta(minutes=1))
    rewrite(patient.id, at=monday)
    assert {row.reason for row in rows(patient.id, subject="check_in")} == {"not_enrolled"}


def test_on_a_journey_the_same_day_is_the_same_reminder_at_its_new_time(patient, asked, rows):
    chosen = patient.put("/v1/me/preferences", json={"time_zone": "America/Los_Angeles"}, if_match="*")
    assert chosen.status_code == 200
    evenings = [local(f"2026-06-{day:02}T21:00") for day in range(8, 17)]
    planned = of_daily(rows, patient, state="planned")
    assert [row.due_at for row in planned] == evenings
    assert {row.time_zone for row in planned} == {"America/Los_Angeles"}
    assert [row.opens_on for row in planned] == [date(2026, 6, day) for day in range(8, 17)]


def test_nothing_is_asked_twice_of_one_day_of_a_journey(patient, asked, tick, sent):
    tick("2026-06-08T18:00")
    patient.put("/v1/me/preferences", json={"time_zone": "America/Los_Angeles"}, if_match="*")
    tick("2026-06-08T21:00")
    assert [message.kind for message in sent.attempts] == ["check_in"]


def test_the_ledger_tells_what_an_app_may_show_by_itself(patient, asked):
    answer = patient.get("/v1/me/reminders?page_size=100")
    assert RemindersAnswer().validate(answer.json) == {}
    items = [one for one in answer.json["items"] if one.get("instrument") == "daily"]
    assert [one["may_show_locally"] for one in items] == [True] * 7 + [False] * 2
    assert all(len(one["collapse_id"]) == 32 and "session_id" not in one for one in items)
    assert len({one["collapse_id"] for one in items}) == len(items)

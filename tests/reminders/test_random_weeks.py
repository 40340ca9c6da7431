"""Weeks in which anything happens: whatever did, the ledger is the plan, and what was said was said rightly."""

import os
import random
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa

from api import db
from api.checkins import service as checkins
from api.messages.gateway import ACCEPTED, DEAD, REFUSED, RETRY, Outcome, Recording
from api.messages.post import Post
from api.patients import service as patients
from api.reminders import ahead, facts, preferences, worker
from api.reminders.merge import APART, merged_plan
from api.reminders.models import Reminder
from api.sessions import doubles, replies
from api.sessions import service as sessions
from api.sessions.doubles import DoubleBooked
from api.sessions.models import CareSession
from tests.reminders.people import NEW_YORK

STEPS = 40


@pytest.fixture
def asked(patient, enroll, rewrite, monday):
    """The patient is asked check-ins too."""
    enroll(patient.id)
    rewrite(patient.id, at=monday)


@pytest.mark.parametrize("seed", range(20, 20 + int(os.environ.get("FUZZ", "1"))))
def test_whatever_happens_the_ledger_is_the_plan(patient, asked, book, monday, travel, seed):
    week = Week(patient.id, random.Random(seed), book, monday)
    for _ in range(STEPS):
        week.pass_time(travel)
        week.do_something()
        week.check_ledger()
    week.check_what_was_said()
    week.let_everything_pass(travel)
    week.check_that_everything_ended()


@pytest.mark.parametrize("seed", range(60, 60 + int(os.environ.get("FUZZ", "1"))))
def test_whatever_becomes_of_phones_and_carriers_the_ledger_is_the_plan(
    patient, asked, book, monday, travel, leases_end, owner_sql, seed
):
    week = WeekOfPhones(patient.id, random.Random(seed), book, monday)
    week.superuser, week.leases_end = owner_sql, leases_end
    try:
        for _ in range(STEPS):
            week.pass_time(travel)
            week.do_something()
            week.check_ledger()
        week.check_what_was_said()
        week.let_everything_pass(travel)
        week.check_that_everything_ended()
    finally:
        week.post.close()


class Week:
    def __init__(self, patient_id, chance, book, at):
        self.patient_id, self.chance, self._book, self.at = patient_id, chance, book, at
        self.gateway = Recording()
        self.post = Post(house=self.gateway)

    def pass_time(self, travel):
        """The worker is there whenever something falls due, until the next thing happens."""
        until = self.at + timedelta(minutes=5 * self.chance.randrange(60))
        while (due := self._next_due()) is not None and due <= until:
            self.at = travel(max(due, self.at))
            self.work()
            self._check_what_was_just_said()
        self.at = travel(until)
        ahead.run()

    def work(self):
        assert worker.tick(at=self.at, post=self.post)

    def _check_what_was_just_said(self):
        """It is true at the moment, and it is not quiet now, or it makes no sound."""
        with db.transaction(db.WORKER) as session:
            known = facts.load([self.patient_id], at=self.at)[self.patient_id].facts
            sent = session.scalars(sa.select(Reminder).where(Reminder.sent_at == self.at)).all()
        appointments = {(one.session_id, one.revision): one for one in known.appointments}
        for row in sent:
            assert row.silent or known.wishes.quiet.around(self.at) is None
            if row.subject == "session":
                about = appointments[row.session_id, row.revision]
                assert about.starts_at == row.starts_at and about.cancelled == (row.kind == "cancelled")
                assert about.attending
            else:
                assert not any(one.answered for one in known.check_ins if one.instrument == row.instrument)

    def let_everything_pass(self, travel):
        self.choose_nothing_more()
        for _ in range(30):
            self.at += timedelta(hours=12)
            self.pass_time(travel)

    def choose_nothing_more(self):
        with db.transaction(db.SYSTEM):
            patients.set_status(patient_id=self.patient_id, status="suspended", at=self.at)

    def check_that_everything_ended(self):
        """In one state, with a reason, and nothing is left over."""
        with db.transaction(db.WORKER) as session:
            rows = session.scalars(sa.select(Reminder)).all()
        assert {row.state for row in rows} <= {"sent", "held", "not_sent"}
        assert all(row.reason for row in rows)

    def _next_due(self):
        with db.transaction(db.WORKER) as session:
            return session.scalar(sa.select(sa.func.min(Reminder.due_at)).where(Reminder.state == "planned"))

    def acts(self):
        acts = [self.book, self.book, self.move, self.cancel, self.restore, self.reply, self.choose, self.turn_status]
        return [*acts, self.travel, self.check_in]

    def do_something(self):
        with suppress(DoubleBooked):  # the clinic is told that it cannot be
            self.chance.choice(self.acts())()

    def book(self):
        starts = (self.at + timedelta(minutes=30 * self.chance.randrange(1, 150))).astimezone(NEW_YORK)
        self._book([self.patient_id], starts.strftime("%Y-%m-%dT%H:%M"), at=self.at)

    def move(self):
        self._change("scheduled", "scheduled", timedelta(minutes=30 * self.chance.randrange(1, 60)))

    def cancel(self):
        self._change("scheduled", "cancelled", timedelta())

    def restore(self):
        self._change("cancelled", "scheduled", timedelta())

    def _change(self, status, becomes, later):
        with db.transaction(db.SYSTEM):
            if session := self._some_session(status):
                sessions.change(
                    session_id=session.id,
                    starts_at=session.starts_at + later,
                    duration_minutes=60,
                    status=becomes,
                    details={},
                    expected=None,
                    override=doubles.Override(),
                    at=self.at,
                )

    def reply(self):
        answer = self.chance.choice(["attending", "not_attending"])
        with db.transaction(db.Caller(kind="patient", patient_id=self.patient_id)):
            if session := self._some_session("scheduled"):
                replies.reply(
                    patient_id=self.patient_id,
                    session_id=session.id,
                    answer=answer,
                    starts_at=session.starts_at,
                    at=self.at,
                )

    def choose(self):
        choices = self.chance.choice(
            [
                {},
                {"lead_times": ["hours_24", "hours_2"]},
                {"quiet_from": "22:00", "quiet_to": "06:30"},
                {"paused_until": self.at + timedelta(hours=9)},
                {"digest": False},
                {"kinds": ["changes", "check_ins"]},
                {"channels": ["sms"]},
            ]
        )
        with db.transaction(db.Caller(kind="patient", patient_id=self.patient_id)):
            preferences.choose(patient_id=self.patient_id, choices=choices, expected=None, at=self.at)

    def travel(self):
        zone = self.chance.choice(["America/Los_Angeles", "Europe/Berlin", "America/New_York"])
        with db.transaction(self._caller()):
            patients.set_preferences(patient_id=self.patient_id, choices={"time_zone": zone}, expected=None, at=self.at)

    def check_in(self):
        given = {"answers": [{"item": "craving", "number": 3}], "occurred_at": self.at, "sent_at": self.at}
        asked = {"id": db.uuid7(), "instrument": "daily", "instrument_version": "1", **given}
        with db.transaction(self._caller()):
            checkins.submit(patient_id=self.patient_id, asked=asked, at=self.at)

    def _caller(self):
        return db.Caller(kind="patient", patient_id=self.patient_id)

    def turn_status(self):
        for status in ("suspended", "active"):
            with db.transaction(db.SYSTEM):
                patients.set_status(patient_id=self.patient_id, status=status, at=self.at)

    def _some_session(self, status):
        ahead = sa.select(CareSession).where(CareSession.starts_at > self.at, CareSession.status == status)
        found = db.session().scalars(ahead.order_by(CareSession.starts_at, CareSession.id)).all()
        return self.chance.choice(found) if found else None

    def check_ledger(self):
        """What is planned in the ledger is what the plan says, and each row held back as one with another names one
        that is said."""
        with db.transaction(db.WORKER) as session:
            known = facts.load([self.patient_id], at=self.at)[self.patient_id]
            everything = session.scalars(sa.select(Reminder)).all()
        rows = [row for row in everything if row.starts_at > self.at]
        waiting = {facts.key(row) for row in rows if self._waits_for_the_worker(row, rows)}
        plan = merged_plan(known.facts, at=self.at)
        planned = {
            one.key: one.due_at
            for one in plan
            if one.state == "planned" and one.key not in waiting and not self._out_of_sight(one)
        }
        settled = {facts.key(row) for row in rows if row.state in ("sent", "not_sent")}
        due = {facts.key(row): row.due_at for row in rows if row.state == "planned" and row.expires_at > self.at}
        due = {key: at for key, at in due.items() if key not in waiting and (key.session_id or at <= self._in_sight())}
        assert due == {key: at for key, at in planned.items() if key not in settled}
        states = {row.id: row.state for row in everything}
        merged = [row for row in rows if row.reason == "merged" and row.due_at > self.at]
        assert all(states[row.replaced_by] in ("planned", "sent") for row in merged)

    def _in_sight(self):
        return self.at + timedelta(days=6)

    def _out_of_sight(self, entry):
        return entry.is_check_in and entry.due_at > self._in_sight()

    def _waits_for_the_worker(self, row, rows):
        """A check-in that was sent and speaks for another one; and that other one, until then."""
        speakers = {one.id for one in rows if one.subject == "check_in" and self._is_spoken_by(one, rows)}
        return row.id in speakers or row.replaced_by in speakers

    def _is_spoken_by(self, speaker, rows):
        return any(one.replaced_by == speaker.id for one in rows)

    def check_what_was_said(self):
        with db.transaction(db.WORKER) as session:
            sent = session.scalars(sa.select(Reminder).where(Reminder.state == "sent")).all()
        assert len(sent) == len(self.gateway.taken) == len(self.gateway.attempts)
        assert set(Counter(facts.key(row) for row in sent).values()) <= {1}
        assert all(row.sent_at < row.starts_at for row in sent)
        reminders = sorted(row.due_at for row in sent if row.kind == "appointment")
        assert all(later - sooner > APART for sooner, later in pairwise(reminders))


class Chancy:
    """A carrier that mostly takes what it is given."""

    def __init__(self, name, week):
        self.name, self._week, self.taken = name, week, []

    def send(self, message, address):
        verdict = self._week.chance.choices([ACCEPTED, RETRY, REFUSED, DEAD], [20, 3, 1, 1])[0]
        if verdict == ACCEPTED:
            self.taken.append((self._week.at, message.key, address.target))
        return Outcome(verdict, "chance")


class WeekOfPhones(Week):
    """Messages go by push and text; phones and the number come, go and die."""

    def __init__(self, *about):
        super().__init__(*about)
        self.push, self.texts = Chancy("fcm", self), Chancy("sms", self)
        self.post = Post([self.push, self.texts])

    def acts(self):
        return [*super().acts(), self.get_phone, self.get_phone, self.lose_phones, self.turn_texts_on, self.lose_number]

    def work(self):
        self.leases_end()
        assert worker.tick(at=self.at, post=self.post)

    def get_phone(self):
        target = f"device-{self.chance.random()}"
        self.superuser(GET_PHONE, self.patient_id, target, target)

    def lose_phones(self):
        self.superuser("DELETE FROM devices WHERE patient_id = %s", self.patient_id)

    def turn_texts_on(self):
        self.lose_number()
        number = f"number-{self.chance.random()}"
        self.superuser(GET_NUMBER, self.patient_id, number, number)

    def lose_number(self):
        self.superuser("DELETE FROM text_numbers WHERE patient_id = %s", self.patient_id)

    def check_what_was_said(self):
        """By somebody who took it, to each phone once, and no more texts than are allowed."""
        with db.transaction(db.WORKER) as session:
            sent = {f"{row.id}:{row.revision}" for row in session.scalars(sa.select(Reminder)) if row.state == "sent"}
        carried = [(key, target) for one in (self.push, self.texts) for _, key, target in one.taken]
        assert {key for key, _ in carried} == sent
        assert len(carried) == len(set(carried))
        times = sorted(at for at, *_ in self.texts.taken)
        assert all(later - sooner >= timedelta(hours=24) for sooner, later in pairwise(times))
        assert all(last - first >= timedelta(days=7) for first, last in zip(times, times[3:], strict=False))


GET_PHONE = """
INSERT INTO devices (id, patient_id, provider, environment, target, target_hash)
VALUES (gen_random_uuid(), %s, 'fcm', 'production', %s, sha256(convert_to(%s, 'UTF8')))
"""
GET_NUMBER = """
WITH consent AS (
  INSERT INTO text_consents (id, patient_id, number, text_id, language, text_hash, given_by, given_at)
  VALUES (gen_random_uuid(), %s, %s, 'reminders', 'en', 'x', 'app', '2026-05-01') RETURNING *)
INSERT INTO text_numbers (id, patient_id, number, number_index, set_by, set_at, confirmed_at, consent_id, version)
SELECT gen_random_uuid(), patient_id, number, sha256(convert_to(%s, 'UTF8')), 'patient', '2026-05-01', '2026-05-01', id,
  1 FROM consent
"""

"""Weeks in which anything happens: whatever did, the ledger is the plan, and what was said was said rightly."""

import random
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa

from api import db
from api.messages.gateway import Recording
from api.patients import service as patients
from api.reminders import facts, preferences, worker
from api.reminders.merge import APART, merged_plan
from api.reminders.models import Reminder
from api.sessions import replies
from api.sessions import service as sessions
from api.sessions.models import CareSession
from tests.reminders.people import NEW_YORK

STEPS = 40


@pytest.mark.parametrize("seed", [20, 26])
def test_whatever_happens_the_ledger_is_the_plan(patient, enroll, book, monday, travel, seed):
    enroll(patient.id)
    week = Week(patient.id, random.Random(seed), book, monday)
    for _ in range(STEPS):
        week.pass_time(travel)
        week.do_something()
        week.check_ledger()
    week.check_what_was_said()


class Week:
    def __init__(self, patient_id, chance, book, at):
        self.patient_id, self.chance, self._book, self.at = patient_id, chance, book, at
        self.gateway = Recording()

    def pass_time(self, travel):
        """The worker is there whenever something falls due, until the next thing happens."""
        until = self.at + timedelta(minutes=5 * self.chance.randrange(60))
        while (due := self._next_due()) is not None and due <= until:
            self.at = travel(max(due, self.at))
            assert worker.tick(at=self.at, gateway=self.gateway)
        self.at = travel(until)

    def _next_due(self):
        with db.transaction(db.WORKER) as session:
            return session.scalar(sa.select(sa.func.min(Reminder.due_at)).where(Reminder.state == "planned"))

    def do_something(self):
        acts = [self.book, self.book, self.move, self.cancel, self.restore, self.reply, self.choose, self.turn_status]
        self.chance.choice(acts)()

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
            ]
        )
        with db.transaction(db.Caller(kind="patient", patient_id=self.patient_id)):
            preferences.choose(patient_id=self.patient_id, choices=choices, expected=None, at=self.at)

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
        planned = {one.key: one.due_at for one in merged_plan(known.facts, at=self.at) if one.state == "planned"}
        settled = {facts.key(row) for row in rows if row.state in ("sent", "not_sent")}
        due = {facts.key(row): row.due_at for row in rows if row.state == "planned" and row.expires_at > self.at}
        assert due == {key: at for key, at in planned.items() if key not in settled}
        states = {row.id: row.state for row in everything}
        merged = [row for row in rows if row.reason == "merged" and row.due_at > self.at]
        assert all(states[row.replaced_by] in ("planned", "sent") for row in merged)

    def check_what_was_said(self):
        with db.transaction(db.WORKER) as session:
            sent = session.scalars(sa.select(Reminder).where(Reminder.state == "sent")).all()
        assert len(sent) == len(self.gateway.taken) == len(self.gateway.attempts) > 5
        assert max(Counter(facts.key(row) for row in sent).values()) == 1
        assert all(row.sent_at < row.starts_at for row in sent)
        assert all(6 <= row.sent_at.astimezone(NEW_YORK).hour < 22 for row in sent)
        reminders = sorted(row.due_at for row in sent if row.kind == "appointment")
        assert all(later - sooner > APART for sooner, later in pairwise(reminders))

"""Every state, who is let know of it, and every operation of both sides, against the database; then at random."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import hypothesis
import psycopg
import pytest
from hypothesis import stateful
from hypothesis import strategies as st

from api import clock, db, vocabulary
from api.app import Continuum
from api.patients import service as patients
from api.referrals import states, triage
from tests.conftest import sweep
from tests.knocking import Knocker
from tests.privacy.gating import Files
from tests.referrals import sending
from tests.referrals.sending import Sent, admit, decide, link, refer

Sql = Callable[..., list[tuple[Any, ...]]]
WHY = {"reason": "There is a reason."}
# How the clinic, or its sender at the end, brings a referral into each state.
WAYS: dict[str, tuple[tuple[str, dict[str, str]], ...]] = {
    "received": (),
    "accepted": (("accept", {}),),
    "rejected": (("reject", WHY),),
    "in_progress": (("accept", {}), ("proceed", {})),
    "on_hold": (("accept", {}), ("proceed", {}), ("hold", WHY)),
    "completed": (("accept", {}), ("proceed", {}), ("close", {})),
    "failed": (("accept", {}), ("proceed", {}), ("fail", WHY)),
    "cancelled": (("cancel", WHY),),
    "entered_in_error": (),
}
OPERATIONS: dict[str, Callable[[Sent], Any]] = {
    "amend": lambda one: one.amend(notes="Changed."),
    "send_document": lambda one: one.attach(),
    "cancel": lambda one: one.cancel("Not any more."),
    "withdraw": lambda one: one.withdraw(reason="In error."),
}
# What its sender may do, by the state that it sees; kept by hand.
MAY = {
    "received": {"amend", "send_document", "cancel", "withdraw"},
    **{state: {"send_document", "cancel", "withdraw"} for state in ("accepted", "in_progress", "on_hold")},
    **{state: {"withdraw"} for state in ("rejected", "completed", "failed", "cancelled")},
    "entered_in_error": set(),
}


def bring(referral: Sent, state: str) -> None:
    for decision, said in WAYS[state]:
        decide(referral, decision, **said)
    if state == "entered_in_error":
        assert referral.withdraw().status_code == 200


def stands(owner_sql: Sql) -> tuple[str, int]:
    ((state, events),) = owner_sql("SELECT state, (SELECT count(*) FROM referral_events) FROM referral_triage")
    return state, events


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("state", vocabulary.REFERRAL_STATES)
def test_a_sender_who_is_let_know_meets_the_state(
    partner: Knocker, patient: Knocker, consent: Callable[..., Any], owner_sql: Sql, state: str, operation: str
) -> None:
    referral = refer(partner)
    link(referral, patient)
    bring(referral, state)
    consent(patient)
    seen, before = referral.read().json, stands(owner_sql)
    assert (seen["state"], set(seen["allowed_steps"]), before[0]) == (state, MAY[state], state)
    answer = OPERATIONS[operation](referral)
    if operation in MAY[state]:
        assert answer.status_code == 200 and stands(owner_sql)[1] == before[1] + 1
        return
    assert (answer.status_code, answer.json["state"]) == (409, state)
    assert stands(owner_sql) == before


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("state", [one for one in vocabulary.REFERRAL_STATES if one != "entered_in_error"])
def test_a_sender_who_is_not_let_know_meets_what_it_sent(
    partner: Knocker, patient: Knocker, owner_sql: Sql, state: str, operation: str
) -> None:
    referral = refer(partner)
    link(referral, patient)
    bring(referral, state)
    answer = OPERATIONS[operation](referral)
    expected = {"cancel": "cancelled", "withdraw": "entered_in_error"}.get(operation, "received")
    assert (answer.status_code, answer.json["state"], answer.json["version"]) == (200, expected, 2)
    settled = {"cancel": state in states.OPEN, "withdraw": True}.get(operation, False)
    assert stands(owner_sql)[0] == (expected if settled else state)


@pytest.mark.parametrize("decision", triage.LEADS)
@pytest.mark.parametrize("state", vocabulary.REFERRAL_STATES)
def test_the_clinic_meets_the_state(partner: Knocker, owner_sql: Sql, state: str, decision: str) -> None:
    referral = refer(partner)
    bring(referral, state)
    before = stands(owner_sql)
    if decision in triage.possible(state):
        decide(referral, decision, **WHY)
        assert stands(owner_sql)[1] == before[1] + 1
        return
    with pytest.raises(states.StepNotAllowed) as refusal:
        decide(referral, decision, **WHY)
    assert refusal.value.extra == {"state": state} and stands(owner_sql) == before


class Loop(stateful.RuleBasedStateMachine):
    """One referral between its sender, the clinic and the patient, in any order; what is kept here says what each of
    them must see. Nothing in it knows how the service comes to it."""

    app: Continuum
    superuser: psycopg.Connection[Any]

    def __init__(self) -> None:
        super().__init__()
        sweep(self.superuser)
        self.files = Files(self.superuser)
        partner = sending.client(self.app, self.files.partner(), vocabulary.PARTNER_SCOPES)
        with db.transaction(db.SYSTEM):
            who = patients.upsert(external_id="EHR-loop", at=clock.now())
        self.patient = Knocker(self.app, id=who.id, external_id="EHR-loop")
        self.referral = refer(partner)
        self.state, self.own, self.told, self.events = "received", 1, 0, 1
        self.withdrawn: str | None = None
        self.linked = self.is_admitted = False
        self.consent_id: Any = None

    @property
    def known(self) -> bool:
        return self.linked and self.consent_id is not None

    @property
    def standing(self) -> str:
        return self.withdrawn or (self.state if self.known else "received")

    def done(self, answer: Any, allowed: bool) -> bool:
        """Whether it was done, which it must be if it is allowed."""
        assert answer.status_code == (200 if allowed else 409), answer.text
        if not allowed:
            assert answer.json["state"] == self.standing
            return False
        self.own, self.events = self.own + 1, self.events + 1
        return True

    def taken_back(self, to: str) -> None:
        self.withdrawn = to
        if not self.is_admitted and (to == "entered_in_error" or self.state in states.OPEN):
            self.state = to

    @stateful.rule()
    def amend(self) -> None:
        self.done(self.referral.amend(notes=f"Change {self.own}."), self.standing == "received")

    @stateful.rule()
    def cancel(self) -> None:
        if self.done(self.referral.cancel(f"Reason {self.own}."), self.standing in states.OPEN):
            self.taken_back("cancelled")

    @stateful.rule()
    def withdraw(self) -> None:
        if self.done(self.referral.withdraw(reason=f"Error {self.own}."), self.standing != "entered_in_error"):
            self.taken_back("entered_in_error")

    @stateful.rule(decision=st.sampled_from(sorted(triage.LEADS)))
    def decide(self, decision: str) -> None:
        allowed = decision in triage.possible(self.state)
        try:
            decide(self.referral, decision, **WHY)
        except states.StepNotAllowed:
            assert not allowed
            return
        assert allowed
        self.told, self.events = self.told + 1, self.events + 1
        leads = triage.LEADS[decision]
        self.state = self.state if leads.to is None or self.state in leads.stays else leads.to

    @stateful.precondition(lambda self: not self.linked)
    @stateful.rule()
    def link(self) -> None:
        link(self.referral, self.patient)
        self.linked, self.events = True, self.events + 1

    @stateful.precondition(lambda self: self.state == "received" and not self.is_admitted)
    @stateful.rule()
    def admit(self) -> None:
        admit(self.referral, self.patient)
        self.linked = self.is_admitted = True
        self.state, self.told, self.events = "completed", self.told + 3, self.events + 3

    @stateful.precondition(lambda self: self.consent_id is None)
    @stateful.rule()
    def consent(self) -> None:
        self.consent_id = self.files.sign(self.patient.id, self.referral.partner.id)  # type: ignore[arg-type]

    @stateful.precondition(lambda self: self.consent_id is not None)
    @stateful.rule()
    def revoke(self) -> None:
        self.files.set(
            "consents", self.consent_id, revoked_at=datetime(2026, 11, 24, 12, tzinfo=UTC), revoked_how="app"
        )
        self.consent_id = None

    @stateful.invariant()
    def each_sees_what_is_theirs(self) -> None:
        ledger = len(self.files.ledger("id"))
        seen = self.referral.read().json
        assert seen["state"] == (self.state if self.known else self.withdrawn or "received")
        assert seen["version"] == self.own + (self.told if self.known else 0)
        assert len(seen["events"]) == (self.told if self.known else 0)
        assert set(seen["allowed_steps"]) == MAY[self.standing]
        assert ("release" in seen) == self.known
        assert len(self.files.ledger("id")) == ledger + self.known

    @stateful.invariant()
    def nothing_is_lost(self) -> None:
        run = self.superuser.execute
        assert run("SELECT state FROM referral_triage").fetchall() == [(self.state,)]
        assert run("SELECT count(*) FROM referral_events").fetchall() == [(self.events,)]


def test_any_order_of_steps(app: Continuum, superuser: psycopg.Connection[Any], noon: datetime) -> None:
    Loop.app, Loop.superuser = app, superuser
    stateful.run_state_machine_as_test(
        Loop,
        settings=hypothesis.settings(
            max_examples=10, stateful_step_count=12, deadline=None, suppress_health_check=list(hypothesis.HealthCheck)
        ),
    )

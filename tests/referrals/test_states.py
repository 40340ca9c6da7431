"""Every state, actor and step: what may follow what, and with which words."""

import itertools

import pytest

from api import vocabulary
from api.referrals import states

STATES = vocabulary.REFERRAL_STATES
# Kept by hand beside the code's own table: the Gravity project's transitions, from the arrival on.
ALLOWED = {
    ("clinic", "received", "accepted"),
    ("clinic", "received", "rejected"),
    ("clinic", "received", "cancelled"),
    ("clinic", "accepted", "in_progress"),
    ("clinic", "accepted", "cancelled"),
    ("clinic", "in_progress", "on_hold"),
    ("clinic", "in_progress", "completed"),
    ("clinic", "in_progress", "failed"),
    ("clinic", "in_progress", "cancelled"),
    ("clinic", "on_hold", "in_progress"),
    ("clinic", "on_hold", "cancelled"),
    ("requester", "received", "cancelled"),
    ("requester", "accepted", "cancelled"),
    ("requester", "in_progress", "cancelled"),
    ("requester", "on_hold", "cancelled"),
    *(("requester", state, "entered_in_error") for state in STATES if state != "entered_in_error"),
}


@pytest.mark.parametrize(("actor", "state", "to"), [*itertools.product(states.ACTORS, STATES, STATES)])
def test_who_may_set_which_state(actor: str, state: str, to: str) -> None:
    assert (to in states.next_states(state, actor=actor)) == ((actor, state, to) in ALLOWED)
    if (actor, state, to) in ALLOWED:
        states.refuse_step(state, to, actor=actor)
        return
    with pytest.raises(states.StepNotAllowed) as refusal:
        states.refuse_step(state, to, actor=actor)
    assert (refusal.value.status, refusal.value.extra) == (409, {"state": state})


def test_the_clinic_never_says_that_its_sender_erred_and_a_sender_never_decides() -> None:
    set_by = {actor: {to for who, _, to in ALLOWED if who == actor} for actor in states.ACTORS}
    assert "entered_in_error" not in set_by["clinic"]
    assert set_by["requester"] == set(vocabulary.REFERRAL_WITHDRAWALS)


def test_what_has_ended_stays_ended_for_the_clinic() -> None:
    assert {state for state in STATES if not states.next_states(state, actor="clinic")} == set(states.ENDED)


@pytest.mark.parametrize("state", STATES)
def test_a_sub_status_may_change_alone_only_before_the_end(state: str) -> None:
    if state in states.OPEN:
        states.refuse_change_within(state)
        return
    with pytest.raises(states.StepNotAllowed):
        states.refuse_change_within(state)


@pytest.mark.parametrize("to", STATES)
@pytest.mark.parametrize("reason", [None, "", "  "])
def test_what_somebody_waits_for_is_not_turned_down_without_a_word(to: str, reason: str | None) -> None:
    states.refuse_without_reason(to, "No place until spring.")
    if to not in ("rejected", "cancelled", "on_hold", "failed"):
        states.refuse_without_reason(to, reason)
        return
    with pytest.raises(states.ReasonMissing):
        states.refuse_without_reason(to, reason)


@pytest.mark.parametrize(("to", "sub_status"), [*itertools.product(STATES, vocabulary.REFERRAL_SUB_STATUSES)])
def test_a_sub_status_goes_with_its_states_only(to: str, sub_status: str) -> None:
    if sub_status in states.SUB_STATUSES[to]:
        states.refuse_unfit(to, sub_status)
        return
    with pytest.raises(states.SubStatusDoesNotFit):
        states.refuse_unfit(to, sub_status)


def test_every_sub_status_has_a_state_and_none_always_fits() -> None:
    assert {word for words in states.SUB_STATUSES.values() for word in words} == set(vocabulary.REFERRAL_SUB_STATUSES)
    assert set(states.SUB_STATUSES) == set(STATES)
    for state in STATES:
        states.refuse_unfit(state, None)


def test_nobody_is_admitted_to_what_was_turned_down() -> None:
    assert {state for state, words in states.SUB_STATUSES.items() if "admitted" in words} == {
        "in_progress",
        "completed",
    }

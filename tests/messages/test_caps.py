"""At most one text a day and three a week for each patient, however many workers send."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from api import db
from api.messages import caps
from api.messages.caps import Allowance, Caps
from tests.messages.contacts import AT, texted, turned_on

DAY = timedelta(hours=24)


@pytest.fixture
def texted_patient(patient, owner_sql):
    turned_on(owner_sql, patient)
    return patient


@pytest.mark.parametrize(
    ("held_to", "today", "this_week", "allowed"),
    [
        (Caps(1, 3), 0, 0, Allowance(True, True)),
        (Caps(1, 3), 1, 1, Allowance(False, False)),
        (Caps(1, 3), 0, 1, Allowance(True, True)),
        (Caps(1, 3), 0, 2, Allowance(False, True)),
        (Caps(1, 3), 0, 3, Allowance(False, False)),
        (Caps(2, 4), 1, 1, Allowance(False, True)),
        (Caps(2, 4), 2, 2, Allowance(False, False)),
    ],
)
def test_one_of_each_cap_is_kept_for_changes_where_it_is_more_than_one(held_to, today, this_week, allowed):
    assert held_to.allow(today=today, this_week=this_week) == allowed


def test_a_second_text_of_a_day_waits(texted_patient):
    assert texted(texted_patient.id)
    assert not texted(texted_patient.id, at=AT + DAY - timedelta(seconds=1))
    assert texted(texted_patient.id, at=AT + DAY)


def test_ordinary_texts_leave_one_of_the_week_to_a_change(texted_patient):
    assert texted(texted_patient.id) and texted(texted_patient.id, at=AT + DAY)
    assert not texted(texted_patient.id, at=AT + 2 * DAY)
    assert texted(texted_patient.id, at=AT + 2 * DAY, kind="change")
    assert not texted(texted_patient.id, at=AT + 3 * DAY, kind="change")
    assert texted(texted_patient.id, at=AT + 7 * DAY, kind="change")


def test_the_same_message_is_counted_once(texted_patient):
    assert texted(texted_patient.id, key="one") and texted(texted_patient.id, key="one")
    assert not texted(texted_patient.id, key="two")


def test_a_text_that_the_provider_did_not_take_counts_for_nothing(texted_patient):
    assert texted(texted_patient.id, key="one")
    with db.transaction(db.WORKER):
        caps.release(patient_id=texted_patient.id, message_key="one")
    assert texted(texted_patient.id, key="two")


def test_a_text_of_a_clock_that_runs_ahead_counts(texted_patient):
    assert texted(texted_patient.id, at=AT + timedelta(seconds=90))
    assert not texted(texted_patient.id)


def test_what_one_patient_got_is_nothing_to_another(texted_patient, other_patient, owner_sql):
    turned_on(owner_sql, other_patient)
    assert texted(texted_patient.id) and texted(other_patient.id)


def test_without_a_number_that_is_on_nothing_may_be_sent(patient):
    assert not texted(patient.id)


def test_everybody_asked_about_has_an_allowance(texted_patient, other_patient):
    texted(texted_patient.id)
    with db.transaction(db.WORKER):
        found = caps.allowance([texted_patient.id, other_patient.id], at=AT)
    assert found == {texted_patient.id: Allowance(False, False), other_patient.id: Allowance(True, True)}


def test_a_worker_waits_for_another_that_is_about_to_send(texted_patient):
    counted = {"patient_id": texted_patient.id, "kind": "ordinary", "at": AT}
    with ThreadPoolExecutor(1) as another:
        with db.transaction(db.WORKER):
            assert caps.reserve(message_key="one", **counted)
            waiting = another.submit(texted, texted_patient.id, key="two")
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)
        assert waiting.result(timeout=60) is False


def test_of_many_workers_at_once_one_sends(texted_patient):
    with ThreadPoolExecutor(8) as workers:
        sent = list(workers.map(lambda number: texted(texted_patient.id, key=f"message {number}"), range(16)))
    assert sent.count(True) == 1


def test_old_counts_are_forgotten(texted_patient, owner_sql):
    texted(texted_patient.id, at=AT - timedelta(days=31))
    texted(texted_patient.id)
    with db.transaction(db.WORKER):
        caps.forget_old(at=AT)
    assert owner_sql("SELECT sent_at FROM texts_sent") == [(AT,)]


def test_texts_in_doubt_are_found_by_their_keys(owner_sql):
    """Of a million patients' texts."""
    by_key = "SELECT count(*) FROM pg_indexes WHERE tablename = 'texts_sent' AND indexdef LIKE '%%(message_key%%'"
    assert owner_sql(by_key) == [(1,)]

"""Duty contacts are told at once, and the next one at each deadline, until somebody acknowledges."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest

from api import db
from api.messages import gateway
from api.messages.post import Post
from api.programs.edition import Closure, Hours, Location
from api.staff import duty, worker
from api.staff import service as staff
from api.staff.service import SafetyAnswer
from tests.knocking import Knocker

MONDAY = datetime(2026, 11, 23, 15, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
WEEKDAYS = tuple(Hours(weekday, time(8), time(17)) for weekday in range(1, 6))
OPEN = [Location(UUID(int=1), {}, "America/New_York", WEEKDAYS)]


@pytest.fixture(autouse=True)
def contacts() -> Iterator[None]:
    before = duty.contacts()
    duty.use(("duty-1", "duty-2", "duty-3"), needed=True)
    yield
    duty.use(before, needed=False)


@pytest.fixture
def sent() -> gateway.Recording:
    return gateway.Recording()


@pytest.fixture
def alert(patient: Knocker) -> None:
    hit(patient, MONDAY)


def hit(patient: Knocker, at: datetime) -> None:
    with db.transaction(db.Caller(kind="patient", patient_id=patient.id)):
        assert patient.id
        answers = [SafetyAnswer("phq-9", "phq9_9", "1")]
        staff.raise_alert(patient_id=patient.id, answers=answers, source=str(at), at=at)


def tick(sent: gateway.Recording, at: datetime, locations: list[Location] = OPEN) -> list[str]:
    """Who is told at `at`."""
    before = len(sent.attempts)
    worker.tick(at=at, post=Post(house=sent), locations=locations)
    return [message.recipient for message in sent.attempts[before:]]


def test_the_first_contact_is_told_at_once_and_once(alert: None, sent: gateway.Recording) -> None:
    assert tick(sent, MONDAY) == ["duty-1"]
    assert tick(sent, MONDAY + timedelta(minutes=29)) == []


def test_each_deadline_tells_the_next_and_then_begins_again(alert: None, sent: gateway.Recording) -> None:
    told = [tick(sent, MONDAY + HALF_AN_HOUR * turn) for turn in range(4)]
    assert told == [["duty-1"], ["duty-2"], ["duty-3"], ["duty-1"]]


def test_nobody_is_told_once_it_is_acknowledged(alert: None, sent: gateway.Recording, clinic: Knocker) -> None:
    tick(sent, MONDAY)
    (found,) = clinic.get("/v1/clinic/alerts").json["items"]
    assert found["deadline_at"] == "2026-11-23T15:30:00Z"
    clinic.post(f"/v1/clinic/alerts/{found['id']}/acknowledgement", json={"hits_seen": 1})
    assert tick(sent, MONDAY + HALF_AN_HOUR) == []


def test_at_night_the_first_is_told_at_once_and_the_next_after_opening(
    patient: Knocker, sent: gateway.Recording
) -> None:
    night = datetime(2026, 11, 24, 4, tzinfo=UTC)
    hit(patient, night)
    assert tick(sent, night) == ["duty-1"]
    opens = datetime(2026, 11, 24, 13, tzinfo=UTC)
    assert tick(sent, opens + timedelta(minutes=29)) == []
    assert tick(sent, opens + HALF_AN_HOUR) == ["duty-2"]


def test_a_closure_is_no_opening_time() -> None:
    closed = Closure(UUID(int=2), MONDAY, MONDAY + timedelta(days=2))
    places = [Location(UUID(int=1), {}, "America/New_York", WEEKDAYS, (closed,))]
    assert worker.deadline(places, start=MONDAY) == MONDAY + timedelta(days=2) + HALF_AN_HOUR


def test_a_clinic_that_states_no_hours_still_has_deadlines() -> None:
    assert worker.deadline([], start=MONDAY) == MONDAY + HALF_AN_HOUR


def test_the_message_says_nothing_of_whom_or_what(alert: None, sent: gateway.Recording, patient: Knocker) -> None:
    tick(sent, MONDAY)
    (message,) = sent.attempts
    assert str(patient.id) not in f"{message.key} {message.text}"
    assert patient.external_id not in message.text
    assert message.text == "Something waits for you and is urgent. Please sign in and look."


@pytest.mark.parametrize("trouble", [gateway.RETRY, gateway.REFUSED, TimeoutError("the provider's words")])
def test_a_contact_who_cannot_be_reached_passes_the_turn_on_at_once(
    alert: None, sent: gateway.Recording, clinic: Knocker, trouble: Any
) -> None:
    sent.outcomes["duty-1"] = trouble
    assert tick(sent, MONDAY) == ["duty-1", "duty-2"]
    (found,) = clinic.get("/v1/clinic/alerts").json["items"]
    assert [(notice["contact"], notice["outcome"]) for notice in found["notices"]] == [(1, "failed"), (2, "accepted")]


def test_when_nobody_can_be_reached_it_is_tried_again_in_a_minute(alert: None, sent: gateway.Recording) -> None:
    sent.outcomes.update(dict.fromkeys(duty.contacts(), gateway.RETRY))
    assert len(tick(sent, MONDAY)) == 3
    assert tick(sent, MONDAY + timedelta(seconds=59)) == []
    sent.outcomes.clear()
    assert tick(sent, MONDAY + timedelta(minutes=1)) == ["duty-1"]


def test_one_contact_s_trouble_keeps_no_other_alert_back(
    new_patient: Callable[..., Knocker], sent: gateway.Recording
) -> None:
    for _ in range(3):
        hit(new_patient(), MONDAY)
    sent.outcomes["duty-1"] = RuntimeError()
    assert sorted(tick(sent, MONDAY)) == ["duty-1"] * 3 + ["duty-2"] * 3


def test_a_worker_that_dies_before_settling_tells_nobody_twice(
    alert: None, sent: gateway.Recording, monkeypatch: pytest.MonkeyPatch, owner_sql: Callable[..., Any]
) -> None:
    with monkeypatch.context() as dying, pytest.raises(KeyboardInterrupt):
        dying.setattr(worker, "_settle", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        tick(sent, MONDAY)
    assert tick(sent, MONDAY) == [], "another worker leaves the lease alone"
    owner_sql("UPDATE alerts SET leased_until = now() - interval '1 second'")
    assert tick(sent, MONDAY) == ["duty-1"]
    assert (len(sent.attempts), len(sent.taken)) == (2, 1)


def test_a_worker_that_was_too_slow_does_not_undo_what_another_told(
    alert: None, sent: gateway.Recording, monkeypatch: pytest.MonkeyPatch, owner_sql: Callable[..., Any]
) -> None:
    late: list[Any] = []
    with monkeypatch.context() as slow:
        slow.setattr(worker, "_settle", lambda *settled: late.append(settled))
        tick(sent, MONDAY)
    owner_sql("UPDATE alerts SET leased_until = now() - interval '1 second'")
    assert [tick(sent, MONDAY), tick(sent, MONDAY + HALF_AN_HOUR)] == [["duty-1"], ["duty-2"]]
    with db.transaction(db.WORKER):
        worker._settle(*late[0])
    assert owner_sql("SELECT notices_sent FROM alerts") == [(2,)]
    assert tick(sent, MONDAY + 2 * HALF_AN_HOUR) == ["duty-3"]


def test_without_contacts_an_alert_waits_for_them(alert: None, sent: gateway.Recording) -> None:
    duty.use((), needed=False)
    assert tick(sent, MONDAY) == []
    duty.use(("duty-9",), needed=False)
    assert tick(sent, MONDAY) == ["duty-9"]

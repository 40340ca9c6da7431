"""A carrier in trouble is left alone for a while, and its operator is told once."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
import structlog

from api.messages import circuits, post
from api.messages.circuits import Circuit
from api.messages.gateway import ACCEPTED, DEAD, MISCONFIGURED, REFUSED, RETRY, Address, Message, Outcome

MESSAGE = Message("1", "app", "somebody", "You have an appointment.", "en", UUID(int=1))
ADDRESS = Address(UUID(int=2), "courier", "courier", "somewhere", datetime(2026, 11, 23, tzinfo=UTC))


class Clock:
    now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(circuits, "time", made)
    monkeypatch.setattr(circuits, "jittered", lambda seconds, asked=0.0: max(seconds, asked))
    return made


@pytest.fixture
def circuit(clock: Clock) -> Iterator[Circuit]:
    return Circuit("courier")


def hear(circuit: Circuit, verdict: str, times: int = 1, **said: float) -> None:
    for _ in range(times):
        circuit.heard(Outcome(verdict, **said))  # type: ignore[arg-type]


def test_some_failures_in_a_row_open_it_and_time_closes_it(circuit: Circuit, clock: Clock) -> None:
    hear(circuit, RETRY, circuits.FAILURES - 1)
    assert circuit.wait() == 0
    hear(circuit, RETRY)
    assert circuit.wait() == circuits.FIRST_PAUSE_SECONDS
    clock.now += circuits.FIRST_PAUSE_SECONDS
    assert circuit.wait() == 0


def test_one_success_among_failures_keeps_it_closed(circuit: Circuit) -> None:
    for _ in range(10):
        hear(circuit, RETRY, circuits.FAILURES - 1)
        hear(circuit, ACCEPTED)
    assert circuit.wait() == 0


@pytest.mark.parametrize("verdict", [DEAD, REFUSED])
def test_a_dead_address_is_no_trouble_of_the_carrier(circuit: Circuit, verdict: str) -> None:
    hear(circuit, verdict, 100)
    assert circuit.wait() == 0


def test_after_a_pause_one_failure_opens_it_for_twice_as_long_up_to_a_bound(circuit: Circuit, clock: Clock) -> None:
    hear(circuit, RETRY, circuits.FAILURES)
    pauses = []
    for _ in range(8):
        clock.now += circuit.wait()
        hear(circuit, RETRY)
        pauses.append(circuit.wait())
    assert pauses == [10, 20, 40, 80, 120, 120, 120, 120]


def test_after_a_pause_one_goes_first_and_the_others_wait_for_what_it_learns(circuit: Circuit, clock: Clock) -> None:
    hear(circuit, RETRY, circuits.FAILURES)
    clock.now += circuit.wait()
    assert [circuit.enter() for _ in range(3)] == [0, circuits.AGAIN_SECONDS, circuits.AGAIN_SECONDS]
    assert circuit.wait() == circuits.AGAIN_SECONDS
    hear(circuit, RETRY)
    assert circuit.enter() == 2 * circuits.FIRST_PAUSE_SECONDS
    clock.now += circuit.wait()
    assert circuit.enter() == 0
    hear(circuit, ACCEPTED)
    assert [circuit.enter() for _ in range(3)] == [0, 0, 0]


def test_wrong_credentials_are_tried_by_one_alone_too(circuit: Circuit, clock: Clock) -> None:
    hear(circuit, MISCONFIGURED)
    clock.now += circuit.wait()
    assert [circuit.enter(), circuit.enter()] == [0, circuits.AGAIN_SECONDS]


def test_a_carrier_that_is_well_is_entered_by_all(circuit: Circuit) -> None:
    assert [circuit.enter() for _ in range(9)] == [0] * 9


def test_a_try_that_is_never_heard_of_gives_way_in_time(circuit: Circuit, clock: Clock) -> None:
    hear(circuit, RETRY, circuits.FAILURES)
    clock.now += circuit.wait()
    circuit.enter()
    clock.now += circuits.TRY_SECONDS
    assert [circuit.enter(), circuit.enter()] == [0, circuits.AGAIN_SECONDS]


class Slow:
    """A carrier that answers once it is told to, and counts who is waiting for it."""

    name = "courier"

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Semaphore(0), threading.Event()
        self.times = 0

    def send(self, *_: object) -> Outcome:
        self.times += 1
        self.asked.release()
        assert self.may_answer.wait(10)
        return Outcome(ACCEPTED)


def test_a_lane_sends_one_message_first_to_a_carrier_that_was_in_trouble(clock: Clock) -> None:
    slow = Slow()
    lane = post.Lane(slow)  # type: ignore[arg-type]
    hear(lane._circuit, RETRY, circuits.FAILURES)
    clock.now += lane.wait()
    outcomes: list[Outcome] = []
    first = threading.Thread(target=lambda: outcomes.append(lane.send(MESSAGE, ADDRESS)))
    first.start()
    assert slow.asked.acquire(timeout=60)
    lane.each([lambda: outcomes.append(lane.send(MESSAGE, ADDRESS))] * 8)
    assert {(one.verdict, one.reason) for one in outcomes} == {(RETRY, post.NOT_ASKED)} and slow.times == 1
    slow.may_answer.set()
    first.join()
    lane.each([lambda: outcomes.append(lane.send(MESSAGE, ADDRESS))] * 8)
    assert [one.verdict for one in outcomes[8:]] == [ACCEPTED] * 9
    lane.close()


def test_a_message_to_a_contact_of_the_clinic_waits_for_nobody_elses_try(clock: Clock) -> None:
    slow = Slow()
    slow.name = "sms"
    office = post.Post([slow])  # type: ignore[list-item]
    lane = office.lanes["sms"]
    hear(lane._circuit, RETRY, circuits.FAILURES)
    clock.now += lane.wait()
    first = threading.Thread(target=lambda: lane.send(MESSAGE, ADDRESS))
    first.start()
    assert slow.asked.acquire(timeout=60)
    told: list[str] = []
    notice = Message("2", "duty", "+12125550100", "Please look.", "en", None)
    second = threading.Thread(target=lambda: told.append(office.tell(notice)))
    second.start()
    assert slow.asked.acquire(timeout=60)
    slow.may_answer.set()
    first.join(), second.join()
    assert told == [ACCEPTED]
    office.close()


def test_not_even_that_is_asked_of_a_carrier_that_is_left_alone(circuit: Circuit) -> None:
    hear(circuit, RETRY, circuits.FAILURES)
    assert circuit.enter(urgent=True) == circuits.FIRST_PAUSE_SECONDS


def test_it_waits_as_long_as_the_carrier_asks(circuit: Circuit) -> None:
    hear(circuit, RETRY, circuits.FAILURES, retry_after=77.0)
    assert circuit.wait() == 77


def test_a_success_makes_it_forget(circuit: Circuit, clock: Clock) -> None:
    hear(circuit, RETRY, circuits.FAILURES + 3)
    clock.now += circuit.wait()
    hear(circuit, ACCEPTED)
    hear(circuit, RETRY, circuits.FAILURES - 1)
    assert circuit.wait() == 0


def test_wrong_credentials_open_it_at_once_and_are_told_once(circuit: Circuit, clock: Clock) -> None:
    with structlog.testing.capture_logs() as told:
        for _ in range(3):
            circuit.heard(Outcome(MISCONFIGURED, "InvalidProviderToken"))
            assert circuit.wait() == circuits.MISCONFIGURED_SECONDS
            clock.now += circuits.MISCONFIGURED_SECONDS
    assert [(one["log_level"], one["carrier"], one["problem"]) for one in told] == [
        ("error", "courier", "InvalidProviderToken")
    ]


def test_credentials_that_work_again_and_break_again_are_told_again(circuit: Circuit) -> None:
    with structlog.testing.capture_logs() as told:
        for _ in range(2):
            hear(circuit, MISCONFIGURED)
            hear(circuit, ACCEPTED)
    assert len(told) == 2


def test_pauses_are_spread() -> None:
    drawn = {circuits.jittered(10.0) for _ in range(100)}
    assert len(drawn) > 90 and all(8 <= one <= 12 for one in drawn)


def test_no_pause_ends_before_the_carrier_wants_to_be_asked_again() -> None:
    drawn = {circuits.jittered(10.0, asked=60.0) for _ in range(100)}
    assert len(drawn) > 90 and all(60 <= one <= 72 for one in drawn)

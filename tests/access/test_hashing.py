"""Slow hashes: one computation for every question, two at a time, and a bounded queue."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import argon2
import pytest
from prometheus_client import REGISTRY

from api import errors
from api.access import hashing

OLD = argon2.PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1)


@pytest.fixture(scope="module")
def stored() -> str:
    return hashing.hashed("correct horse")


@pytest.fixture(autouse=True)
def house() -> Iterator[None]:
    hashing.use(16)
    yield
    hashing.use(16)


def computed() -> float:
    return REGISTRY.get_sample_value("continuum_secret_hashes_total") or 0


class Slow:
    """A hasher that computes when it is let, and remembers how many computed at once."""

    def __init__(self) -> None:
        self.begun, self.let = threading.Semaphore(0), threading.Semaphore(0)
        self.now = self.most = 0

    def hash(self, secret: bytes) -> str:
        self.now += 1
        self.most = max(self.most, self.now)
        self.begun.release()
        assert self.let.acquire(timeout=60)
        self.now -= 1
        return secret.decode()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    made = Slow()
    monkeypatch.setattr(hashing, "HASHER", made)
    return made


def test_a_secret_matches_its_hash_and_no_other(stored: str) -> None:
    assert hashing.matches("correct horse", stored) is True
    assert hashing.matches("correct horsf", stored) is False


def test_bytes_are_hashed_as_text_is(stored: str) -> None:
    assert hashing.matches(b"correct horse", stored)
    assert not hashing.matches("\ud800", stored)


def test_the_cost_is_the_one_recommended_and_is_recorded(stored: str) -> None:
    assert stored.startswith("$argon2id$v=19$m=12288,t=3,p=1$")


def test_equal_secrets_have_different_hashes(stored: str) -> None:
    assert hashing.hashed("correct horse") != stored


@pytest.mark.parametrize("typed", ["correct horse", "wrong", ""])
def test_known_and_unknown_cost_one_hash_each(stored: str, typed: str) -> None:
    before = computed()
    hashing.matches(typed, stored)
    assert computed() - before == 1
    hashing.matches(typed, None)
    assert computed() - before == 2


def test_nobodys_secret_matches_nothing_at_the_same_cost(stored: str) -> None:
    assert hashing.matches("", None) is False
    nobodys = hashing._nobodys()
    assert nobodys != hashing.NOBODYS
    for one in (nobodys, hashing.NOBODYS):
        assert one.rsplit("$", 2)[0] == stored.rsplit("$", 2)[0] and len(one) == len(stored)


def test_nobodys_secret_is_nobodys_even_when_guessed(monkeypatch: pytest.MonkeyPatch, stored: str) -> None:
    monkeypatch.setattr(hashing, "NOBODYS", stored)
    assert hashing.matches("correct horse", None) is False


def test_a_hash_of_older_cost_still_matches_and_is_told(stored: str) -> None:
    old = OLD.hash("correct horse")
    assert hashing.matches("correct horse", old) and hashing.outdated(old)
    assert not hashing.outdated(stored) and not hashing.outdated(hashing.NOBODYS)


def test_a_hash_that_is_none_is_a_defect_and_no_match() -> None:
    with pytest.raises(argon2.exceptions.InvalidHashError):
        hashing.matches("correct horse", "correct horse")


def test_two_compute_at_a_time(slow: Slow) -> None:
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(hashing.hashed, str(number)) for number in range(4)]
        for _ in asked:
            assert slow.begun.acquire(timeout=60)
            slow.let.release()
        assert {one.result(timeout=60) for one in asked} == {"0", "1", "2", "3"}
    assert 1 <= slow.most <= 2


@contextmanager
def no_turn_is_free(slow: Slow) -> Iterator[None]:
    """As many compute as may, until the block ends."""
    with ThreadPoolExecutor(hashing.AT_A_TIME) as pool:
        computing = [pool.submit(hashing.hashed, str(number)) for number in range(hashing.AT_A_TIME)]
        for _ in computing:
            assert slow.begun.acquire(timeout=60)
        yield
        slow.let.release(len(computing))
        assert [one.result(timeout=60) for one in computing] == ["0", "1"]


def until_all_seats_are_taken() -> None:
    for _ in range(1000):
        if not hashing._seats._value:
            return
        time.sleep(0.001)
    raise AssertionError("nobody sits")


def test_an_eighth_of_the_threads_may_wait_and_the_next_is_told_to_come_back(slow: Slow) -> None:
    hashing.use(16)
    with ThreadPoolExecutor(2) as pool, no_turn_is_free(slow):
        waiting = [pool.submit(hashing.hashed, name) for name in ("one", "two")]
        until_all_seats_are_taken()
        before = computed()
        with pytest.raises(errors.Unavailable) as refused:
            hashing.hashed("one too many")
        assert refused.value.headers["Retry-After"] and computed() == before
        slow.let.release(hashing.AT_A_TIME + len(waiting))
        assert [one.result(timeout=60) for one in waiting] == ["one", "two"]


def test_known_and_unknown_are_turned_away_alike(slow: Slow, stored: str) -> None:
    hashing.use(4)
    with no_turn_is_free(slow):
        for known in (stored, None):
            with pytest.raises(errors.Unavailable):
                hashing.matches("correct horse", known)


def test_nobody_waits_for_ever_and_who_gave_up_frees_the_seat(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    hashing.use(8)
    monkeypatch.setattr(hashing, "LONGEST_WAIT_SECONDS", 0.01)
    acquire, waits = hashing._turn.acquire, list[float | None]()

    def recorded(blocking: bool = True, timeout: float | None = None) -> bool:
        waits.extend([timeout] if blocking else [])
        return acquire(blocking, timeout)

    with no_turn_is_free(slow):
        monkeypatch.setattr(hashing._turn, "acquire", recorded)
        for _ in range(2):
            with pytest.raises(errors.Unavailable):
                hashing.hashed("one more")
        assert waits == [0.01, 0.01]
        assert hashing._seats.acquire(blocking=False)
        hashing._seats.release()


def test_a_failed_hash_gives_its_turn_back(stored: str) -> None:
    with pytest.raises(argon2.exceptions.InvalidHashError):
        hashing.matches("x", "no hash")
    assert hashing.matches("correct horse", stored)


def test_where_no_seat_is_left_nothing_else_is_begun(slow: Slow) -> None:
    hashing.use(8)
    hashing.refuse_crowd()
    with ThreadPoolExecutor(1) as pool, no_turn_is_free(slow):
        hashing.refuse_crowd()
        last = pool.submit(hashing.hashed, "last")
        until_all_seats_are_taken()
        with pytest.raises(errors.Unavailable):
            hashing.refuse_crowd()
        slow.let.release(hashing.AT_A_TIME + 1)
        assert last.result(timeout=60) == "last"
    hashing.refuse_crowd()


def test_without_any_seats_a_free_turn_is_enough(slow: Slow) -> None:
    hashing.use(1)
    hashing.refuse_crowd()
    with no_turn_is_free(slow), pytest.raises(errors.Unavailable):
        hashing.refuse_crowd()

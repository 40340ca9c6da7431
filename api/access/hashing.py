"""Slow hashes of secrets that people choose or type: argon2id, two at a time in each process.

One hash costs 30 ms of a core. Without a limit a handful of people signing in hold every thread, and everybody's reads
wait with them: so two compute, an eighth of the threads may wait for a while, and the rest are told to come back. With
one at a time, signing in falls behind whatever else keeps the cores busy.
"""

import base64
import contextlib
import os
import threading
from collections.abc import Iterator

import argon2
from prometheus_client import Counter

from api import errors

# OWASP Password Storage Cheat Sheet: argon2id, 12 MiB, 3 passes, 1 lane. Of its equally strong choices, one with less
# memory disturbs the reads beside it less. What is stored names its own parameters, so that raising these leaves nobody
# out: whoever signs in next is hashed anew (`outdated`).
HASHER = argon2.PasswordHasher(time_cost=3, memory_cost=12 * 1024, parallelism=1, hash_len=32, salt_len=16)
LONGEST_WAIT_SECONDS = 5.0
AT_A_TIME, SHARE_THAT_WAITS = 2, 8

HASHES = Counter("continuum_secret_hashes_total", "Slow hashes of secrets computed.")

_turn = threading.Semaphore(AT_A_TIME)
_seats = threading.Semaphore(SHARE_THAT_WAITS)


def use(threads: int) -> None:
    """Let at most an eighth of the process's `threads` wait for a hash."""
    global _seats
    _seats = threading.Semaphore(threads // SHARE_THAT_WAITS)


def refuse_crowd() -> None:
    """Raises `errors.Unavailable` where a hash would find no seat to wait in: before anything else is spent on it."""
    seats = _seats
    if seats.acquire(blocking=False):
        seats.release()
    elif _turn.acquire(blocking=False):
        _turn.release()
    else:
        raise errors.Unavailable


def hashed(secret: str | bytes) -> str:
    """The salted hash with its parameters (PHC string). Raises `errors.Unavailable` while too many wait."""
    with _alone():
        return HASHER.hash(_bytes(secret))


def matches(secret: str | bytes, stored: str | None) -> bool:
    """Whether `stored` is of `secret`. Nobody's secret (None) costs the same one hash as a wrong one.

    Raises `errors.Unavailable` while too many wait, whoever's secret it is.
    """
    with _alone(), contextlib.suppress(argon2.exceptions.VerifyMismatchError):
        return HASHER.verify(stored or NOBODYS, _bytes(secret)) and stored is not None
    return False


def outdated(stored: str) -> bool:
    """Whether `stored` was made with other parameters than today's, and should be made anew at a sign-in."""
    return HASHER.check_needs_rehash(stored)


def _bytes(secret: str | bytes) -> bytes:
    return secret.encode(errors="surrogatepass") if isinstance(secret, str) else secret


def _nobodys() -> str:
    """A hash of nothing in particular, with today's parameters."""
    salt, tag = (base64.b64encode(os.urandom(size)).decode().rstrip("=") for size in (HASHER.salt_len, HASHER.hash_len))
    cost = f"m={HASHER.memory_cost},t={HASHER.time_cost},p={HASHER.parallelism}"
    return f"$argon2id$v={argon2.low_level.ARGON2_VERSION}${cost}${salt}${tag}"


NOBODYS = _nobodys()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    if not (_turn.acquire(blocking=False) or _waited()):
        raise errors.Unavailable
    try:
        HASHES.inc()
        yield
    finally:
        _turn.release()


def _waited() -> bool:
    """Take a seat, if there is one, and wait for the turn."""
    seats = _seats
    if not seats.acquire(blocking=False):
        return False
    try:
        return _turn.acquire(timeout=LONGEST_WAIT_SECONDS)
    finally:
        seats.release()

"""Leaving a carrier in trouble alone for a while, so that nobody waits for it and it is not asked to death.

A circuit is one process's own idea of one carrier: it opens after some failures in a row, and after a pause lets one
message through to see; until its outcome is known the others wait, but for what is urgent. Wrong credentials open it at
once and are told to the operator once, not with every message.
"""

import random
import threading
import time

from prometheus_client import Gauge

from api.messages.gateway import MISCONFIGURED, RETRY, Outcome
from api.observe import log

FAILURES = 5
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 5.0, 120.0
MISCONFIGURED_SECONDS = 120.0
# Whoever finds somebody else trying looks again after so long; a try that was never heard of stands in the way no
# longer than a carrier may take to answer.
AGAIN_SECONDS, TRY_SECONDS = 1.0, 60.0

OPEN = Gauge("continuum_carrier_circuit_open", "1 while a carrier in trouble is left alone.", ["carrier"])


def jittered(seconds: float, *, asked: float = 0.0) -> float:
    """About as long, so that what failed together does not come again together; never before the time that the carrier
    `asked` for is over (RFC 9110 §10.2.3)."""
    return max(seconds * random.uniform(0.8, 1.2), asked * random.uniform(1.0, 1.2))  # noqa: S311


class Circuit:
    """Of the carrier `name`. Safe to share between threads."""

    def __init__(self, name: str) -> None:
        self._name, self._lock = name, threading.Lock()
        self._failures, self._pause = 0, FIRST_PAUSE_SECONDS
        self._closed_at, self._tried_until = 0.0, 0.0
        self._alarmed = False
        OPEN.labels(name).set(0)

    def wait(self) -> float:
        """In how many seconds the carrier may be tried; 0 for now."""
        with self._lock:
            return self._left()

    def enter(self, *, urgent: bool = False) -> float:
        """The same for who sends now where it is 0, and tells by `heard` what came of it: after a pause it is 0 for one
        alone, and for what is `urgent`."""
        with self._lock:
            left = self._left(urgent=urgent)
            if not left and self._closed_at:
                self._tried_until = time.monotonic() + TRY_SECONDS
            return left

    def _left(self, *, urgent: bool = False) -> float:
        now = time.monotonic()
        if now < self._closed_at:
            return self._closed_at - now
        return AGAIN_SECONDS if now < self._tried_until and not urgent else 0.0

    def heard(self, outcome: Outcome) -> None:
        """Learn from what the carrier said."""
        with self._lock:
            self._tried_until = 0.0
            if outcome.verdict == MISCONFIGURED:
                self._open(MISCONFIGURED_SECONDS)
                self._alarm(outcome.reason)
            elif outcome.verdict == RETRY:
                self._failed(outcome)
            else:
                self._well()

    def _failed(self, outcome: Outcome) -> None:
        self._failures += 1
        if self._failures >= FAILURES:
            self._open(self._pause, asked=outcome.retry_after or 0.0)
            self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
            # The next failure opens it again: one message is enough to see.
            self._failures = FAILURES - 1

    def _open(self, seconds: float, *, asked: float = 0.0) -> None:
        self._closed_at = time.monotonic() + jittered(seconds, asked=asked)
        OPEN.labels(self._name).set(1)

    def _alarm(self, reason: str) -> None:
        if not self._alarmed:
            log.error("carrier refuses our credentials", carrier=self._name, problem=reason)
        self._alarmed = True

    def _well(self) -> None:
        if self._failures or self._alarmed or self._closed_at:
            OPEN.labels(self._name).set(0)
        self._failures, self._pause, self._closed_at, self._alarmed = 0, FIRST_PAUSE_SECONDS, 0.0, False

"""How often one caller may ask: a fixed window per minute, told to the caller in RateLimit fields.

Counted per process in memory, by the caller's id or, for those without one, by address: a stranger's failures never
spend a patient's quota. Fields after draft-ietf-httpapi-ratelimit-headers-11. Fourteen lines of our own, because the
`limits` library's memory storage starts a thread for nearly every request of a server that is not busy.
"""

import threading
import time

from api import errors

WINDOW_SECONDS = 60


class Throttle:
    """One quota of `per_minute` requests for each key. Safe to share between threads."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self._policy = ("RateLimit-Policy", f'"minute";q={per_minute};w={WINDOW_SECONDS}')
        self._counts: dict[str, int] = {}
        self._ends = 0.0
        self._lock = threading.Lock()

    def spend(self, key: str) -> list[tuple[str, str]]:
        """Count one request; the response fields that say what is left. Raises `errors.TooManyRequests`."""
        now = time.monotonic()
        with self._lock:
            if now >= self._ends:
                self._counts, self._ends = {}, now + WINDOW_SECONDS
            count = self._counts[key] = self._counts.get(key, 0) + 1
            seconds = max(1, round(self._ends - now))
        left = max(0, self.per_minute - count)
        fields = [self._policy, ("RateLimit", f'"minute";r={left};t={seconds}')]
        if count > self.per_minute:
            raise errors.TooManyRequests(headers={"Retry-After": str(seconds), **dict(fields)})
        return fields

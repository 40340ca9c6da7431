"""How often one caller may ask: a fixed window per minute, told to the caller in RateLimit fields.

Counted per process in memory, by the caller's id or, for those without one, by address: a stranger's
failures never spend a patient's quota. Fields after draft-ietf-httpapi-ratelimit-headers-11.
"""

import time
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage

from api import errors

WINDOW_SECONDS = 60


@dataclass(slots=True)
class Spent:
    """What is left of a window: `remaining` requests for `reset` more seconds."""

    remaining: int
    reset: int


class Throttle:
    """One quota of `per_minute` requests for each key. Safe to share between threads."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.policy = f'"minute";q={per_minute};w={WINDOW_SECONDS}'
        self._item = RateLimitItemPerMinute(per_minute)
        self._storage = MemoryStorage()

    def spend(self, key: str) -> Spent:
        """Count one request. Raises `errors.TooManyRequests` with `Retry-After` once the quota is spent."""
        name = self._item.key_for(key)
        count = self._storage.incr(name, WINDOW_SECONDS)
        reset = max(1, round(self._storage.get_expiry(name) - time.time()))
        if count > self.per_minute:
            raise errors.TooManyRequests(headers={"Retry-After": str(reset), **self.fields(Spent(0, reset))})
        return Spent(self.per_minute - count, reset)

    def fields(self, spent: Spent) -> dict[str, str]:
        """The two response fields."""
        return {"RateLimit-Policy": self.policy, "RateLimit": f'"minute";r={spent.remaining};t={spent.reset}'}

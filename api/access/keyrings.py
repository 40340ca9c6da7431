"""The public keys that a client signs with at the moment: those it gave us, or those it publishes at an address.

By value, an old key may stand beside its successor until `retires_at`. By address, the client rotates by itself: what
was fetched is kept no longer than its own `Cache-Control` allows, and a key that is not among it is looked for again,
but not at every stranger's wish. Whatever goes wrong, the client has no keys, and so proves nothing.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import orjson

from api import outward
from api.access import public_keys
from api.access.public_keys import JWK
from api.observe import log

MOST_KEYS, MOST_BYTES, MOST_URLS = 50, 65536, 1024
UNSAID_SECONDS, LONGEST_SECONDS = 60, 300
UNKNOWN_KID_SECONDS, AFTER_FAILURE_SECONDS = 30, 5
FETCH_SECONDS = 5.0


class Asks(Protocol):
    """`outward.Outward`, as far as it is used here."""

    def get(self, url: str, *, most_bytes: int, seconds: float) -> outward.Answer:
        """The answer. Raises `outward.NotReached`."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was found at an address; instants are of a monotonic clock."""

    keys: list[JWK]
    at: float
    fresh_until: float

    def suffices(self, kid: str, now: float) -> bool:
        recent = now < self.at + UNKNOWN_KID_SECONDS
        return now < self.fresh_until and (recent or any(one["kid"] == kid for one in self.keys))


def by_value(registered: Iterable[Mapping[str, Any]], *, at: datetime) -> list[JWK]:
    """The registered keys that have not retired by `at`; a `retires_at` that cannot be read has passed."""
    standing = (one for one in registered if _stands(one.get("retires_at"), at))
    return [{name: value for name, value in one.items() if name != "retires_at"} for one in standing]


class KeysByUrl:
    """Remembers what clients publish. Safe to share between threads; a fetch under way is waited for by all."""

    def __init__(
        self, asks: Callable[[], Asks] = outward.current, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._asks, self._now = asks, monotonic
        self._known: OrderedDict[str, Fetched] = OrderedDict()
        self._under_way: dict[str, Future[list[JWK]]] = {}
        self._lock = threading.Lock()

    def get(self, url: str, *, kid: str) -> list[JWK]:
        """The good public keys at `url`, where one named `kid` is wanted. Never raises: no answer is no keys."""
        with self._lock:
            if (known := self._known.get(url)) is not None and known.suffices(kid, self._now()):
                return list(known.keys)
            if mine := url not in self._under_way:
                self._under_way[url] = Future()
            found = self._under_way[url]
        if mine:
            self._settle(url, found)
        return list(found.result())

    def _settle(self, url: str, found: "Future[list[JWK]]") -> None:
        """Fetch, remember, and tell those who wait, however it ends."""
        keys: list[JWK] = []
        try:
            fetched = self._fetch(url)
            with self._lock:
                keys = self._remember(url, fetched)
        finally:
            with self._lock:
                del self._under_way[url]
            found.set_result(keys)

    def _fetch(self, url: str) -> Fetched | None:
        """None for no answer, or none that is a JWK Set of a sensible size. Its age counts from the asking."""
        began = self._now()
        try:
            answer = self._asks().get(url, most_bytes=MOST_BYTES, seconds=FETCH_SECONDS)
            keys, seconds = _keys_of(answer), _kept_seconds(answer.headers)
        except (outward.NotReached, ValueError):
            return None
        except Exception:
            log.exception("the keys of a client were not read")
            return None
        return Fetched(keys, began, began + seconds)

    def _remember(self, url: str, fetched: Fetched | None) -> list[JWK]:
        """The keys from now on. A failure takes no keys away that are still fresh, and is not repeated at once."""
        now, known = self._now(), self._known.get(url)
        if fetched is None and known is not None and now < known.fresh_until:
            fetched = replace(known, at=now)
        kept = fetched or Fetched([], now, now + AFTER_FAILURE_SECONDS)
        self._known.pop(url, None)
        if kept.fresh_until > now:
            self._known[url] = kept
        while len(self._known) > MOST_URLS:
            self._known.popitem(last=False)
        return kept.keys


def _keys_of(answer: outward.Answer) -> list[JWK]:
    """The keys that are good for signatures; others may stand beside them for other uses. Raises `ValueError`."""
    found = orjson.loads(answer.body) if answer.status == 200 else None
    keys = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(keys, list) or len(keys) > MOST_KEYS:
        raise ValueError
    return [one for one in keys if public_keys.jwk_problems(one) is None]


def _kept_seconds(headers: Mapping[str, str]) -> int:
    """How long an answer may be kept (RFC 9111 §5.2.2); what is said but not understood is no permission."""
    pairs = [one.strip().lower().partition("=") for one in headers.get("cache-control", "").split(",")]
    if any(name.strip() in ("no-store", "no-cache") for name, _, _ in pairs):
        return 0
    ages = [_seconds(value) for name, _, value in pairs if name.strip() == "max-age"]
    if not ages:
        return UNSAID_SECONDS
    return max(0, min(LONGEST_SECONDS, min(ages) - _seconds(headers.get("age", "0"))))


def _seconds(text: str) -> int:
    """A delta-seconds (RFC 9111 §1.2.2), 0 for anything else; nobody's patience has more than nine digits."""
    digits = text.strip().strip('"')
    return int(digits[:9]) if digits.isascii() and digits.isdigit() else 0


def _stands(retires_at: object, at: datetime) -> bool:
    if retires_at is None:
        return True
    try:
        return at < datetime.fromisoformat(str(retires_at))
    except (ValueError, TypeError):
        return False

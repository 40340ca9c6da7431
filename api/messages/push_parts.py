"""What the push services have in common: what a notification holds, how they are asked, and how long they may take.

A notification passes through Apple's, Google's or a browser maker's hands and lies on a lock screen. So it holds the
neutral sentence, and ids that mean nothing to anybody else (standards.md §7.1); the app fetches the rest when unlocked.
"""

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx
import orjson

from api.messages.gateway import MISCONFIGURED, REFUSED, RETRY, Message, Outcome
from api.outward import Trust

# Connecting takes 3 s at most, and all of it 10: what is slower is tried again, and by then something else is wrong.
TIMEOUT = httpx.Timeout(connect=3.0, write=2.0, read=5.0, pool=2.0)
CONNECTIONS = httpx.Limits(max_connections=20, max_keepalive_connections=20, keepalive_expiry=300)
# What names no end is of no use after a day.
LONGEST_SECONDS = 86_400
LONGEST_WAIT = 3_600.0
# Reasons are words of the provider's; what is none could hold anything, and goes to no log.
REASON = re.compile(r"[A-Za-z0-9_]{1,64}")
KEYS = UUID("5b0a9c0e-6a2c-5c0c-9d4e-0d8f1c7b2a36")
# Phones group notifications by this; it is the same for all of ours.
THREAD = "reminders"


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clinic's time, by which messages end, and real time, by which tokens and waits are measured."""

    now: Callable[[], datetime]
    wall: Callable[[], datetime]


def client(ca_file: Path | None, *, http2: bool) -> httpx.Client:
    """Keeps connections open, is shared by threads, follows no redirect and heeds no proxy of the environment."""
    return httpx.Client(
        verify=Trust.of(ca_file, protocol="h2" if http2 else "http/1.1"),
        http1=not http2,
        http2=http2,
        timeout=TIMEOUT,
        limits=CONNECTIONS,
        trust_env=False,
        headers={"user-agent": "continuum"},
    )


class PerThread:
    """A client for each thread that asks: an HTTP/2 connection of httpcore's drops requests when threads share it."""

    def __init__(self, make: Callable[[], httpx.Client]) -> None:
        self._make, self._own, self._all = make, threading.local(), list[httpx.Client]()

    def current(self) -> httpx.Client:
        """The running thread's."""
        found: httpx.Client | None = getattr(self._own, "client", None)
        if found is None:
            found = self._own.client = self._make()
            self._all.append(found)
        return found

    def close(self) -> None:
        for one in self._all:
            one.close()


def ids(message: Message) -> dict[str, str]:
    """What the app needs to find and to replace the entry, and to tell that it was seen."""
    known = {"reminder_id": str(message.subject_id or ""), "collapse_id": message.collapse_id}
    return {name: value for name, value in known.items() if value}


def notification_id(message: Message) -> UUID:
    """The same for the same key, so that sending it twice is recognised where the service looks at it."""
    return uuid5(KEYS, message.key)


def seconds_left(message: Message, *, at: datetime) -> int:
    """How long a service may keep trying."""
    if message.expires_at is None:
        return LONGEST_SECONDS
    left = (message.expires_at - at).total_seconds()
    return min(max(int(left), 0), 28 * LONGEST_SECONDS)


def retry_after(headers: Mapping[str, str], *, at: datetime) -> float | None:
    """The seconds that `Retry-After` asks for, in either of its forms (RFC 9110 §10.2.3), an hour at most; None where
    it says nothing that can be read."""
    said = headers.get("retry-after", "").strip()
    if said.isdecimal():
        return min(float(said[:9]), LONGEST_WAIT)
    try:
        wait = (parsedate_to_datetime(said) - at).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(wait, 0.0), LONGEST_WAIT)


def parsed(body: bytes) -> Any:
    """The JSON of an answer; an empty object where it is none."""
    try:
        return orjson.loads(body) if body else {}
    except orjson.JSONDecodeError:
        return {}


def word(reason: object, status: int) -> str:
    """The provider's own code where it is one, else its status."""
    return reason if isinstance(reason, str) and REASON.fullmatch(reason) else f"status_{status}"


def by_status(status: int, reason: str, headers: Mapping[str, str], *, at: datetime) -> Outcome:
    """What a status means by itself, where no code says more."""
    if status == 429 or status >= 500:
        return Outcome(RETRY, reason, retry_after(headers, at=at))
    return Outcome(MISCONFIGURED if status in (401, 403) else REFUSED, reason)


def unanswered(error: httpx.HTTPError) -> Outcome:
    """Nothing usable came back; whether it was taken is unknown."""
    return Outcome(RETRY, "timeout" if isinstance(error, httpx.TimeoutException) else "connection")


def unix(moment: datetime) -> int:
    return int(moment.timestamp())

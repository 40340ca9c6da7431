"""What carries a message out of the house, behind two Protocols.

A `Gateway` takes messages whole and knows by itself where they go: the console, a file, a fake. A `Provider` carries to
one address of its channel: APNs, FCM, Web Push, texts, mail.
"""

import fcntl
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID

import orjson

from api.observe import log

ACCEPTED, RETRY, REFUSED, DEAD, MISCONFIGURED = "accepted", "retry", "refused", "dead", "misconfigured"


@dataclass(frozen=True, slots=True)
class Message:
    """`key` is the idempotency key: the same key is the same message. `recipient` is whom a gateway looks up: a
    patient's id, or a duty contact. After `expires_at` the message is of no use to its reader.

    A later message replaces an earlier one of the same `collapse_id` on a phone. A `silent` one rings nowhere. `kind`
    is the id of its template. `patient_id` is None where it goes to staff. `channels` are the patient's, in order;
    `channel` is the one that a gateway is told of. `worded` says the same in another language.
    """

    key: str
    channel: str
    recipient: str
    text: str
    language: str
    subject_id: UUID | None = None
    expires_at: datetime | None = None
    collapse_id: str = ""
    silent: bool = False
    kind: str = ""
    patient_id: UUID | None = None
    channels: tuple[str, ...] = ()
    worded: Callable[[str], str] | None = field(default=None, repr=False, compare=False)

    def for_reader_at(self, address: "Address") -> "Message":
        """In the language of the phone, where that is another one."""
        language = address.details.get("language", self.language)
        if self.worded is None or language == self.language:
            return self
        return replace(self, language=language, text=self.worded(language))


@dataclass(frozen=True, slots=True)
class Address:
    """Where one message can go: a row of devices, phone numbers or mail addresses by its `id`. `target` is a push
    token or subscription, a number (E.164) or a mailbox; `details` are what its provider needs beside it."""

    id: UUID
    channel: str
    provider: str
    target: str = field(repr=False)
    registered_at: datetime
    details: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a provider said: `accepted`, `retry` (not now), `refused` (never, whatever the address), `dead` (the address
    leads nowhere any more) or `misconfigured` (our credentials are wrong).

    `reason` is the provider's own code, never text; `retry_after` the seconds that it asked for; `provider_id` its id
    of the message, by which it reports later.
    """

    verdict: str
    reason: str = ""
    retry_after: float | None = None
    provider_id: str | None = None


class Provider(Protocol):
    """Carries to an address of its own; shared by threads, and called with no transaction open."""

    name: str

    def send(self, message: Message, address: Address) -> Outcome:
        """May raise anything; that is `retry`, since whether it was taken is unknown."""


class Gateway(Protocol):
    """Carries messages to whom they are for; it is called with no transaction open."""

    def deliver(self, message: Message) -> str:
        """`accepted` (now, or earlier under this key), `retry` (not now) or `refused` (never). May raise anything;
        that is `retry`, since whether it was taken is unknown."""

    def accepted(self, keys: Iterable[str]) -> frozenset[str]:
        """Which of these keys were taken already, as far as the provider can tell."""


class Console:
    """Writes the text to the log, without the recipient, and carries it nowhere: for development only."""

    def deliver(self, message: Message) -> str:
        log.info("message", channel=message.channel, key=message.key, text=message.text)
        return ACCEPTED

    def accepted(self, keys: Iterable[str]) -> frozenset[str]:
        return frozenset()


class Outbox:
    """A file with one JSON line per attempt, shared by any number of processes; it takes each key once, as a provider
    with an idempotency id does, and records further attempts as such."""

    def __init__(self, path: Path) -> None:
        self._path, self._read_to = path, 0
        self._taken: set[str] = set()

    def deliver(self, message: Message) -> str:
        with self._locked() as file:
            self._catch_up(file)
            line = orjson.dumps({"accepted": message.key not in self._taken, **_plain(message)})
            file.write(line + b"\n")
            file.flush()
        return ACCEPTED

    def accepted(self, keys: Iterable[str]) -> frozenset[str]:
        with self._locked() as file:
            self._catch_up(file)
        return frozenset(keys) & self._taken

    def _locked(self) -> BinaryIO:
        """The file with its lock, which closing it, or dying, gives up."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+b")
        fcntl.flock(file, fcntl.LOCK_EX)
        return file

    def _catch_up(self, file: BinaryIO) -> None:
        """Read what others wrote since; a line that a killed process left half written is no attempt."""
        if os.fstat(file.fileno()).st_size < self._read_to:
            self._read_to = 0  # somebody emptied the file
            self._taken.clear()
        file.seek(self._read_to)
        new = file.read()
        whole = new[: new.rfind(b"\n") + 1]
        if whole != new:
            os.ftruncate(file.fileno(), self._read_to + len(whole))
        self._read_to += len(whole)
        self._taken.update(orjson.loads(line)["key"] for line in whole.splitlines())


@dataclass
class Recording:
    """A fake that keeps what it was given. `outcomes` answers by recipient; one that is an exception is raised."""

    outcomes: dict[str, str | Exception] = field(default_factory=dict)
    attempts: list[Message] = field(default_factory=list)
    taken: dict[str, Message] = field(default_factory=dict)

    def deliver(self, message: Message) -> str:
        self.attempts.append(message)
        outcome = self.outcomes.get(message.recipient, ACCEPTED)
        if isinstance(outcome, Exception):
            raise outcome
        if outcome == ACCEPTED:
            self.taken.setdefault(message.key, message)
        return outcome

    def accepted(self, keys: Iterable[str]) -> frozenset[str]:
        return frozenset(keys) & self.taken.keys()


def of(messages_file: Path | None) -> Gateway:
    """The gateway of a deployment that names an outbox file, or none."""
    return Outbox(messages_file) if messages_file else Console()


_in_use: Gateway = Console()


def use(gateway: Gateway) -> None:
    """Send by `gateway` from now on in this process."""
    global _in_use
    _in_use = gateway


def in_use() -> Gateway:
    return _in_use


def _plain(message: Message) -> dict[str, object]:
    names = ("key", "channel", "recipient", "text", "language", "subject_id", "expires_at")
    return {name: getattr(message, name) for name in names}

"""A carrier of messages in a process of its own, over HTTP on the loopback, that keeps count.

It tells apart what it was asked, what it turned away while it was down, and what it took. `fcm` takes each key once, as
a provider does that knows an idempotency key; `sms` knows none, and takes whatever comes. It thinks for a moment before
and after it takes a message, so that whoever asks may be killed at every instant.

`POST /fcm` carries; `POST /trouble` has it down or slow for some seconds; `GET /told` is its account. It ends with the
process that started it, and when nobody has asked for a while.
"""

import asyncio
import json
import random
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

IDEMPOTENT = ("fcm",)
THINKS_SECONDS = 0.003
IDLE_SECONDS = 900.0


@dataclass
class Account:
    """Of one carrier. `bodies` are the different messages that came under one key: more than one is none of a key."""

    asked: int = 0
    turned_away: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    bodies: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    targets: Counter[str] = field(default_factory=Counter)

    def told(self) -> dict[str, Any]:
        return {
            "asked": self.asked,
            "turned_away": self.turned_away,
            "taken": self.taken,
            "targets": self.targets,
            "ambiguous": [key for key, bodies in self.bodies.items() if len(bodies) > 1],
        }


class Carriers:
    """All carriers of the process, and the trouble that they are in."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = defaultdict(Account)
        self.asked_at = time.monotonic()
        self._down_until = self._slow_until = self._delay = 0.0

    def trouble(self, asked: dict[str, float]) -> None:
        now = time.monotonic()
        self._down_until = now + asked.get("down", 0.0)
        self._slow_until, self._delay = now + asked.get("slow", 0.0), asked.get("delay", 0.0)

    async def carry(self, name: str, message: dict[str, str]) -> int:
        """The status of the answer; 0 hangs up without one."""
        account = self.accounts[name]
        account.asked += 1
        if time.monotonic() < self._down_until:
            account.turned_away += 1
            return random.choice((0, 503))
        await self._think()
        self._take(account, name, message)
        await self._think()
        return 200

    def _take(self, account: Account, name: str, message: dict[str, str]) -> None:
        key = message["key"]
        account.bodies[key].add(message["text"] + message["target"])
        if name not in IDEMPOTENT or key not in account.taken:
            account.taken[key] += 1
            account.targets[message["target"]] += 1

    async def _think(self) -> None:
        slow = self._delay / 2 if time.monotonic() < self._slow_until else 0.0
        await asyncio.sleep(random.uniform(0, THINKS_SECONDS) + slow)


async def answer(carriers: Carriers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, kept while its other end keeps it."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            path, body = _path(head), await reader.readexactly(_length(head))
            carriers.asked_at = time.monotonic()
            if not (said := await _said(carriers, path, json.loads(body or b"{}"))):
                break
            writer.write(said)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _said(carriers: Carriers, path: str, asked: dict[str, Any]) -> bytes:
    status, body = 200, b"{}"
    if path == "/told":
        body = json.dumps({name: one.told() for name, one in carriers.accounts.items()}).encode()
    elif path == "/trouble":
        carriers.trouble(asked)
    else:
        status = await carriers.carry(path[1:], asked)
    return b"HTTP/1.1 %d -\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body) if status else b""


def _path(head: bytes) -> str:
    return head.split(b" ", 2)[1].decode()


def _length(head: bytes) -> int:
    found = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return int(found[0].partition(b":")[2]) if found else 0


async def serve(port: int) -> None:
    carriers = Carriers()
    server = await asyncio.start_server(lambda *streams: answer(carriers, *streams), "127.0.0.1", port)
    async with server:
        while time.monotonic() < carriers.asked_at + IDLE_SECONDS:
            await asyncio.sleep(1)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))

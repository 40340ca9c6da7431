"""The other end of `provider`: how a worker carries by it, and how a run starts, troubles and questions it."""

import http.client
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from api.children import Child
from api.messages.gateway import ACCEPTED, RETRY, Address, Message, Outcome
from tests.faults.house import ROOT
from tests.run.clones import free_port, wait_until

NAMES = ("fcm", "sms")
# Well under half of a lease: what is on its way when that half has passed must end within the other.
PATIENCE_SECONDS = 2.0


class Carrier:
    """A `Provider` that asks over HTTP, on a connection of each thread's own."""

    def __init__(self, name: str, port: int) -> None:
        self.name, self._port, self._lines = name, port, threading.local()

    def send(self, message: Message, address: Address) -> Outcome:
        asked = {"key": message.key, "text": message.text, "target": address.target}
        try:
            status = self._asked(json.dumps(asked).encode())
        except (OSError, http.client.HTTPException):
            self._lines.line = None
            raise
        return Outcome(ACCEPTED, provider_id=message.key) if status == 200 else Outcome(RETRY, str(status))

    def _asked(self, body: bytes) -> int:
        line: http.client.HTTPConnection | None = getattr(self._lines, "line", None)
        if line is None:
            line = self._lines.line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
        line.request("POST", f"/{self.name}", body)
        answer = line.getresponse()
        answer.read()
        return answer.status


class Fake:
    """The process of all carriers."""

    def __init__(self, port: int) -> None:
        self.port = port

    def trouble(self, **seconds: float) -> None:
        """`down=5`, or `slow=5, delay=0.5`."""
        self._ask("POST", "/trouble", seconds)

    def told(self) -> dict[str, Any]:
        """What each carrier was asked and took, by its name."""
        nothing = {"asked": 0, "turned_away": 0, "taken": {}, "targets": {}, "ambiguous": []}
        known: dict[str, Any] = self._ask("GET", "/told")
        return dict.fromkeys(NAMES, nothing) | known

    def answers(self) -> bool:
        try:
            self.told()
        except OSError:
            return False
        return True

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            line.request(method, path, json.dumps(body) if body else None)
            return json.loads(line.getresponse().read())
        finally:
            line.close()


@contextmanager
def carrying(folder: Path) -> Iterator[Fake]:
    fake = Fake(free_port())
    command = [sys.executable, "-m", "tests.faults.provider", str(fake.port)]
    child = Child("carriers", command, env=os.environ, cwd=ROOT, log=folder / "carriers.log")
    try:
        wait_until(fake.answers)
        yield fake
    finally:
        child.stop(5)

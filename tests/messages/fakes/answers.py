"""What a fake is told to answer next, and what it was asked."""

import json
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Asked:
    """One request, as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    http: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Scripted:
    """`after` are seconds of silence before it."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0


class Script:
    """Answers in the order given, then as a fake does by itself; shared by threads."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._next: deque[Scripted] = deque()
        self._lock = threading.Lock()

    def say(self, status: int, body: Any = b"", *, after: float = 0.0, **headers: str) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._next.append(Scripted(status, raw, named, after))

    def took(self, asked: Asked) -> Scripted | None:
        with self._lock:
            self.asked.append(asked)
            scripted = self._next.popleft() if self._next else None
        if scripted and scripted.after:
            time.sleep(scripted.after)
        return scripted

    @property
    def last(self) -> Asked:
        return self.asked[-1]

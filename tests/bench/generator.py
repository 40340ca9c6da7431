"""The load: connections that each ask again as soon as they are answered, from one thread over epoll.

About 20 µs of processor time a request, so that on two cores the server stays what is measured, and nothing to install.
"""

import re
import select
import socket
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

CONNECTIONS = 16
PATIENCE_SECONDS = 10
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class WrongAnswer(Exception):
    """A server answered something else than what is being measured."""


@dataclass
class Outcome:
    """What one run of load saw. Latencies are seconds."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def median(self) -> float:
        return statistics.median(self.latencies)


class Line:
    """One connection with one request under way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at, self._seen, self._missing = 0.0, b"", -1

    def ask(self, request: bytes) -> None:
        self._seen, self._missing, self.sent_at = b"", -1, time.perf_counter()
        self.socket.sendall(request)

    def hear(self) -> bytes | None:
        """The whole answer, or None while some of it is missing."""
        chunk = self.socket.recv(262_144)
        if not chunk:
            raise WrongAnswer("The server closed a connection in the middle of an answer.")
        self._seen += chunk
        if self._missing < 0 and (head := self._seen.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self._seen, 0, head)
            self._missing = head + 4 + (int(length[1]) if length else 0)
        return self._seen if 0 <= self._missing <= len(self._seen) else None


def load(
    port: int, ask: Callable[[], bytes], *, status: int, seconds: float, connections: int = CONNECTIONS
) -> Outcome:
    """Ask for `seconds`. Raises `WrongAnswer` at the first answer with another status."""
    lines = {line.socket.fileno(): line for line in (Line(port) for _ in range(connections))}
    try:
        return _turns(lines, ask, b"HTTP/1.1 %d" % status, seconds)
    finally:
        for line in lines.values():
            line.socket.close()


def _turns(lines: dict[int, Line], ask: Callable[[], bytes], expected: bytes, seconds: float) -> Outcome:
    ready, found, began = select.epoll(), Outcome(), time.perf_counter()
    for number, line in lines.items():
        ready.register(number, select.EPOLLIN)
        line.ask(ask())
    with ready:
        while (now := time.perf_counter()) < began + seconds:
            for number, _ in ready.poll(PATIENCE_SECONDS) or _silence():
                line = lines[number]
                if (answer := line.hear()) is not None:
                    found.latencies.append(time.perf_counter() - line.sent_at)
                    _refuse_other(answer, expected)
                    line.ask(ask())
    found.seconds = now - began
    return found


def _refuse_other(answer: bytes, expected: bytes) -> None:
    if not answer.startswith(expected):
        raise WrongAnswer(f"Expected {expected.decode()}, and heard: {answer[:600].decode(errors='replace')}")


def _silence() -> list[tuple[int, int]]:
    raise WrongAnswer(f"The server answered nothing for {PATIENCE_SECONDS} seconds.")


def answer_to(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """Ask once: status, header fields by lower-case name, body."""
    line = Line(port)
    line.ask(request)
    while (answer := line.hear()) is None:
        pass
    line.socket.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *fields = head.decode().split("\r\n")
    return int(first.split()[1]), {k.lower(): v.strip() for k, _, v in (one.partition(":") for one in fields)}, body


def get(path: str, **fields: str) -> bytes:
    """A GET request; underscores of the field names become dashes."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join((*lines, "", "")).encode()


def post(path: str, body: bytes, **fields: str) -> bytes:
    """A POST request with a JSON body."""
    sized = {"Content_Type": "application/json", "Content_Length": str(len(body)), **fields}
    return get(path, **sized).replace(b"GET", b"POST", 1) + body

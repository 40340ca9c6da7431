"""Partners' receivers, all in one process: each accepts what it is sent at once, or hangs.

`http://127.0.0.1:port/takes/1` answers 204; `…/hangs/1` takes the request and never answers.
"""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from tests.faults.workers import context

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
WEBHOOK = re.compile(rb"\r\nwebhook-id: *([0-9a-f-]{36})", re.IGNORECASE)
SIGNED = re.compile(rb"\r\nwebhook-signature: *v1,", re.IGNORECASE)
ACCEPTED = b"HTTP/1.1 204 No Content\r\n\r\n"
HANGS = b"POST /hangs/"

# When each webhook was accepted, by its id: seconds of the machine's clock that only goes forward.
Accepted = dict[str, float]


class Receivers:
    """The process, as whoever started it knows it."""

    def __init__(self, port: int, line: Connection) -> None:
        self.port, self._line = port, line

    def urls(self, count: int, *, hanging: int = 0) -> list[str]:
        """Addresses of so many receivers; the last ones hang."""
        words = ["takes"] * (count - hanging) + ["hangs"] * hanging
        return [f"http://127.0.0.1:{self.port}/{word}/{number}" for number, word in enumerate(words)]

    def accepted(self) -> Accepted:
        """What has been accepted since this was asked last."""
        self._line.send("?")
        told: Accepted = self._line.recv()
        return told


@contextmanager
def receiving() -> Iterator[Receivers]:
    made = context()
    ours, theirs = made.Pipe()
    process = made.Process(target=_receive, args=(theirs,), daemon=True)
    process.start()
    try:
        yield Receivers(ours.recv(), ours)
    finally:
        process.terminate()
        process.join()


def _receive(line: Connection) -> None:
    asyncio.run(_serve(line))


async def _serve(line: Connection) -> None:
    loop, accepted = asyncio.get_running_loop(), Accepted()

    def tell() -> None:
        line.recv()
        line.send(accepted)
        accepted.clear()

    server = await loop.create_server(lambda: _Receiver(accepted), "127.0.0.1", 0, backlog=512)
    loop.add_reader(line.fileno(), tell)
    line.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


class _Receiver(asyncio.Protocol):
    """One connection, on which requests come one after the other."""

    def __init__(self, accepted: Accepted) -> None:
        self._accepted, self._seen = accepted, b""

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._seen += data
        if (head := self._seen.find(b"\r\n\r\n")) < 0:
            return
        length = LENGTH.search(self._seen, 0, head)
        if len(self._seen) < head + 4 + (int(length[1]) if length else 0):
            return
        request, self._seen = self._seen, b""
        if not request.startswith(HANGS):
            self._accept(request)

    def _accept(self, request: bytes) -> None:
        """Nothing is counted that is not signed: it is no webhook."""
        if (webhook := WEBHOOK.search(request)) and SIGNED.search(request):
            self._accepted.setdefault(webhook[1].decode(), time.monotonic())
        self._transport.write(ACCEPTED)

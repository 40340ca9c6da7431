"""One question to another host and its answer, by a connection to one of its judged addresses.

`outward` loads this at its first question: most processes of the API ask nobody, and httpcore loads HTTP/2 besides.
"""

import ssl
import time
from typing import Any

import httpcore

from api import destinations
from api.destinations import STEP_SECONDS, Answer, Destination, NotReached, Question

CONNECT_SECONDS = 2.0
ASKED_WITH: list[tuple[bytes | str, bytes | str]] = [
    ("Accept", "application/json"),
    ("Accept-Encoding", "identity"),
    ("User-Agent", "continuum"),
]
system = httpcore.SyncBackend()


def exchanged(
    asked: Question,
    to: Destination,
    *,
    addresses: list[str],
    trust: ssl.SSLContext,
    network: httpcore.NetworkBackend | None,
    deadline: float,
) -> Answer:
    """What the host at one of `addresses` answers before `deadline` (of `time.monotonic`). Raises `NotReached`."""
    judged = _Judged(network or system, addresses, deadline, asked.step_seconds)
    try:
        return _answer(asked, to, trust, judged)
    except httpcore.TimeoutException:
        raise NotReached("timeout") from None
    except httpcore.ConnectError as error:
        raise NotReached("tls" if isinstance(error.__cause__, ssl.SSLError) else "connect") from None
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError, ValueError):
        raise NotReached("protocol") from None


def _answer(asked: Question, to: Destination, trust: ssl.SSLContext, network: "_Judged") -> Answer:
    port = None if to.port == destinations.HTTPS_PORT else to.port
    url = httpcore.URL(scheme="https" if to.secure else "http", host=to.host, port=port, target=to.target)
    connection = httpcore.HTTPConnection(url.origin, ssl_context=trust, network_backend=network)
    headers = [*ASKED_WITH, *asked.headers]
    with connection, connection.stream(asked.method, url, headers=headers, content=asked.content) as response:
        return _read_whole(response, asked.most_bytes)


def _left(deadline: float) -> float:
    """Seconds until `deadline`. Raises `NotReached` when there are none."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise NotReached("timeout")
    return seconds


class _Judged(httpcore.NetworkBackend):
    """Connects to one of the judged addresses, whatever the name would resolve to by now."""

    def __init__(
        self, network: httpcore.NetworkBackend, addresses: list[str], deadline: float, step_seconds: float
    ) -> None:
        self._network, self._addresses, self._deadline = network, addresses, deadline
        self._step_seconds = step_seconds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        failed: Exception = httpcore.ConnectError()
        for address in self._addresses:
            try:
                stream = self._network.connect_tcp(address, port, min(CONNECT_SECONDS, _left(self._deadline)))
                return _Hurried(stream, self._deadline, self._step_seconds)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


class _Hurried(httpcore.NetworkStream):
    """A stream whose every step ends with the deadline, though each alone would be in time."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float, step_seconds: float) -> None:
        self._stream, self._deadline, self._step_seconds = stream, deadline, step_seconds

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, min(self._step_seconds, _left(self._deadline)))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, min(self._step_seconds, _left(self._deadline)))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            seconds = min(STEP_SECONDS, _left(self._deadline))
            safe = self._stream.start_tls(ssl_context, server_hostname, seconds)
            return _Hurried(safe, self._deadline, self._step_seconds)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _read_whole(response: httpcore.Response, most_bytes: int) -> Answer:
    body = bytearray()
    for part in response.iter_stream():
        body += part
        if len(body) > most_bytes:
            raise NotReached("too_large")
    headers: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return Answer(response.status, headers, bytes(body))

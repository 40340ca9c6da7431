"""What the outside may know of a request: ids, a log line, metrics, and the headers every answer carries.

Nothing of a person is written: the log has the route's template, never the address, and no query, body or header.
Exceptions are logged by kind and place, without messages and values. All of this stands around Flask as WSGI, on
a `Note` that goes with the request: the same in Flask's hooks cost a third of a hot read.
"""

import contextlib
import os
import re
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

import orjson
import structlog
from flask import request
from prometheus_client import Counter, Histogram, start_http_server

from api import clock

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"))
NOTE = "continuum.note"
MOST_PROCESSES = 32
LINE = orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Strict-Transport-Security", "max-age=63072000"),
)
UNLESS_SET = (
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)

SECONDS = Histogram(
    "continuum_request_seconds",
    "Time from the request's arrival to its answer.",
    ("method", "route", "status"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
REFUSED = Counter("continuum_refusals_total", "Refusals by problem.", ("problem",))


def _kinds_and_places(exc_info: tuple[type[BaseException], BaseException, Any]) -> list[dict[str, Any]]:
    """An exception and its causes without their messages: a driver's message quotes the row that it refused."""
    found: list[dict[str, Any]] = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        places = [f"{one.filename}:{one.lineno} {one.name}" for one in traceback.extract_tb(error.__traceback__)]
        found.append({"kind": type(error).__qualname__, "sqlstate": getattr(error, "sqlstate", None), "at": places})
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found


# Unbuffered: a line is one write, whole even where several processes share the log.
_out = open(1, "wb", buffering=0, closefd=False)  # noqa: SIM115
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_kinds_and_places),
        structlog.processors.JSONRenderer(serializer=orjson.dumps),
    ],
    logger_factory=structlog.BytesLoggerFactory(_out),
    cache_logger_on_first_use=True,
)
log: Any = structlog.get_logger()


class Note:
    """What is known of one request while it is met. `headers` are added to its answer."""

    __slots__ = ("began", "caller_kind", "headers", "method", "problem", "request_id", "route", "traceparent")

    def __init__(self, environ: dict[str, Any]) -> None:
        given, made = environ.get("HTTP_X_REQUEST_ID", ""), os.urandom(40).hex()
        self.began = time.perf_counter()
        self.request_id = given if given and REQUEST_ID.fullmatch(given) else made[:32]
        self.traceparent = _trace(environ.get("HTTP_TRACEPARENT", ""), made[32:64], made[64:])
        self.method = environ["REQUEST_METHOD"] if environ["REQUEST_METHOD"] in METHODS else "unknown"
        self.route = "unmatched"
        self.caller_kind: str | None = None
        self.problem: str | None = None
        self.headers: list[tuple[str, str]] = []

    def complete(self, headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The answer's headers with those of the house; what the answer set itself stands."""
        present = {name.lower() for name, _ in headers}
        added = [one for one in (*self.headers, *UNLESS_SET) if one[0].lower() not in present]
        ids = (("X-Request-Id", self.request_id), ("traceparent", self.traceparent))
        return [*headers, *added, *ids, *ALWAYS]

    def write(self, status: str) -> None:
        """The request's one line, and its metrics."""
        seconds = time.perf_counter() - self.began
        SECONDS.labels(self.method, self.route, status).observe(seconds)
        with contextlib.suppress(OSError):  # A log that is full stops no answer.
            _out.write(orjson.dumps(self._line(int(status), seconds), option=LINE))

    def _line(self, status: int, seconds: float) -> dict[str, Any]:
        """As structlog would write it, which takes four times as long."""
        return {
            "method": self.method,
            "route": self.route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            "request_id": self.request_id,
            "trace": self.traceparent[3:35],
            "caller": self.caller_kind,
            "problem": self.problem,
            "event": "request",
            "level": "info",
            "timestamp": clock.wall(),
        }


class Watched:
    """A WSGI application, each of whose requests has a `Note`, leaves a line and carries the headers of the house."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        noted = environ[NOTE] = Note(environ)

        def start(status: str, headers: list[tuple[str, str]], *trouble: Any) -> Any:
            noted.write(status[:3])
            return start_response(status, noted.complete(headers), *trouble)

        return self.application(environ, start)


def note() -> Note:
    """That of the running request."""
    found: Note = request.environ[NOTE]
    return found


def serve_metrics(first_port: int) -> int:
    """Serve the metrics of this process on loopback, on a port of its own: the first free one of `MOST_PROCESSES`.

    Returns the port. Raises `OSError` when none is free.
    """
    for port in range(first_port, first_port + MOST_PROCESSES):
        try:
            start_http_server(port, addr="127.0.0.1")
        except OSError:
            continue
        return port
    raise OSError(f"no free port for metrics from {first_port} on")


def _trace(header: str, trace_id: str, span_id: str) -> str:
    """W3C Trace Context: go on with the caller's trace, or begin one where the header is malformed."""
    match = TRACEPARENT.fullmatch(header) if header else None
    if match is None or match[1] == "ff" or (match[1] == "00" and match[5]) or "0" * 16 in (match[2][:16], match[3]):
        return f"00-{trace_id}-{span_id}-00"
    return f"00-{match[2]}-{span_id}-{match[4]}"

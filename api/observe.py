"""What the outside may know of a request: ids, a log line, metrics, and the headers every answer carries.

Nothing of a person is written: the log has the route's template, never the address, and no query, body or
header. Exceptions are logged without the values of their frames.
"""

import re
import secrets
import time
from typing import Any

import orjson
import structlog
from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram, start_http_server

from api import errors

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"))
LONGEST_ADDRESS = 8192
FIXED_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Strict-Transport-Security", "max-age=63072000"),
)
LOCKED_DOWN = "default-src 'none'; frame-ancestors 'none'"

SECONDS = Histogram(
    "continuum_request_seconds",
    "Time from the request's arrival to its answer.",
    ("method", "route", "status"),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
REFUSED = Counter("continuum_refusals_total", "Refusals by problem.", ("problem",))

structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
        structlog.processors.JSONRenderer(serializer=orjson.dumps),
    ],
    logger_factory=structlog.BytesLoggerFactory(open(1, "wb", closefd=False)),  # noqa: SIM115
    cache_logger_on_first_use=True,
)
log: Any = structlog.get_logger()


def watch(app: Flask) -> None:
    """Give every request of `app` its ids, its log line, its metrics and the headers of the house."""
    app.before_request(_begin)
    app.after_request(_end)


def serve_metrics(port: int) -> None:
    """Serve the metrics of this process on loopback, on a port of their own."""
    start_http_server(port, addr="127.0.0.1")


def _begin() -> None:
    g.began = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
    g.traceparent = _trace(request.headers.get("traceparent", ""))
    if request.method not in METHODS:
        raise errors.NotImplementedMethod
    if len(request.environ.get("QUERY_STRING", "")) + len(request.path) > LONGEST_ADDRESS:
        raise errors.UriTooLong


def _trace(header: str) -> str:
    """W3C Trace Context: go on with the caller's trace, or begin one where the header is malformed."""
    match = TRACEPARENT.fullmatch(header)
    good = match and match[1] != "ff" and set(match[2]) != {"0"} and set(match[3]) != {"0"}
    good = good and not (match and match[1] == "00" and match[5])
    trace, flags = (match[2], match[4]) if match and good else (secrets.token_hex(16), "00")
    return f"00-{trace}-{secrets.token_hex(8)}-{flags}"


def _end(response: Response) -> Response:
    headers = response.headers
    headers["X-Request-Id"] = g.request_id
    headers["traceparent"] = g.traceparent
    for name, value in FIXED_HEADERS:
        headers[name] = value
    headers.setdefault("Content-Security-Policy", LOCKED_DOWN)
    headers.setdefault("Cache-Control", "no-store")
    for name, value in g.get("rate_limit", {}).items():
        headers.setdefault(name, value)
    _note(response.status_code)
    return response


def _note(status: int) -> None:
    seconds = time.perf_counter() - g.began
    route = request.url_rule.rule if request.url_rule else "unmatched"
    method = request.method if request.method in METHODS else "unknown"
    SECONDS.labels(method, route, str(status)).observe(seconds)
    log.info(
        "request",
        method=method,
        route=route,
        status=status,
        ms=round(seconds * 1000, 1),
        request_id=g.request_id,
        trace=g.traceparent[3:35],
        caller=g.get("caller_kind"),
        problem=g.get("problem"),
    )

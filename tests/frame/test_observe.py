"""Every answer carries its ids, every request leaves one line, and neither says who it was."""

import json
import re
import socket
import urllib.request
from collections.abc import Callable

import pytest

from api import observe
from tests.knocking import Knocker

ZERO = "00-" + "0" * 32 + "-" + "0" * 16 + "-01"
GOOD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_a_request_id_is_taken_up_or_made(visitor: Knocker) -> None:
    assert visitor.get("/livez", headers={"X-Request-Id": "abc-12345"}).headers["X-Request-Id"] == "abc-12345"
    for bad in ("short", "with space in it", "x" * 65):
        made = visitor.get("/livez", headers={"X-Request-Id": bad}).headers["X-Request-Id"]
        assert made != bad
        assert re.fullmatch("[0-9a-f]{32}", made)


def test_a_trace_goes_on(visitor: Knocker) -> None:
    went_on = visitor.get("/livez", headers={"traceparent": GOOD}).headers["traceparent"]
    assert went_on[:35] == GOOD[:35]
    assert went_on[36:52] != GOOD[36:52]
    assert went_on.endswith("-01")


@pytest.mark.parametrize("malformed", [ZERO, "ff" + GOOD[2:], GOOD[:-1], GOOD.upper(), GOOD + "-extra", "nonsense"])
def test_a_malformed_trace_is_left_and_a_new_one_begun(visitor: Knocker, malformed: str) -> None:
    began = visitor.get("/livez", headers={"traceparent": malformed}).headers["traceparent"]
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", began)
    assert began[3:35] not in malformed


def test_a_later_version_of_the_trace_header_is_read_by_its_first_fields(visitor: Knocker) -> None:
    went_on = visitor.get("/livez", headers={"traceparent": "01" + GOOD[2:] + "-more"}).headers["traceparent"]
    assert went_on[3:35] == GOOD[3:35]


def test_the_log_names_the_route_and_never_the_person(
    clinic: Knocker, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    clinic.put("/v1/clinic/patients/EHR-77-SECRET", json={"preferred_name": "Quentin"})
    clinic.get("/v1/clinic/patients/EHR-77-SECRET")
    written = capfdbinary.readouterr().out
    lines = [json.loads(line) for line in written.splitlines()]
    assert [line["route"] for line in lines] == ["/v1/clinic/patients/<external_id>"] * 2
    assert lines[0]["method"] == "PUT" and lines[0]["status"] == 200
    for secret in (b"Quentin", b"SECRET", b"Bearer", b"eyJ", b"u-17"):
        assert secret not in written


def test_every_answer_is_locked_down(visitor: Knocker) -> None:
    headers = visitor.get("/v1/me").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Strict-Transport-Security"].startswith("max-age=63072000")


def test_alive_and_ready(visitor: Knocker) -> None:
    assert visitor.get("/livez").json == {"status": "alive"}
    assert visitor.get("/readyz").status_code == 200


def test_a_database_that_was_not_migrated_is_not_ready(
    visitor: Knocker, owner_sql: Callable[..., list[tuple[object, ...]]]
) -> None:
    ((newest,),) = owner_sql("SELECT version_num FROM alembic_version")
    try:
        owner_sql("UPDATE alembic_version SET version_num = '0001_frame'")
        refused = visitor.get("/readyz")
    finally:
        owner_sql("UPDATE alembic_version SET version_num = %s", newest)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")


def test_each_process_serves_its_metrics_on_a_port_of_its_own() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = observe.serve_metrics(taken.getsockname()[1])
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as metrics:
        assert b"continuum_request_seconds" in metrics.read()

"""A person asks for a call from the website: always one answer, nothing repeated, and nobody buried by a flood."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from api import db
from api.app import Continuum
from api.referrals import requests
from schemas.referral_requests import ReferralRequestAnswer, ReferralRequestAsk
from tests.knocking import Knocker

PATH = "/v1/referral-requests"
WEBSITE = "https://www.clinic.example"
ASKED = ReferralRequestAsk.example
Sql = Callable[..., list[tuple[Any, ...]]]


def ask(visitor: Knocker, *, key: str | None = None, origin: str | None = WEBSITE, **changed: Any) -> TestResponse:
    headers = {"Origin": origin} if origin else {}
    return visitor.post(PATH, key=key, headers=headers, json={**ASKED, **changed})


def said(answer: TestResponse) -> tuple[int, bytes, dict[str, str]]:
    own = {"X-Request-Id", "traceparent", "RateLimit", "Date"}
    return answer.status_code, answer.data, {name: value for name, value in answer.headers if name not in own}


@pytest.fixture
def few() -> Iterator[None]:
    """Thirty an hour together, three from one address."""
    requests.use(30)
    yield
    requests.use(1_000_000)


def test_a_request_is_taken_into_triage(visitor: Knocker, owner_sql: Sql) -> None:
    assert ask(visitor, program="iop").status_code == 202
    kept = owner_sql(
        "SELECT r.origin, r.client_id, r.called, r.phone, r.voicemail_allowed, r.program_slug, t.state, t.patient_id"
        " FROM referrals r JOIN referral_triage t ON t.referral_id = r.id"
    )
    assert kept == [("self", None, "Sam", "+12125550143", False, "iop", "received", None)]
    assert owner_sql("SELECT act, actor_kind, actor FROM referral_events") == [("sent", "self", None)]


def test_the_answer_repeats_nothing_and_is_the_same_for_everybody(visitor: Knocker, patient: Knocker) -> None:
    first = ask(visitor, name="Robin Somebody", message="Something private")
    second = ask(visitor, name="Kim", phone=None, email="kim@example.org", message=None, program="op")
    assert said(first) == said(second)
    assert "Location" not in first.headers
    assert not ReferralRequestAnswer().validate(first.json)
    for word in ("Robin", "private", "0143", ASKED["best_time"]):
        assert word not in first.text


def test_the_answer_says_where_help_is_and_what_this_is_not(visitor: Knocker) -> None:
    answer = visitor.post(PATH, headers={"Accept-Language": "es"}, json=ASKED)
    assert [one["number"] for one in answer.json["crisis"]["resources"]][:2] == ["911", "988"]
    assert "emergencia" in answer.json["not_an_emergency_service"]
    assert answer.headers["Content-Language"] == "es"


def test_the_same_key_is_one_request(visitor: Knocker, owner_sql: Sql) -> None:
    key = str(uuid.uuid4())
    first, again = ask(visitor, key=key), ask(visitor, key=key)
    assert (first.status_code, again.status_code, first.data) == (202, 202, again.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert owner_sql("SELECT count(*) FROM referrals") == [(1,)]


def test_the_same_key_for_something_else_is_refused(visitor: Knocker) -> None:
    key = str(uuid.uuid4())
    ask(visitor, key=key)
    refused = ask(visitor, key=key, name="Kim")
    assert (refused.status_code, refused.json["type"].rsplit("/", 1)[1]) == (422, "idempotency-key-reused")
    assert "Sam" not in refused.text


def test_a_request_without_a_key_is_refused(visitor: Knocker) -> None:
    assert ask(visitor, key="").status_code == 400


def test_a_request_that_cannot_be_answered_is_refused(visitor: Knocker, owner_sql: Sql) -> None:
    assert ask(visitor, phone=None).status_code == 422
    assert ask(visitor, program="no-such-program").status_code == 422
    assert ask(visitor, message="x" * 1001).status_code == 422
    assert ask(visitor, urgency="soon").status_code == 422
    assert owner_sql("SELECT count(*) FROM referrals") == [(0,)]


def test_whoever_asks_reads_no_referral(visitor: Knocker, app: Continuum) -> None:
    ask(visitor)
    with db.transaction(db.Caller(kind="holder", presented=b"0" * 32)) as session:
        db.preview()
        with pytest.raises(db.exc.ProgrammingError):
            session.execute(db.sa.text("SELECT called FROM referrals"))


def test_the_websites_scripts_read_the_answer_and_no_others(visitor: Knocker) -> None:
    ours = ask(visitor)
    assert ours.headers["Access-Control-Allow-Origin"] == WEBSITE
    assert "Origin" in ours.headers["Vary"]
    for other in ("https://evil.example", "https://www.clinic.example.evil.example", f"{WEBSITE}:8443", "null", None):
        assert "Access-Control-Allow-Origin" not in ask(visitor, origin=other).headers


def test_a_refusal_is_read_by_the_websites_scripts_too(visitor: Knocker) -> None:
    refused = ask(visitor, phone=None)
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (422, WEBSITE)
    assert "Access-Control-Allow-Origin" not in ask(visitor, phone=None, origin="https://evil.example").headers


def test_a_browser_that_asks_first_is_told_what_it_may_send(visitor: Knocker) -> None:
    asked = {"Origin": WEBSITE, "Access-Control-Request-Method": "POST"}
    told = visitor.request("OPTIONS", PATH, headers=asked)
    assert (told.status_code, told.headers["Access-Control-Allow-Origin"]) == (204, WEBSITE)
    assert "Idempotency-Key" in told.headers["Access-Control-Allow-Headers"]
    assert told.headers["Access-Control-Allow-Methods"] == "POST"
    other = visitor.request("OPTIONS", PATH, headers={**asked, "Origin": "https://evil.example"})
    assert not [name for name in dict(other.headers) if name.startswith("Access-Control-")]


def test_no_other_address_answers_a_preflight(visitor: Knocker) -> None:
    for path in ("/v1/programs", "/v1/me", "/v1/clinic/referrals"):
        told = visitor.request("OPTIONS", path, headers={"Origin": WEBSITE})
        assert "Access-Control-Allow-Methods" not in told.headers


def test_one_address_cannot_send_a_flood(visitor: Knocker, few: None, owner_sql: Sql) -> None:
    assert [ask(visitor).status_code for _ in range(5)] == [202, 202, 202, 429, 429]
    assert owner_sql("SELECT count(*) FROM referrals") == [(3,)]
    refused = ask(visitor)
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.headers["Access-Control-Allow-Origin"] == WEBSITE


def test_many_addresses_together_cannot_either(visitor: Knocker, few: None, owner_sql: Sql) -> None:
    def status(number: int) -> int:
        address = {"REMOTE_ADDR": f"192.0.2.{number}"}
        return visitor.post(PATH, json=ASKED, environ_overrides=address).status_code

    assert [status(number) for number in range(32)] == [202] * 30 + [429] * 2

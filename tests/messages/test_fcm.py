"""Google's push service: access by a service account, messages as FCM's v1 API wants them, and all of its errors."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from api import carriers, clock
from api.messages import push_fcm
from api.messages.gateway import ACCEPTED, DEAD, MISCONFIGURED, REFUSED, RETRY, Outcome
from tests.messages.fakes import certificates, fcm
from tests.messages.fakes.certificates import PEM, Certificate
from tests.messages.pushing import CLOCKS, REMINDER, TEXT, address, message

TOKEN = "synthetic-token:APA91b" + "x" * 100
PHONE = address("fcm", TOKEN, environment="production")


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificates.made(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def google(certificate: Certificate, key: rsa.RSAPrivateKey) -> Iterator[fcm.Fcm]:
    serving = fcm.Fcm(certificate, key.public_key())
    yield serving
    serving.stop()


@pytest.fixture
def account(google: fcm.Fcm, key: rsa.RSAPrivateKey, tmp_path: Path) -> Path:
    secret = key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    named = {"type": "service_account", "project_id": fcm.PROJECT, "client_email": fcm.EMAIL}
    file = tmp_path / "account.json"
    token_uri = f"{google.url}/token"
    file.write_text(json.dumps({**named, "token_uri": token_uri, "private_key_id": "1", "private_key": secret}))
    return file


@pytest.fixture
def provider(google: fcm.Fcm, account: Path, certificate: Certificate) -> Iterator[push_fcm.Fcm]:
    made = push_fcm.Fcm(carriers.Fcm(account, google.url), clocks=CLOCKS, ca_file=certificate.ca_file)
    yield made
    made.close()


def test_a_notification_is_taken(google: fcm.Fcm, provider: push_fcm.Fcm) -> None:
    assert provider.send(message(), PHONE) == Outcome(ACCEPTED, provider_id="0:1")
    assert google.sent[0].json == {
        "message": {
            "token": TOKEN,
            "notification": {"body": TEXT},
            "data": {"reminder_id": str(REMINDER), "collapse_id": "c" * 64},
            "android": {
                "priority": "HIGH",
                "ttl": google.sent[0].json["message"]["android"]["ttl"],
                "collapse_key": "c" * 64,
                "notification": {"tag": "c" * 64, "visibility": "PRIVATE"},
            },
        }
    }
    assert len(google.sent[0].body) < 4096


def test_it_is_kept_as_long_as_it_is_of_use(google: fcm.Fcm, provider: push_fcm.Fcm) -> None:
    provider.send(message(), PHONE)
    provider.send(message(expires_at=clock.now() - timedelta(minutes=1)), PHONE)
    lives = [int(one.json["message"]["android"]["ttl"].removesuffix("s")) for one in google.sent]
    assert 7190 <= lives[0] <= 7200
    assert lives[1] == 0


def test_a_silent_one_makes_no_sound(google: fcm.Fcm, provider: push_fcm.Fcm) -> None:
    assert provider.send(message(silent=True), PHONE).verdict == ACCEPTED
    android = google.sent[0].json["message"]["android"]
    assert (android["priority"], android["notification"]["channel_id"]) == ("NORMAL", "silent")


def test_one_without_words_is_for_the_app_alone(google: fcm.Fcm, provider: push_fcm.Fcm) -> None:
    assert provider.send(message(text="", silent=True), PHONE).verdict == ACCEPTED
    asked = google.sent[0].json["message"]
    assert "notification" not in asked and "notification" not in asked["android"]


@pytest.mark.parametrize(
    ("status", "word", "code", "verdict"),
    [
        (404, "NOT_FOUND", "UNREGISTERED", DEAD),
        (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT", REFUSED),
        (403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH", REFUSED),
        (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", RETRY),
        (503, "UNAVAILABLE", "UNAVAILABLE", RETRY),
        (500, "INTERNAL", "INTERNAL", RETRY),
        (401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR", MISCONFIGURED),
        (401, "UNAUTHENTICATED", None, MISCONFIGURED),
        (403, "PERMISSION_DENIED", None, MISCONFIGURED),
        (404, "NOT_FOUND", None, MISCONFIGURED),
        (400, "FAILED_PRECONDITION", None, REFUSED),
        (502, "SOMETHING_NEW", None, RETRY),
    ],
)
def test_each_error_means_something(
    google: fcm.Fcm, provider: push_fcm.Fcm, status: int, word: str, code: str | None, verdict: str
) -> None:
    provider.send(message(), PHONE)
    google.script.say(status, fcm.said(status, word, code=code))
    outcome = provider.send(message(), PHONE)
    assert (outcome.verdict, outcome.reason) == (verdict, code or word)


def test_an_argument_that_is_the_token_is_a_dead_address(google: fcm.Fcm, provider: push_fcm.Fcm) -> None:
    provider.send(message(), PHONE)
    google.script.say(400, fcm.said(400, "INVALID_ARGUMENT", code="INVALID_ARGUMENT", field="message.token"))
    assert provider.send(message(), PHONE).verdict == DEAD
    google.script.say(400, fcm.said(400, "INVALID_ARGUMENT", code="INVALID_ARGUMENT", field="message.android.ttl"))
    assert provider.send(message(), PHONE).verdict == REFUSED


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": []}', b'{"error": {"details": [7]}}'])
def test_an_answer_that_is_no_error_of_googles_is_known_by_its_status(
    google: fcm.Fcm, provider: push_fcm.Fcm, body: bytes
) -> None:
    provider.send(message(), PHONE)
    google.script.say(503, body)
    assert provider.send(message(), PHONE) == Outcome(RETRY, "status_503")


def test_the_time_to_wait_is_the_one_asked_for_or_a_minute(google: fcm.Fcm, provider: push_fcm.Fcm) -> None:
    provider.send(message(), PHONE)
    quota = fcm.said(429, "RESOURCE_EXHAUSTED", code="QUOTA_EXCEEDED")
    google.script.say(429, quota, Retry_After="11")
    google.script.say(429, quota)
    assert [provider.send(message(), PHONE).retry_after for _ in range(2)] == [11, 60]


def test_a_time_to_wait_may_be_a_date(google: fcm.Fcm, provider: push_fcm.Fcm, monkeypatch: pytest.MonkeyPatch) -> None:
    provider.send(message(), PHONE)
    now = datetime(2026, 11, 24, 12, tzinfo=UTC)
    provider._tokens._made_at, provider._tokens._ends_at = now, now + timedelta(hours=1)
    monkeypatch.setattr(clock, "wall", lambda: now)
    google.script.say(503, fcm.said(503, "UNAVAILABLE"), Retry_After="Tue, 24 Nov 2026 12:00:42 GMT")
    assert provider.send(message(), PHONE).retry_after == 42


def test_one_access_token_serves_until_shortly_before_its_end(
    google: fcm.Fcm, provider: push_fcm.Fcm, monkeypatch: pytest.MonkeyPatch
) -> None:
    for minutes in (0, 54, 56):
        at = datetime.now(UTC) + timedelta(minutes=minutes)
        monkeypatch.setattr(clock, "wall", lambda at=at: at)
        provider._tokens.current() if minutes < 55 else None
    assert len(google.issued) == 1
    provider._tokens.give_up("ya29.0")
    monkeypatch.undo()
    assert provider.send(message(), PHONE).verdict == ACCEPTED
    assert len(google.issued) == 2


def test_threads_ask_for_one_access_token(google: fcm.Fcm, provider: push_fcm.Fcm) -> None:
    outcomes: list[str] = []

    def send() -> None:
        outcomes.extend(provider.send(message(), PHONE).verdict for _ in range(5))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert outcomes == [ACCEPTED] * 40
    assert len(google.issued) == 1


def test_a_token_that_google_took_back_is_replaced(
    google: fcm.Fcm, provider: push_fcm.Fcm, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.send(message(), PHONE)
    provider._tokens._made_at -= timedelta(minutes=10)
    google.issued[0] = "taken back"
    assert provider.send(message(), PHONE) == Outcome(RETRY, "UNAUTHENTICATED")
    assert provider.send(message(), PHONE).verdict == ACCEPTED


@pytest.mark.parametrize(
    ("status", "error", "verdict"),
    [
        (400, "invalid_grant", MISCONFIGURED),
        (401, "invalid_client", MISCONFIGURED),
        (429, "slow_down", RETRY),
        (503, "unavailable", RETRY),
    ],
)
def test_without_access_nothing_is_sent(
    google: fcm.Fcm, provider: push_fcm.Fcm, status: int, error: str, verdict: str
) -> None:
    google.refuse_tokens_by = (status, error)
    assert provider.send(message(), PHONE) == Outcome(verdict, error)
    assert google.sent == []


def test_a_service_account_of_another_key_is_a_mistake_of_ours(
    google: fcm.Fcm, account: Path, certificate: Certificate
) -> None:
    another = rsa.generate_private_key(65537, 2048)
    said = json.loads(account.read_text())
    secret = another.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    account.write_text(json.dumps(said | {"private_key": secret}))
    wrong = push_fcm.Fcm(carriers.Fcm(account, google.url), clocks=CLOCKS, ca_file=certificate.ca_file)
    assert wrong.send(message(), PHONE) == Outcome(MISCONFIGURED, "invalid_grant")
    wrong.close()


def test_a_hanging_google_is_not_waited_for(
    google: fcm.Fcm, provider: push_fcm.Fcm, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.send(message(), PHONE)
    monkeypatch.setattr(provider._client, "timeout", httpx.Timeout(0.5))
    google.script.say(200, after=2)
    assert provider.send(message(), PHONE) == Outcome(RETRY, "timeout")
    assert provider.send(message(), PHONE).verdict == ACCEPTED


@pytest.mark.parametrize(
    "change",
    [{"private_key": "no key"}, {"private_key": 7}, {"project_id": None, "token_uri": "http://localhost/token"}],
)
def test_an_account_that_is_none_stops_the_start(account: Path, change: dict[str, Any]) -> None:
    account.write_text(json.dumps(json.loads(account.read_text()) | change))
    with pytest.raises(carriers.Malformed, match="FCM_SERVICE_ACCOUNT_FILE"):
        push_fcm.Fcm(carriers.Fcm(account), clocks=CLOCKS)
    account.write_text("[]")
    with pytest.raises(carriers.Malformed, match="FCM_SERVICE_ACCOUNT_FILE"):
        push_fcm.Fcm(carriers.Fcm(account), clocks=CLOCKS)

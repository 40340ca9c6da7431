"""Apple's push service, spoken to over HTTP/2 as it wants it, and understood in all of its reasons."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from api import carriers, clock
from api.messages import push_apns, push_parts
from api.messages.gateway import ACCEPTED, DEAD, MISCONFIGURED, REFUSED, RETRY, Outcome
from tests.messages.fakes import certificates
from tests.messages.fakes.apns import KEY_ID, TEAM, TOPIC, Apns
from tests.messages.fakes.certificates import Certificate
from tests.messages.pushing import CLOCKS, REMINDER, TEXT, address, message

TOKEN = "0a1b2c3d" * 8
PHONE = address("apns", TOKEN, environment="sandbox")


@pytest.fixture(scope="module")
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificates.made(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def apple(certificate: Certificate, key: ec.EllipticCurvePrivateKey) -> Iterator[Apns]:
    serving = Apns(certificate, key.public_key())
    yield serving
    serving.stop()


@pytest.fixture
def provider(
    apple: Apns, certificate: Certificate, key: ec.EllipticCurvePrivateKey, tmp_path: Path
) -> Iterator[push_apns.Apns]:
    (tmp_path / "key.p8").write_bytes(certificates.private_pem(key))
    urls = {"sandbox": apple.url, "production": "https://localhost:1"}
    settings = carriers.Apns(tmp_path / "key.p8", KEY_ID, TEAM, TOPIC, urls)
    made = push_apns.Apns(settings, clocks=CLOCKS, ca_file=certificate.ca_file)
    yield made
    made.close()


@pytest.fixture
def move_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    def move(by: timedelta) -> None:
        monkeypatch.setattr(clock, "wall", lambda: datetime.now(UTC) + by)

    return move


def test_a_notification_is_taken_over_http_2(apple: Apns, provider: push_apns.Apns) -> None:
    outcome = provider.send(message(), PHONE)
    assert outcome == Outcome(ACCEPTED, provider_id=str(push_parts.notification_id(message())))
    assert apple.script.last.http == "2"
    assert apple.script.last.path == f"/3/device/{TOKEN}"


def test_its_headers_say_how_long_and_how_loud(apple: Apns, provider: push_apns.Apns) -> None:
    provider.send(message(), PHONE)
    headers = apple.script.last.headers
    assert headers["apns-topic"] == TOPIC
    assert (headers["apns-push-type"], headers["apns-priority"]) == ("alert", "10")
    assert headers["apns-collapse-id"] == "c" * 64
    assert 7190 <= int(headers["apns-expiration"]) - time.time() <= 7200


def test_it_holds_the_sentence_and_ids_and_nothing_else(apple: Apns, provider: push_apns.Apns) -> None:
    provider.send(message(), PHONE)
    assert apple.script.last.json == {
        "aps": {"alert": {"body": TEXT}, "sound": "default", "thread-id": "reminders", "mutable-content": 1},
        "reminder_id": str(REMINDER),
        "collapse_id": "c" * 64,
    }
    assert len(apple.script.last.body) < 4096


def test_a_silent_one_neither_rings_nor_lights_up(apple: Apns, provider: push_apns.Apns) -> None:
    assert provider.send(message(silent=True), PHONE).verdict == ACCEPTED
    asked = apple.script.last
    assert (asked.headers["apns-push-type"], asked.headers["apns-priority"]) == ("alert", "5")
    assert asked.json["aps"]["interruption-level"] == "passive"
    assert "sound" not in asked.json["aps"]


def test_one_without_words_only_wakes_the_app(apple: Apns, provider: push_apns.Apns) -> None:
    assert provider.send(message(text="", silent=True), PHONE).verdict == ACCEPTED
    asked = apple.script.last
    assert (asked.headers["apns-push-type"], asked.headers["apns-priority"]) == ("background", "5")
    assert asked.json["aps"] == {"content-available": 1}


def test_the_same_key_is_the_same_notification(apple: Apns, provider: push_apns.Apns) -> None:
    provider.send(message(), PHONE)
    provider.send(message(), PHONE)
    provider.send(message(key="another"), PHONE)
    assert len(apple.script.asked) == 3
    assert len(apple.taken) == 2


def test_what_names_no_end_is_kept_for_a_day(apple: Apns, provider: push_apns.Apns) -> None:
    provider.send(message(expires_at=None, collapse_id="", subject_id=None), PHONE)
    headers = apple.script.last.headers
    assert 86_390 <= int(headers["apns-expiration"]) - time.time() <= 86_400
    assert "apns-collapse-id" not in headers
    assert set(apple.script.last.json) == {"aps"}


@pytest.mark.parametrize(
    ("status", "reason", "verdict"),
    [
        (400, "BadDeviceToken", DEAD),
        (410, "Unregistered", DEAD),
        (410, "ExpiredToken", DEAD),
        (400, "DeviceTokenNotForTopic", REFUSED),
        (400, "BadCollapseId", REFUSED),
        (400, "BadExpirationDate", REFUSED),
        (400, "BadMessageId", REFUSED),
        (400, "BadPriority", REFUSED),
        (400, "DuplicateHeaders", REFUSED),
        (400, "InvalidPushType", REFUSED),
        (400, "PayloadEmpty", REFUSED),
        (404, "BadPath", REFUSED),
        (405, "MethodNotAllowed", REFUSED),
        (413, "PayloadTooLarge", REFUSED),
        (400, "BadTopic", MISCONFIGURED),
        (400, "MissingTopic", MISCONFIGURED),
        (400, "TopicDisallowed", MISCONFIGURED),
        (403, "BadCertificate", MISCONFIGURED),
        (403, "BadCertificateEnvironment", MISCONFIGURED),
        (403, "Forbidden", MISCONFIGURED),
        (403, "InvalidProviderToken", MISCONFIGURED),
        (403, "MissingProviderToken", MISCONFIGURED),
        (403, "ExpiredProviderToken", MISCONFIGURED),
        (400, "IdleTimeout", RETRY),
        (429, "TooManyRequests", RETRY),
        (429, "TooManyProviderTokenUpdates", RETRY),
        (500, "InternalServerError", RETRY),
        (503, "ServiceUnavailable", RETRY),
        (503, "Shutdown", RETRY),
        (403, "SomethingNew", MISCONFIGURED),
        (400, "SomethingNew", REFUSED),
        (502, "SomethingNew", RETRY),
    ],
)
def test_each_reason_means_something(
    apple: Apns, provider: push_apns.Apns, status: int, reason: str, verdict: str
) -> None:
    apple.script.say(status, {"reason": reason})
    outcome = provider.send(message(), PHONE)
    assert (outcome.verdict, outcome.reason) == (verdict, reason)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"reason": "words of someone\'s"}', b'{"reason": 7}'])
def test_an_answer_without_a_reason_is_known_by_its_status(apple: Apns, provider: push_apns.Apns, body: bytes) -> None:
    apple.script.say(503, body)
    assert provider.send(message(), PHONE) == Outcome(RETRY, "status_503")


def test_the_time_to_wait_is_the_one_asked_for(apple: Apns, provider: push_apns.Apns) -> None:
    apple.script.say(429, {"reason": "TooManyRequests"}, retry_after="17")
    assert provider.send(message(), PHONE).retry_after == 17
    apple.script.say(429, {"reason": "TooManyProviderTokenUpdates"})
    assert provider.send(message(), PHONE).retry_after == 1200


@pytest.mark.parametrize(("minutes_after", "verdict"), [(1, DEAD), (-1, REFUSED)])
def test_a_token_registered_after_it_was_reported_gone_is_kept(
    apple: Apns, provider: push_apns.Apns, minutes_after: int, verdict: str
) -> None:
    registered_at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    gone_at = registered_at + timedelta(minutes=minutes_after)
    apple.script.say(410, {"reason": "Unregistered", "timestamp": int(gone_at.timestamp() * 1000)})
    phone = address("apns", TOKEN, environment="sandbox", registered_at=registered_at)
    assert provider.send(message(), phone).verdict == verdict


def bearer(apple: Apns) -> str:
    return apple.script.last.headers["authorization"]


def test_one_provider_token_serves_for_forty_minutes(
    apple: Apns, provider: push_apns.Apns, move_clock: Callable[[timedelta], None]
) -> None:
    provider.send(message(), PHONE)
    first = bearer(apple)
    claims = jwt.decode(first.removeprefix("bearer "), options={"verify_signature": False})
    assert claims == {"iss": TEAM, "iat": claims["iat"]}
    move_clock(timedelta(minutes=39))
    provider.send(message(), PHONE)
    assert bearer(apple) == first
    move_clock(timedelta(minutes=41))
    provider.send(message(), PHONE)
    assert bearer(apple) != first


def test_a_token_that_apple_calls_expired_is_renewed_but_never_within_twenty_minutes(
    apple: Apns, provider: push_apns.Apns, move_clock: Callable[[timedelta], None]
) -> None:
    provider.send(message(), PHONE)
    first = bearer(apple)
    move_clock(timedelta(minutes=19))
    apple.script.say(403, {"reason": "ExpiredProviderToken"})
    assert provider.send(message(), PHONE).verdict == MISCONFIGURED
    move_clock(timedelta(minutes=21))
    apple.script.say(403, {"reason": "ExpiredProviderToken"})
    assert provider.send(message(), PHONE).verdict == RETRY
    provider.send(message(), PHONE)
    assert bearer(apple) != first


def test_threads_share_a_token_and_disturb_each_other_in_nothing(apple: Apns, provider: push_apns.Apns) -> None:
    outcomes: list[Outcome] = []

    def send(number: int) -> None:
        for turn in range(10):
            outcomes.append(provider.send(message(key=f"{number}:{turn}"), PHONE))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert {(one.verdict, one.reason) for one in outcomes} == {(ACCEPTED, "")}
    assert len(apple.taken) == 80
    assert len({one.headers["authorization"] for one in apple.script.asked}) == 1


def test_a_hanging_apple_is_not_waited_for_and_holds_up_nobody(
    apple: Apns, provider: push_apns.Apns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider._client, "timeout", httpx.Timeout(1.0))
    apple.script.say(200, after=3)
    assert provider.send(message(), PHONE) == Outcome(RETRY, "timeout")
    assert provider.send(message(), PHONE).verdict == ACCEPTED


def test_an_apple_out_of_reach_is_tried_again(provider: push_apns.Apns) -> None:
    assert provider.send(message(), address("apns", TOKEN, environment="production")) == Outcome(RETRY, "connection")


def test_a_server_that_our_authority_does_not_know_is_told_nothing(
    apple: Apns, provider: push_apns.Apns, tmp_path: Path
) -> None:
    strangers = certificates.made(tmp_path)
    doubting = push_apns.Apns(provider._settings, clocks=CLOCKS, ca_file=strangers.ca_file)
    assert doubting.send(message(), PHONE) == Outcome(RETRY, "connection")
    doubting.close()
    assert apple.script.asked == []


@pytest.mark.parametrize("content", [b"", b"no key", certificates.private_pem(ec.generate_private_key(ec.SECP384R1()))])
def test_a_key_that_is_none_stops_the_start(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key.p8").write_bytes(content)
    with pytest.raises(carriers.Malformed, match="APNS_KEY_FILE"):
        push_apns.Apns(carriers.Apns(tmp_path / "key.p8", KEY_ID, TEAM, TOPIC), clocks=CLOCKS)


def test_nothing_shown_of_the_provider_tells_its_key(provider: push_apns.Apns) -> None:
    shown: list[Any] = [provider, provider._settings, PHONE]
    assert not any(TOKEN in repr(one) or "PRIVATE" in repr(one) for one in shown)

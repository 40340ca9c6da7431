"""Browsers' push services: encrypted for the browser alone, signed for the service, and asked only where listed."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from api import carriers, clock, outward
from api.messages import devices, push_web
from api.messages.gateway import ACCEPTED, DEAD, MISCONFIGURED, REFUSED, RETRY, Address, Outcome
from tests.messages.fakes import certificates
from tests.messages.fakes.certificates import Certificate
from tests.messages.fakes.web_push import Browser, WebPush
from tests.messages.pushing import CLOCKS, REMINDER, TEXT, address, message


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificates.made(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def service(certificate: Certificate) -> Iterator[WebPush]:
    serving = WebPush(certificate)
    outward.use(outward.Outward(loopback=True, ca_file=certificate.ca_file, allowed_ports=None))
    yield serving
    outward.use(None)
    serving.stop()


@pytest.fixture
def settings(tmp_path: Path) -> carriers.WebPush:
    (tmp_path / "key.pem").write_bytes(certificates.private_pem(ec.generate_private_key(ec.SECP256R1())))
    return carriers.WebPush(tmp_path / "key.pem", "mailto:push@clinic.example", ("localhost",))


@pytest.fixture
def provider(settings: carriers.WebPush) -> Iterator[push_web.WebPush]:
    devices.use(settings)
    yield push_web.WebPush(settings, clocks=CLOCKS)
    devices.use(None)


@pytest.fixture
def browser() -> Browser:
    return Browser()


def subscribed(browser: Browser, endpoint: str) -> Address:
    registration = devices.of_browser(**browser.subscription(endpoint), language=None)
    return address("web_push", registration.target)


def test_only_the_browser_can_read_what_it_is_sent(
    service: WebPush, provider: push_web.WebPush, browser: Browser
) -> None:
    assert provider.send(message(), subscribed(browser, service.endpoint)) == Outcome(ACCEPTED)
    body = service.script.last.body
    assert TEXT.encode() not in body and str(REMINDER).encode() not in body
    assert json.loads(browser.read(body)) == {
        "text": TEXT,
        "language": "en",
        "silent": False,
        "reminder_id": str(REMINDER),
        "collapse_id": "c" * 64,
    }


def test_its_headers_say_how_long_and_how_urgent(
    service: WebPush, provider: push_web.WebPush, browser: Browser
) -> None:
    phone = subscribed(browser, service.endpoint)
    provider.send(message(), phone)
    provider.send(message(silent=True, collapse_id="", expires_at=None), phone)
    loud, silent = (one.headers for one in service.script.asked)
    assert 7190 <= int(loud["ttl"]) <= 7200
    assert (loud["urgency"], loud["content-encoding"], len(loud["topic"])) == ("high", "aes128gcm", 32)
    assert (silent["urgency"], silent["ttl"]) == ("low", "86400")
    assert "topic" not in silent


def test_a_later_one_has_the_topic_of_the_earlier_one_that_it_replaces() -> None:
    assert push_web.topic("a") == push_web.topic("a") != push_web.topic("b")


def test_it_is_signed_by_our_key_for_that_origin(
    service: WebPush, provider: push_web.WebPush, browser: Browser
) -> None:
    provider.send(message(), subscribed(browser, service.endpoint))
    token = service.script.last.headers["authorization"].split("t=")[1].split(",")[0]
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["aud"], claims["sub"]) == (service.url, "mailto:push@clinic.example")
    assert claims["exp"] - clock.wall().timestamp() <= timedelta(hours=12).total_seconds()
    provider.send(message(), subscribed(browser, service.endpoint))
    assert len({one.headers["authorization"] for one in service.script.asked}) == 1


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, ACCEPTED),
        (202, ACCEPTED),
        (404, DEAD),
        (410, DEAD),
        (400, REFUSED),
        (413, REFUSED),
        (301, REFUSED),
        (401, MISCONFIGURED),
        (403, MISCONFIGURED),
        (429, RETRY),
        (500, RETRY),
        (503, RETRY),
    ],
)
def test_each_status_means_something(
    service: WebPush, provider: push_web.WebPush, browser: Browser, status: int, verdict: str
) -> None:
    service.script.say(status, Location="https://localhost:1/elsewhere", Retry_After="9")
    outcome = provider.send(message(), subscribed(browser, service.endpoint))
    assert outcome.verdict == verdict
    assert outcome.retry_after == (9 if verdict == RETRY else None)
    assert len(service.script.asked) == 1


def test_one_subscription_for_another_key_is_not_taken_for_a_mistake_of_ours(
    service: WebPush, provider: push_web.WebPush, browser: Browser
) -> None:
    phone = subscribed(browser, service.endpoint)
    service.keys = {"another"}
    assert provider.send(message(), phone) == Outcome(MISCONFIGURED, "status_403")
    service.keys = {provider._signer.public_key}
    assert provider.send(message(), phone).verdict == ACCEPTED
    service.keys = {"another"}
    assert provider.send(message(), phone) == Outcome(REFUSED, "status_403")


@pytest.mark.parametrize("endpoint", ["https://push.evil.example/x", "https://127.0.0.1/x", "https://[::1]/x"])
def test_a_host_that_left_the_list_is_not_asked(
    service: WebPush, provider: push_web.WebPush, browser: Browser, endpoint: str
) -> None:
    moved = json.loads(subscribed(browser, service.endpoint).target) | {"endpoint": endpoint}
    outcome = provider.send(message(), address("web_push", json.dumps(moved)))
    assert outcome == Outcome(REFUSED, "host_not_listed")


def test_a_listed_name_that_leads_into_the_house_is_not_asked(
    service: WebPush, provider: push_web.WebPush, browser: Browser
) -> None:
    phone = subscribed(browser, service.endpoint)
    outward.use(outward.Outward(allowed_ports=None, resolve=lambda _: ["10.0.0.1"], loopback=True))
    assert provider.send(message(), phone) == Outcome(REFUSED, "address")
    assert service.script.asked == []


def test_a_service_out_of_reach_is_tried_again(service: WebPush, provider: push_web.WebPush, browser: Browser) -> None:
    assert provider.send(message(), subscribed(browser, "https://localhost:1/x")) == Outcome(RETRY, "connect")


def test_a_server_that_our_authority_does_not_know_is_told_nothing(
    service: WebPush, provider: push_web.WebPush, browser: Browser, tmp_path: Path
) -> None:
    strangers = certificates.made(tmp_path)
    outward.use(outward.Outward(loopback=True, ca_file=strangers.ca_file, allowed_ports=None))
    assert provider.send(message(), subscribed(browser, service.endpoint)) == Outcome(RETRY, "tls")
    assert service.script.asked == []


@pytest.mark.parametrize("keys", [{"p256dh": "AAAA", "auth": "AAAA"}, {"p256dh": "A", "auth": ""}, {}])
def test_a_subscription_without_usable_keys_is_dead(
    service: WebPush, provider: push_web.WebPush, keys: dict[str, Any]
) -> None:
    target = orjson.dumps({"endpoint": service.endpoint, "keys": keys}).decode()
    assert provider.send(message(), address("web_push", target)) == Outcome(DEAD, "keys")

"""Texts go out as the gateway wants them, and what it answers is understood."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from uuid import uuid4

import httpx
import pytest

from api.messages import gateway, sms, sms_reports
from api.messages.gateway import ACCEPTED, DEAD, MISCONFIGURED, REFUSED, RETRY
from tests.messages.fakes.sms import SENDER, SmsFake, settings

AT = datetime(2026, 11, 23, 15, tzinfo=UTC)
ADDRESS = gateway.Address(uuid4(), "sms", "sms", "+12125550123", AT)


@pytest.fixture
def fake():
    made = SmsFake()
    yield made
    made.stop()


@pytest.fixture
def texts(fake):
    made = sms.Texts(settings(fake.url), public_url="https://api.example", now=lambda: AT)
    yield made
    made.close()


def message(text="You have an appointment tomorrow at 6:00 PM.", **told):
    return gateway.Message(key="k", channel="sms", recipient="r", text=text, language="en", **told)


def test_a_text_goes_out_with_everything_the_gateway_needs(fake, texts):
    outcome = texts.send(message(expires_at=AT + timedelta(hours=1)), ADDRESS)
    assert outcome == gateway.Outcome(ACCEPTED, provider_id="SM" + "0" * 31 + "1")
    assert fake.form == {
        "To": "+12125550123",
        "From": SENDER,
        "Body": "You have an appointment tomorrow at 6:00 PM.",
        "StatusCallback": "https://api.example/hooks/sms/status",
        "ValidityPeriod": "3600",
    }


def test_a_text_that_never_expires_says_so_by_saying_nothing(fake, texts):
    texts.send(message(), ADDRESS)
    assert "ValidityPeriod" not in fake.form


def test_the_gateway_holds_no_text_longer_than_it_may(fake, texts):
    texts.send(message(expires_at=AT + timedelta(days=3)), ADDRESS)
    assert fake.form["ValidityPeriod"] == "14400"


def test_an_expired_text_is_not_sent(fake, texts):
    assert texts.send(message(expires_at=AT), ADDRESS) == gateway.Outcome(REFUSED, "expired")
    assert fake.script.asked == []


def test_a_text_is_written_in_the_alphabet_of_texts(fake, texts):
    texts.send(message("Tiene una cita mañana. Más en la aplicación."), ADDRESS)
    assert fake.form["Body"] == "Tiene una cita mañana. Mas en la aplicacion."


def test_a_text_that_would_be_two_is_not_sent(fake, texts):
    assert texts.send(message("a" * 161), ADDRESS) == gateway.Outcome(REFUSED, "too_long")
    assert fake.script.asked == []


def test_a_pool_of_senders_is_named_as_one(fake):
    pool = "MG" + "0" * 32
    texts = sms.Texts(settings(fake.url, sender=pool), public_url="https://api.example", now=lambda: AT)
    texts.send(message(), ADDRESS)
    texts.close()
    assert fake.form["MessagingServiceSid"] == pool and "From" not in fake.form


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (400, 21211, DEAD),
        (400, 21610, DEAD),
        (400, 21614, DEAD),
        (400, 21408, REFUSED),
        (400, 21612, REFUSED),
        (400, 21602, REFUSED),
        (400, 21606, MISCONFIGURED),
        (401, 20003, MISCONFIGURED),
        (403, 20003, MISCONFIGURED),
        (404, 20404, MISCONFIGURED),
        (429, 20429, RETRY),
        (400, 21611, RETRY),
        (500, 20500, RETRY),
        (503, 20503, RETRY),
    ],
)
def test_each_error_has_its_verdict_and_its_code_as_the_reason(fake, texts, status, code, verdict):
    fake.script.say(status, {"code": code, "message": "To: +12125550123 is wrong", "status": status})
    assert texts.send(message(), ADDRESS) == gateway.Outcome(verdict, str(code))


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(401, MISCONFIGURED), (403, MISCONFIGURED), (404, MISCONFIGURED), (429, RETRY), (502, RETRY)],
)
def test_an_error_without_a_code_goes_by_its_status(fake, texts, status, verdict):
    fake.script.say(status, b"<html>")
    assert texts.send(message(), ADDRESS) == gateway.Outcome(verdict, str(status))


@pytest.mark.parametrize("status", [429, 503])
def test_the_gateway_says_how_long_to_wait(fake, texts, status):
    fake.script.say(status, {"code": status}, Retry_After="17")
    assert texts.send(message(), ADDRESS).retry_after == 17.0


def test_a_date_instead_of_seconds_is_no_wait_of_ours(fake, texts):
    fake.script.say(503, {}, Retry_After="Wed, 21 Oct 2026 07:28:00 GMT")
    assert texts.send(message(), ADDRESS).retry_after is None


def test_a_wrong_token_is_a_matter_for_the_operator(fake):
    texts = sms.Texts(settings(fake.url, token="wrong"), public_url="https://api.example", now=lambda: AT)
    assert texts.send(message(), ADDRESS) == gateway.Outcome(MISCONFIGURED, "20003")
    texts.close()


def test_an_answer_that_is_cut_off_leaves_it_open_whether_it_was_taken(fake, texts, monkeypatch):
    monkeypatch.setattr(texts._client, "timeout", httpx.Timeout(0.5))
    fake.script.say(201, b"{", Content_Length="100")
    with pytest.raises(httpx.HTTPError):
        texts.send(message(), ADDRESS)


def test_a_silent_gateway_is_not_waited_for(fake, texts, monkeypatch):
    monkeypatch.setattr(texts._client, "timeout", httpx.Timeout(0.2))
    fake.script.say(201, {"sid": "SM1"}, after=1)
    with pytest.raises(httpx.TimeoutException):
        texts.send(message(), ADDRESS)


def listed(text: str, *, made: datetime, to: str = ADDRESS.target) -> dict[str, str]:
    return {"sid": "SM77", "to": to, "body": text, "date_created": format_datetime(made)}


def test_a_text_that_was_taken_without_an_answer_is_not_sent_again(fake, texts, monkeypatch):
    monkeypatch.setattr(texts._client, "timeout", httpx.Timeout(0.2))
    fake.taken = [listed(message().text, made=datetime.now(UTC))]
    fake.script.say(201, {"sid": "SM77"}, after=1)
    assert texts.send(message(), ADDRESS) == gateway.Outcome(ACCEPTED, provider_id="SM77")


@pytest.mark.parametrize(
    "other",
    [
        listed("Other words", made=datetime.now(UTC)),
        listed("You have an appointment.", made=datetime.now(UTC) - timedelta(minutes=5)),
        listed("You have an appointment.", made=datetime.now(UTC), to="+12125550199"),
        {"sid": "SM77", "to": ADDRESS.target, "body": "You have an appointment.", "date_created": "yesterday"},
    ],
    ids=["other words", "an earlier one", "another number", "no time"],
)
def test_another_text_is_not_taken_for_it(fake, texts, monkeypatch, other):
    monkeypatch.setattr(texts._client, "timeout", httpx.Timeout(0.2))
    fake.taken = [other]
    fake.script.say(201, {"sid": "SM1"}, after=1)
    with pytest.raises(httpx.TimeoutException):
        texts.send(message(text="You have an appointment."), ADDRESS)


def test_nobody_is_asked_about_a_text_that_never_left(texts, fake, monkeypatch):
    fake.stop()
    monkeypatch.setattr(texts, "_taken_just_now", lambda _: pytest.fail("asked"))
    with pytest.raises(httpx.ConnectError):
        texts.send(message(), ADDRESS)


@pytest.mark.parametrize(
    ("told", "reported"),
    [
        ("queued", "on_its_way"),
        ("sent", "on_its_way"),
        ("delivered", "delivered"),
        ("undelivered", "failed"),
        ("failed", "failed"),
        ("something new", "on_its_way"),
    ],
)
def test_what_the_gateway_reports_is_one_of_three(told, reported):
    assert sms_reports.reported(told) == reported

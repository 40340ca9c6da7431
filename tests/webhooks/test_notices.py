"""Whose endpoint was turned off is told so by mail: once, and nothing but that."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from api.messages import mail, post
from api.messages.post import Post
from api.webhooks import notices
from tests.knocking import Knocker
from tests.messages.fakes.smtp import SENDER, SmtpFake
from tests.messages.test_templates import telling
from tests.webhooks.conftest import Endpoint
from tests.webhooks.receiver import Receiver

Sql = Callable[..., list[tuple[Any, ...]]]
Work = Callable[[], None]
CONTACT = "ops@partner.example"
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def smtp(app: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmtpFake]:
    fake = SmtpFake()
    carrier = mail.Mail(fake.settings(), sender_name="Appointments", public_url="https://api.example", now=lambda: AT)
    carried = Post([carrier])
    monkeypatch.setattr(post, "_in_use", carried)
    yield fake
    carried.close()
    fake.stop()


@pytest.fixture
def reached(partner: Knocker, owner_sql: Sql) -> None:
    owner_sql("UPDATE api_clients SET contact_email = %s WHERE id = %s", CONTACT, partner.id)


@pytest.fixture
def turned_off(receiver: Receiver, endpoint: Endpoint, announce: Callable[..., Any]) -> None:
    """Its receiver is gone as soon as it is told something."""
    receiver.answers = [(410, {})]
    announce()


def test_its_contact_is_told_once_by_the_endpoints_id(
    smtp: SmtpFake,
    reached: None,
    turned_off: None,
    endpoint: Endpoint,
    receiver: Receiver,
    announce: Callable[..., Any],
    work: Work,
    due: Work,
) -> None:
    announce()
    work()
    due()
    work()
    (said,) = smtp.taken
    assert smtp.recipients == [[CONTACT]] and said["From"] == f"Appointments <{SENDER}>"
    text = said.get_content()
    assert text.count(str(endpoint.id)) == 2 and "answered that it is gone" in text
    assert receiver.url not in text and "North Hospital" not in text


def test_one_that_fails_for_days_is_said_not_to_answer(
    smtp: SmtpFake,
    reached: None,
    receiver: Receiver,
    endpoint: Endpoint,
    announce: Callable[..., Any],
    work: Work,
    due: Work,
    owner_sql: Sql,
) -> None:
    receiver.answers = [(500, {})] * 2
    announce()
    work()
    assert smtp.taken == []
    owner_sql("UPDATE webhook_deliveries SET attempts = 9 WHERE state = 'pending'")
    due()
    work()
    (said,) = smtp.taken
    assert f"turned off because it did not answer. Its id: {endpoint.id}." in said.get_content()


def test_turned_off_anew_it_is_told_anew(
    smtp: SmtpFake,
    reached: None,
    turned_off: None,
    partner: Knocker,
    endpoint: Endpoint,
    receiver: Receiver,
    announce: Callable[..., Any],
    work: Work,
) -> None:
    work()
    partner.post(f"{endpoint.path}/verification")
    work()
    receiver.answers = [(410, {})]
    announce()
    work()
    first, second = smtp.taken
    assert first["Message-ID"] != second["Message-ID"]


def test_without_a_contact_nothing_is_sent_and_the_log_says_it(
    smtp: SmtpFake, turned_off: None, work: Work, capfd: pytest.CaptureFixture[str]
) -> None:
    work()
    assert smtp.taken == [] and "webhook endpoint disabled" in capfd.readouterr().out


def test_a_mail_that_is_not_taken_now_is_sent_later(
    smtp: SmtpFake, reached: None, turned_off: None, work: Work, due: Work, capfd: pytest.CaptureFixture[str]
) -> None:
    smtp.refuses["RCPT"] = "451 Later"
    work()
    assert smtp.taken == []
    smtp.refuses.clear()
    due()
    work()
    assert len(smtp.taken) == 1
    assert CONTACT not in "".join(capfd.readouterr())


def test_a_contact_that_is_not_there_is_logged_by_the_endpoints_id(
    smtp: SmtpFake,
    reached: None,
    turned_off: None,
    endpoint: Endpoint,
    work: Work,
    capfd: pytest.CaptureFixture[str],
) -> None:
    smtp.refuses["RCPT"] = "550 Nobody"
    work()
    out = "".join(capfd.readouterr())
    line = next(one for one in out.splitlines() if "contact of a webhook endpoint not reached" in one)
    assert str(endpoint.id) in line and CONTACT not in out


def test_of_one_that_is_on_again_nothing_is_said(
    smtp: SmtpFake, reached: None, turned_off: None, endpoint: Endpoint, partner: Knocker, work: Work, due: Work
) -> None:
    smtp.refuses["RCPT"] = "451 Later"
    work()
    smtp.refuses.clear()
    partner.post(f"{endpoint.path}/verification")
    due()
    work()
    assert smtp.taken == [] and partner.get(endpoint.path).json["status"] == "active"


def test_the_words_tell_nothing_of_a_clinic() -> None:
    assert [telling(one) for words in notices.WORDS.values() for one in words] == [None] * 4

"""Mail is neutral, can be ended with one request, and what its server answers is understood."""

import socket
import ssl
from datetime import UTC, datetime
from threading import Thread
from uuid import uuid4

import pytest

from api import carriers
from api.messages import gateway, mail, templates
from api.messages.gateway import ACCEPTED, DEAD, MISCONFIGURED, REFUSED, RETRY
from tests.messages.fakes import certificates
from tests.messages.fakes.smtp import PASSWORD, SENDER, USER, SmtpFake
from tests.messages.test_templates import telling

AT = datetime(2026, 11, 23, 15, tzinfo=UTC)
SECRET = "c2VjcmV0"


@pytest.fixture
def fake():
    made = SmtpFake()
    yield made
    made.stop()


def carrier(settings, trust=None):
    return mail.Mail(
        settings, sender_name="Appointments", public_url="https://api.example", now=lambda: AT, trust=trust
    )


def address(**details):
    return gateway.Address(uuid4(), "email", "email", "sam@example.com", AT, details)


def message(text="You have an appointment tomorrow at 6:00 PM.", language="en", key="k"):
    return gateway.Message(key=key, channel="email", recipient="r", text=text, language=language)


@pytest.fixture
def took(fake):
    def send(said=None, **details):
        outcome = carrier(fake.settings()).send(said or message(), address(**details))
        assert outcome.verdict == ACCEPTED
        return fake.taken[-1]

    return send


def test_a_mail_says_what_the_message_says(fake, took):
    said = took()
    assert said.get_content() == "You have an appointment tomorrow at 6:00 PM.\n"
    assert fake.recipients == [["sam@example.com"]]
    assert said["From"] == f"Appointments <{SENDER}>" and said["Date"] == "Mon, 23 Nov 2026 15:00:00 +0000"


@pytest.mark.parametrize("language", ["en", "es"])
def test_subject_sender_and_ending_tell_nothing(took, language):
    said = took(message(language=language), unsubscribe=SECRET)
    assert said["Subject"] == mail.SUBJECTS[language]
    assert [telling(one) for one in (said["Subject"], str(said["From"]), mail.ENDING[language])] == [None] * 3


def test_accents_arrive(took):
    text = templates.text("appointment", "es", when="mañana a las 6:00 p. m.")
    assert took(message(text, "es")).get_content() == text + "\n"


def test_what_comes_unasked_can_be_ended_with_one_request(took):
    said = took(unsubscribe=SECRET)
    url = f"https://api.example/unsubscribe/{SECRET}"
    assert said["List-Unsubscribe"] == f"<{url}>"
    assert said["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert said.get_content().endswith(f"To end these e-mails: {url}\n")


def test_what_was_asked_for_carries_no_such_address(took):
    assert took()["List-Unsubscribe"] is None


def test_a_mail_says_that_a_machine_sent_it(took):
    assert took()["Auto-Submitted"] == "auto-generated"


def test_a_retry_carries_the_same_id_which_tells_nothing_of_the_key(took):
    first, again, other = (took(message(key=key))["Message-ID"] for key in ("reminder-1", "reminder-1", "reminder-2"))
    assert first == again != other and "reminder" not in first


@pytest.mark.parametrize(
    ("step", "answer", "verdict"),
    [
        ("RCPT", "550 5.1.1 no such user", DEAD),
        ("RCPT", "551 5.1.6 moved", DEAD),
        ("RCPT", "553 5.1.3 not an address", DEAD),
        ("RCPT", "550 5.7.1 we do not like you", REFUSED),
        ("RCPT", "552 5.2.2 full", REFUSED),
        ("RCPT", "450 4.2.1 try later", RETRY),
        ("RCPT", "452 4.5.3 too many", RETRY),
        ("MAIL", "550 5.7.1 not your sender", MISCONFIGURED),
        ("MAIL", "530 5.7.0 sign in first", MISCONFIGURED),
        ("MAIL", "451 4.3.0 try later", RETRY),
        ("DATA", "554 5.6.0 not this one", REFUSED),
        ("DATA", "451 4.3.0 try later", RETRY),
    ],
)
def test_each_refusal_has_its_verdict(fake, step, answer, verdict):
    fake.refuses[step] = answer
    assert carrier(fake.settings()).send(message(), address()) == gateway.Outcome(verdict, answer[:3])
    assert fake.taken == []


def test_trouble_after_the_mail_was_taken_is_no_reason_to_send_it_again(fake):
    fake.refuses["QUIT"] = "421 4.3.2 going down"
    assert carrier(fake.settings()).send(message(), address()).verdict == ACCEPTED


def test_a_server_that_is_not_there_may_be_later():
    gone = SmtpFake()
    gone.stop()
    with pytest.raises(OSError, match="refused"):
        carrier(gone.settings()).send(message(), address())


@pytest.mark.parametrize(("greeting", "verdict"), [(b"554 not you\r\n", MISCONFIGURED), (b"421 later\r\n", RETRY)])
def test_a_server_that_turns_us_away_at_its_door_refuses_no_mail(greeting, verdict):
    def open_once():
        with door.accept()[0] as visitor:
            visitor.sendall(greeting)

    with socket.create_server(("127.0.0.1", 0)) as door:
        Thread(target=open_once, daemon=True).start()
        to = carriers.Smtp("127.0.0.1", door.getsockname()[1], False, None, None, "appointments@mail.example")
        assert carrier(to).send(message(), address()).verdict == verdict


@pytest.fixture
def certificate(tmp_path):
    return certificates.made(tmp_path)


@pytest.fixture(params=[True, False], ids=["from the first byte", "before anything is said"])
def secure(request, certificate):
    made = SmtpFake(certificate=certificate.server_context(), tls_first=request.param)
    yield made, request.param
    made.stop()


def trusting(certificate):
    return ssl.create_default_context(cafile=certificate.ca_file)


def test_the_password_goes_over_an_encrypted_way(secure, certificate):
    fake, tls_first = secure
    sender = carrier(fake.settings(tls_first=tls_first, user=USER), trusting(certificate))
    assert sender.send(message(), address()).verdict == ACCEPTED and len(fake.taken) == 1


def test_a_wrong_password_is_a_matter_for_the_operator(secure, certificate):
    fake, tls_first = secure
    sender = carrier(fake.settings(tls_first=tls_first, user=USER, password=PASSWORD + "x"), trusting(certificate))
    assert sender.send(message(), address()) == gateway.Outcome(MISCONFIGURED, "535")


def test_a_server_with_a_strangers_certificate_gets_no_password(secure):
    fake, tls_first = secure
    with pytest.raises(OSError, match="CERTIFICATE"):
        carrier(fake.settings(tls_first=tls_first, user=USER)).send(message(), address())
    assert fake.taken == []


def test_without_encryption_no_password_is_said(fake):
    sender = carrier(fake.settings(user=USER))
    assert sender.send(message(), address()) == gateway.Outcome(MISCONFIGURED, "not_supported")


def test_a_server_that_goes_down_meanwhile_may_be_back_later(fake):
    fake.refuses["DATA"] = "421 4.3.2 going down"
    assert carrier(fake.settings()).send(message(), address()) == gateway.Outcome(RETRY, "421")

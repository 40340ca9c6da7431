"""What we sign, the libraries of Standard Webhooks verify: those of Python here, those of npm with the contract."""

import base64
import time
from datetime import UTC, datetime
from uuid import UUID

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from api.webhooks import attempts, signing
from api.webhooks.attempts import Task

ID, SUBJECT = UUID(int=1), UUID(int=2)
BODY = b'{"type":"referral.received"}'


def signed(*secrets, body=BODY, at=None):
    return signing.headers(secrets, id=str(ID), timestamp=int(at or time.time()), body=body)


def task(**changed):
    usual = {
        "delivery_id": ID, "endpoint_id": ID, "client_id": ID, "event_id": ID, "type": "referral.received",
        "subject_id": SUBJECT, "version": 3, "occurred_at": datetime(2026, 11, 24, 12, 0, 0, 999, tzinfo=UTC),
        "check": None, "challenge": False, "attempt": 1, "url": "", "keys": (),
    }  # fmt: skip
    return Task(**{**usual, **changed})


def test_the_library_verifies_what_we_sign():
    secret = signing.new_secret()
    assert Webhook(signing.shown(secret)).verify(BODY, signed(secret)) == {"type": "referral.received"}


def test_the_library_signs_as_we_do():
    secret, at = signing.new_secret(), datetime(2026, 11, 24, 12, tzinfo=UTC)
    theirs = Webhook(signing.shown(secret)).sign(str(ID), at, BODY.decode())
    assert signed(secret, at=at.timestamp())["webhook-signature"] == theirs


def test_while_a_secret_is_replaced_receivers_with_either_verify():
    old, new = signing.new_secret(), signing.new_secret()
    for one in (old, new):
        assert Webhook(signing.shown(one)).verify(BODY, signed(new, old))
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.shown(old)).verify(BODY, signed(new))


@pytest.mark.parametrize("changed", [{"webhook-id": "other"}, {"webhook-timestamp": str(int(time.time()) - 1)}])
def test_what_was_changed_on_the_way_does_not_verify(changed):
    secret = signing.new_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.shown(secret)).verify(BODY, signed(secret) | changed)
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.shown(secret)).verify(BODY + b" ", signed(secret))


def test_an_attempt_of_long_ago_does_not_verify():
    secret = signing.new_secret()
    with pytest.raises(WebhookVerificationError):
        Webhook(signing.shown(secret)).verify(BODY, signed(secret, at=time.time() - 301))


def test_a_secret_has_256_bits():
    shown = {signing.shown(signing.new_secret()) for _ in range(3)}
    assert len(shown) == 3
    assert {len(base64.b64decode(one.removeprefix("whsec_"))) for one in shown} == {32}


def test_a_body_says_a_type_an_instant_an_id_and_a_version():
    assert attempts.payload(task()) == (
        b'{"type":"referral.received","timestamp":"2026-11-24T12:00:00Z",'
        b'"data":{"id":"00000000-0000-0000-0000-000000000002","version":3}}'
    )


@pytest.mark.parametrize(
    ("body", "echoes"),
    [
        (b'{"challenge":"abc"}', True), (b'{"challenge":"abc","more":1}', True), (b'{"challenge":"abd"}', False),
        (b'{"data":{"challenge":"abc"}}', False), (b'"abc"', False), (b'["abc"]', False), (b"abc", False), (b"", False),
        (b'{"challenge":null}', False), (b'{"challenge":"\xff"}', False), ('{"challenge":"äbc"}'.encode(), False),
    ],
)  # fmt: skip
def test_only_the_challenge_itself_is_an_echo(body, echoes):
    assert attempts.echoes(body, "abc") is echoes

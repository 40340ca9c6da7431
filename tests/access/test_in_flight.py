"""What was about to be let in when the patient, or the clinic, closed the door: it stays outside."""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from api import clock, db
from api.access import app_sessions, hashing, proving
from api.access import terms as house
from api.app import Continuum
from api.patients import service as patients
from tests.access.ways import PASSWORD, VERIFIER, begin, code_now, exchange, refusal
from tests.knocking import Knocker
from tests.phone import Phone

SQL = Callable[..., list[tuple[Any, ...]]]


def code_in_hand(phone: Phone) -> str:
    """An authorization code that another phone with the same passkey has just got."""
    step = phone.challenge(**begin()).json
    told = phone.challenge(auth_session=step["auth_session"], passkey=phone.asserted(step["passkey_request"]))
    return str(told.json["authorization_code"])


def thiefs(phone: Phone, new_phone: Callable[..., Phone]) -> Phone:
    """A phone of somebody else's that holds a copy of the patient's passkey."""
    theirs = new_phone()
    theirs.authenticator = phone.authenticator
    return theirs


def sign_out_everywhere(phone: Phone, again: Callable[[], str]) -> None:
    assert phone.request("DELETE", "/v1/me/app-sessions").status == 204


def recover(phone: Phone, again: Callable[[], str]) -> None:
    phone.authenticator = None
    phone.activate(again())


def remove_the_passkey(phone: Phone, again: Callable[[], str]) -> None:
    phone.authenticator = None
    phone.activate(again(), keep_authenticators="true")
    copied = phone.get("/v1/me/passkeys").json["items"][0]
    assert phone.request("DELETE", f"/v1/me/passkeys/{copied['id']}").status == 204


@pytest.mark.parametrize("closing", [sign_out_everywhere, recover, remove_the_passkey])
def test_a_code_opens_nothing_after_what_ended_all_sign_ins(
    phone: Phone,
    new_phone: Callable[..., Phone],
    invite: Callable[..., str],
    patient: Knocker,
    closing: Callable[[Phone, Callable[[], str]], None],
) -> None:
    thief = thiefs(phone, new_phone)
    code = code_in_hand(thief)
    closing(phone, lambda: invite(patient))
    assert refusal(thief.form("/oauth/token", exchange(code))) == (400, "invalid_grant")


def test_until_then_it_does(phone: Phone, new_phone: Callable[..., Phone]) -> None:
    thief = thiefs(phone, new_phone)
    assert thief.form("/oauth/token", exchange(code_in_hand(thief))).status == 200


@pytest.mark.parametrize("status", ["suspended", "deceased", "merged"])
def test_a_phone_that_comes_in_while_the_account_is_closed_is_out_again(
    app: Continuum, phone: Phone, patient: Knocker, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    """The exchange has seen an active account, and not yet opened anything, when the clinic begins to close it."""
    code, closing = code_in_hand(phone), threading.Event()
    opened = house.current().tokens.issue

    def close() -> None:
        with db.transaction(db.SYSTEM):
            closing.set()
            patients.set_status(patient_id=patient.id, status=status, at=clock.now())

    thread = threading.Thread(target=close)

    def issue(**asked: Any) -> str:
        thread.start()
        closing.wait(5)
        return opened(**asked)

    monkeypatch.setattr(house.current().tokens, "issue", issue)
    told = phone.form("/oauth/token", exchange(code))
    thread.join(10)
    if told.status == 200:
        phone.tokens = told.json
        assert phone.get("/v1/me").status == 401


def test_a_password_that_is_changed_while_it_is_compared_lets_nobody_in(
    new_phone: Callable[..., Phone],
    invite: Callable[..., str],
    patient: Knocker,
    owner_sql: SQL,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    phone = new_phone()
    name = phone.set_password(invite(patient), "heron", PASSWORD, code_now)
    fresh = hashing.hashed(b"another")
    matches = hashing.matches

    def slow(secret: Any, stored: str | None) -> bool:
        right = matches(secret, stored)
        owner_sql("UPDATE sign_in_accounts SET password_hash = %s", fresh)
        return right

    monkeypatch.setattr(hashing, "matches", slow)
    said = {"sign_in_name": name, "password": PASSWORD, "totp": code_now(phone.secret, steps=1)}
    assert refusal(phone.challenge(**begin(), **said)) == (400, "access_denied")


def test_a_passkey_that_is_removed_while_it_is_judged_lets_nobody_in(
    phone: Phone, owner_sql: SQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = proving._asserted

    def slow(*judged: Any) -> Any:
        found = judge(*judged)
        owner_sql("DELETE FROM passkeys")
        return found

    monkeypatch.setattr(proving, "_asserted", slow)
    step = phone.challenge(**begin()).json
    told = phone.challenge(auth_session=step["auth_session"], passkey=phone.asserted(step["passkey_request"]))
    assert refusal(told) == (400, "access_denied")


def test_what_ends_sign_ins_waits_for_an_exchange_that_is_under_way(
    phone: Phone, patient: Knocker, superuser: psycopg.Connection[Any]
) -> None:
    """The exchange holds its code's row when the patient signs out everywhere: what it opens is found, and ended."""
    code_in_hand(phone)
    with psycopg.connect(superuser.info.dsn, autocommit=False) as exchanging:
        exchanging.execute("SELECT id FROM sign_ins WHERE code_used_at IS NULL FOR UPDATE")
        thread = threading.Thread(target=lambda: _sign_out(patient))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        exchanging.execute("UPDATE sign_ins SET code_used_at = now() WHERE code_used_at IS NULL")
        exchanging.execute(
            "INSERT INTO app_sessions (id, patient_id, expires_at)"
            " VALUES (gen_random_uuid(), %s, now() + interval '1 day')",
            [patient.id],
        )
        exchanging.commit()
        thread.join(5)
    assert superuser.execute("SELECT count(*) FROM app_sessions WHERE ended_at IS NULL").fetchone() == (0,)


def _sign_out(patient: Knocker) -> None:
    assert patient.id is not None
    with db.transaction(db.Caller(kind="patient", patient_id=patient.id)):
        app_sessions.sign_out(patient_id=patient.id, reason="signed_out_everywhere")


def test_an_activation_code_may_be_used_where_a_passkey_was_asked_for(
    new_phone: Callable[..., Phone], invite: Callable[..., str], patient: Knocker
) -> None:
    """Whoever finds that the phone has no passkey goes on in the same attempt."""
    phone = new_phone()
    step = phone.challenge(**begin()).json
    asked = phone.challenge(auth_session=step["auth_session"], activation_code=invite(patient))
    assert refusal(asked) == (400, "insufficient_authorization")
    tokens = phone.register(asked.json, VERIFIER)
    assert tokens["token_type"] == "DPoP"

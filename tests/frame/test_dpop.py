"""A token that is bound to a phone's key opens a door beside a fresh proof of that key, once, and not otherwise."""

import dataclasses
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from api import clock, config, dpop, vocabulary
from api.app import Continuum
from tests.dpop import Key
from tests.knocking import Knocker

ME = "http://127.0.0.1:8000/v1/me"
SESSIONS = "http://127.0.0.1:8000/v1/me/sessions"


@dataclasses.dataclass
class Phone:
    """A patient's phone with a key, and a token bound to it."""

    knocker: Knocker
    key: Key
    token: str

    def get(self, url: str, *, scheme: str = "DPoP", **proof: Any) -> Any:
        headers = {
            "Authorization": f"{scheme} {self.token}",
            "DPoP": self.key.proof("GET", url, token=self.token, **proof),
        }
        return self.knocker.app.test_client().get(url.removeprefix("http://127.0.0.1:8000"), headers=headers)

    def send(self, proof: str | None) -> Any:
        headers = {"Authorization": f"DPoP {self.token}", **({"DPoP": proof} if proof is not None else {})}
        return self.knocker.app.test_client().get("/v1/me", headers=headers)


@pytest.fixture
def phone(app: Continuum, patient: Knocker) -> Phone:
    key = Key()
    token = app.extensions["tokens"].issue(
        kind="patient",
        subject=patient.id,
        client_id="continuum-app",
        scopes=vocabulary.PATIENT_SCOPES,
        sid=patient.app_session_id,
        key=key.thumbprint,
    )
    return Phone(patient, key, token)


def problem(answer: Any) -> str:
    return str(answer.json["type"].rsplit("/", 1)[1])


@pytest.mark.parametrize("url", [ME, SESSIONS])
def test_a_proof_opens_the_door_once(phone: Phone, url: str) -> None:
    assert phone.get(url, jti="one").status_code == 200
    again = phone.get(url, jti="one")
    assert (again.status_code, problem(again)) == (401, "invalid-dpop-proof")
    assert 'DPoP algs="ES256", error="invalid_dpop_proof"' in again.headers["WWW-Authenticate"]
    assert phone.get(url, jti="two").status_code == 200


def test_an_answer_that_was_not_modified_spends_the_proof_too(phone: Phone) -> None:
    client = phone.knocker.app.test_client()
    tag = phone.get(SESSIONS).headers["ETag"]

    def poll(proof: str) -> int:
        headers = {"Authorization": f"DPoP {phone.token}", "DPoP": proof, "If-None-Match": tag}
        return int(client.get("/v1/me/sessions", headers=headers).status_code)

    proof = phone.key.proof("GET", SESSIONS, token=phone.token)
    assert [poll(proof), poll(proof)] == [304, 401]
    stale = phone.key.proof("GET", SESSIONS, token=phone.token)
    tag = tag.replace('"', '"x', 1)
    assert [poll(stale), poll(stale)] == [200, 401]


def test_of_many_at_once_one_opens_the_door(phone: Phone) -> None:
    proof, seen = phone.key.proof("GET", ME, token=phone.token), list[int]()
    threads = [threading.Thread(target=lambda: seen.append(phone.send(proof).status_code)) for _ in range(8)]
    [one.start() for one in threads]
    [one.join() for one in threads]
    assert sorted(seen) == [200, *[401] * 7]


MUTATIONS: dict[str, dict[str, Any]] = {
    "another type": {"typ": "jwt"},
    "another algorithm": {"alg": "HS256"},
    "no algorithm": {"alg": "none"},
    "a critical member": {"crit": ["b64"]},
    "no key": {"jwk": None},
    "another method": {"htm": "POST"},
    "another address": {"htu": SESSIONS},
    "another host": {"htu": "https://elsewhere.example/v1/me"},
    "another scheme": {"htu": "https://127.0.0.1:8000/v1/me"},
    "no address": {"htu": None},
    "no time": {"iat": None},
    "a time that is no number": {"iat": "now"},
    "a time that is a boolean": {"iat": True},
    "a time without end": {"iat": 10**400},
    "a time that is infinite": {"iat": float("inf")},
    "a time that is no number at all": {"iat": float("nan")},
    "an id that is half a character": {"jti": "\ud800"},
    "no id": {"jti": None},
    "an empty id": {"jti": ""},
    "an id without end": {"jti": "x" * 300},
    "an id that is a number": {"jti": 7},
    "no token": {"ath": None},
    "another token": {"ath": "x" * 43},
    "no signature": {"signature": b""},
    "another signature": {"signature": bytes(64)},
}


@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=MUTATIONS)
def test_each_part_of_a_proof_is_read(phone: Phone, mutation: dict[str, Any]) -> None:
    answer = phone.send(phone.key.proof("GET", ME, **({"token": phone.token} | mutation)))
    assert (answer.status_code, problem(answer)) == (401, "invalid-dpop-proof")


def test_a_private_key_is_no_proof(phone: Phone) -> None:
    answer = phone.send(phone.key.proof("GET", ME, token=phone.token, jwk=phone.key.jwk | {"d": "x" * 43}))
    assert problem(answer) == "invalid-dpop-proof"


@pytest.mark.parametrize("proof", [None, "", "a.b.c", "x" * 5000, "a.b", "é.b.c"])
def test_what_is_no_proof_is_refused(phone: Phone, proof: str | None) -> None:
    answer = phone.send(proof)
    assert (answer.status_code, problem(answer)) == (401, "invalid-dpop-proof")


def test_another_phones_key_proves_nothing(phone: Phone) -> None:
    assert problem(phone.send(Key().proof("GET", ME, token=phone.token))) == "invalid-dpop-proof"


def test_two_proofs_are_none(phone: Phone) -> None:
    one = phone.key.proof("GET", ME, token=phone.token)
    assert problem(phone.send(f"{one}, {one}")) == "invalid-dpop-proof"


@pytest.mark.parametrize("address", [f"{ME}?page=1", f"{ME}#top", "HTTP://127.0.0.1:8000/v1/m%65"])
def test_addresses_are_compared_as_addresses(phone: Phone, address: str) -> None:
    assert phone.get(ME, htu=address).status_code == 200


def test_a_bound_token_is_no_bearers(phone: Phone) -> None:
    answer = phone.get(ME, scheme="Bearer")
    assert (answer.status_code, problem(answer)) == (401, "invalid-token")
    assert answer.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token"')


def test_a_token_without_a_key_is_refused_but_of_the_demo_phone(
    app: Continuum, patient: Knocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = app.extensions["tokens"].issue(
        kind="patient",
        subject=patient.id,
        client_id="continuum-app",
        scopes=vocabulary.PATIENT_SCOPES,
        sid=patient.app_session_id,
    )
    loose = Knocker(app, {"Authorization": f"Bearer {token}"})
    assert problem(loose.get("/v1/me")) == "invalid-token"
    assert patient.get("/v1/me").status_code == 200
    assert problem(patient.get("/v1/me", headers={"Authorization": f"DPoP {token}"})) == "invalid-token"
    monkeypatch.setitem(app.extensions, "bearer apps", frozenset({"continuum-app"}))
    assert loose.get("/v1/me").status_code == 200
    assert problem(patient.get("/v1/me")) == "invalid-token"


@pytest.mark.parametrize("seconds", [-3600, -61, 11, 3600])
def test_a_phone_whose_clock_is_wrong_uses_the_servers_nonce(phone: Phone, seconds: int) -> None:
    at = clock.wall() + timedelta(seconds=seconds)
    told = phone.get(ME, at=at)
    assert (told.status_code, problem(told), told.json["retry"]) == (401, "use-dpop-nonce", "after_refresh")
    assert 'error="use_dpop_nonce"' in told.headers["WWW-Authenticate"]
    assert told.headers.getlist("DPoP-Nonce")[1:] == [] and told.headers["Cache-Control"] == "no-store"
    assert phone.get(ME, at=at, nonce=told.headers["DPoP-Nonce"]).status_code == 200


@pytest.mark.parametrize("seconds", [-59, 0, 9])
def test_a_clock_that_is_nearly_right_needs_no_nonce(phone: Phone, seconds: int) -> None:
    assert phone.get(ME, at=clock.wall() + timedelta(seconds=seconds)).status_code == 200


@pytest.mark.parametrize("nonce", ["guessed", "", 7, "\ud800", "é"])
def test_a_nonce_of_somebody_elses_making_is_answered_with_one_of_ours(phone: Phone, nonce: Any) -> None:
    told = phone.get(ME, nonce=nonce)
    assert problem(told) == "use-dpop-nonce"


def test_a_nonce_lives_for_minutes_and_less_than_a_spent_proof() -> None:
    nonces, at = dpop.Nonces(b"k" * 32), clock.wall()
    nonce = nonces.current(at)
    assert nonces.live(nonce, at + timedelta(seconds=dpop.NONCE_SECONDS))
    assert not nonces.live(nonce, at + timedelta(seconds=2 * dpop.NONCE_SECONDS))
    assert not dpop.Nonces(b"l" * 32).live(nonce, at)


def test_a_rollback_makes_no_proof_good_again(phone: Phone, owner_sql: Callable[..., Any]) -> None:
    """A refused write has spent its proof; the retry makes a fresh one."""
    url = f"{ME}/preferences"
    headers = {"Authorization": f"DPoP {phone.token}", "DPoP": phone.key.proof("PUT", url, token=phone.token)}
    client = phone.knocker.app.test_client()
    assert client.put("/v1/me/preferences", headers=headers, json={"language": "es"}).status_code == 428
    again = client.put("/v1/me/preferences", headers={**headers, "If-Match": "*"}, json={"language": "es"})
    assert problem(again) == "invalid-dpop-proof"


def test_the_app_learns_from_a_401_of_its_own_what_is_asked_of_it(phone: Phone, owner_sql: Callable[..., Any]) -> None:
    for reason, expected in (("signed_out", "session-ended"), ("revoked", "session-revoked")):
        owner_sql("UPDATE app_sessions SET ended_at = now(), end_reason = %s", reason)
        for url in (ME, SESSIONS):
            assert problem(phone.get(url)) == expected
            # Who lacks the key learns nothing of the session.
            assert problem(phone.send(Key().proof("GET", ME, token=phone.token))) == "invalid-dpop-proof"


def test_the_demo_phone_is_development_s_alone(settings: config.Config) -> None:
    production = dataclasses.replace(
        settings, environment="production", messages_file=settings.token_keys_file, duty_contacts=("duty",)
    )
    assert (settings.bearer_apps, production.bearer_apps) == ({"demo"}, frozenset())

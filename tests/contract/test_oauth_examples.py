"""The examples of OAuth's operations, with what is good only once put in the place of theirs, do what they show."""

from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from api.app import Continuum
from tests.access.conftest import ADDRESS, invite, over
from tests.access.test_client_tokens import NewSystem, new_system
from tests.contract import behaviour
from tests.contract.documents import NAMED
from tests.contract.test_examples import CHECKS
from tests.contract.waiting import Waiting
from tests.knocking import Knocker

__all__ = ["invite", "new_system"]


@pytest.fixture
def phone(app: Continuum) -> Waiting:
    return Waiting(ADDRESS, over(app))


def example(name: str) -> dict[str, str]:
    ((_, media),) = NAMED[name]["requestBody"]["content"].items()
    found: dict[str, str] = dict(media["example"])
    return found


@pytest.fixture
def ask(app: Continuum, phone: Waiting) -> Callable[..., Any]:
    """Sends the example of an operation from the phone, with some of its parameters made good, and has the answer
    looked at as the contract wants."""

    def send(name: str, **good: str) -> TestResponse:
        asked, form = behaviour.operation(name, app), example(name)
        assert set(good) <= set(form), "the example has nothing of the kind"
        proof = {"DPoP": phone.key.proof("POST", app.settings.public_url + asked.path)}
        case = asked.Case(body={**form, **good}, media_type="application/x-www-form-urlencoded", headers=proof)
        answer = case.call()
        case.validate_response(answer, checks=CHECKS)
        return answer

    return send


def test_a_sign_in_begins(ask: Callable[..., Any], invite: Callable[..., str], patient: Knocker) -> None:
    answer = ask("authorizeChallenge", activation_code=invite(patient))
    assert (answer.status_code, answer.json()["error"]) == (400, "insufficient_authorization")
    assert answer.json()["passkey_creation"] and answer.json()["totp_secret"]


def test_a_code_becomes_tokens(
    ask: Callable[..., Any], phone: Waiting, invite: Callable[..., str], patient: Knocker
) -> None:
    phone.activate(invite(patient))
    answer = ask("requestToken", code=phone.code, code_verifier=phone.verifier)
    assert answer.status_code == 200, answer.text
    assert answer.json()["token_type"] == "DPoP"


def test_a_refresh_token_ends(
    ask: Callable[..., Any], phone: Waiting, invite: Callable[..., str], patient: Knocker
) -> None:
    phone.activate(invite(patient))
    phone.exchange()
    assert ask("revokeToken", token=phone.tokens["refresh_token"]).status_code == 200
    assert phone.get("/v1/me").status == 401


def test_a_system_is_told_of_a_token(ask: Callable[..., Any], new_system: NewSystem) -> None:
    system = new_system()
    assert ask("introspectToken", client_assertion=system.assertion()).json() == {"active": False}


def test_every_operation_of_oauth_has_its_example_here() -> None:
    tested = {"authorizeChallenge", "requestToken", "revokeToken", "introspectToken"}
    assert {name for name, operation in NAMED.items() if operation["tags"] == ["Sign-in"]} == tested

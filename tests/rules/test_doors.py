"""No door is open by accident, and none says whose a thing is."""

import uuid

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from api import app as house
from api.app import Continuum
from tests.knocking import Knocker
from tests.rules.bad import doors as bad
from tests.rules.doors import OAUTH, PUBLIC, SIGNED, WEBSITE, address, open_to_strangers, routes, told_apart
from tests.world import Find, freshly

FOR_SCRIPTS = ("/v1/", "/openapi", "/oauth/jwks.json")
EXAMPLES = {
    (operation.method, operation.rule): operation.asks.example for operation in house.operations() if operation.asks
}


@pytest.fixture
def bad_app() -> Flask:
    app = Flask("bad")
    app.register_blueprint(bad.doors)
    return app


def test_a_stranger_is_let_in_where_the_frozen_list_says_and_nowhere_else(app: Continuum) -> None:
    assert open_to_strangers(app) == PUBLIC | OAUTH | SIGNED


# What a stranger says at OAuth's doors, and is told.
STRANGER = {"client_id": "somebody", "token": "nonsense"}
APP = {
    "client_id": "continuum-app",
    "response_type": "code",
    "code_challenge": "a" * 43,
    "code_challenge_method": "S256",
}
TOLD = [
    ("/oauth/authorize-challenge", {}, 400, "invalid_request"),
    ("/oauth/authorize-challenge", {**APP, **STRANGER}, 400, "unauthorized_client"),
    ("/oauth/authorize-challenge", APP, 400, "invalid_dpop_proof"),
    ("/oauth/introspect", {}, 400, "invalid_request"),
    ("/oauth/introspect", STRANGER, 401, "invalid_client"),
    ("/oauth/introspect", {**STRANGER, "client_id": "continuum-app"}, 401, "invalid_client"),
    ("/oauth/revoke", {}, 400, "invalid_request"),
    ("/oauth/revoke", STRANGER, 401, "invalid_client"),
    ("/oauth/token", {}, 400, "invalid_request"),
    ("/oauth/token", {**STRANGER, "grant_type": "client_credentials"}, 401, "invalid_client"),
    ("/oauth/token", {**STRANGER, "grant_type": "refresh_token"}, 401, "invalid_client"),
    ("/oauth/token", {**APP, "grant_type": "refresh_token", "refresh_token": "nonsense"}, 400, "invalid_dpop_proof"),
    ("/oauth/token", {**APP, "grant_type": "client_credentials"}, 400, "unauthorized_client"),
    ("/oauth/token", {**STRANGER, "grant_type": "password"}, 400, "unsupported_grant_type"),
]


@pytest.mark.parametrize(("path", "form", "status", "error"), TOLD)
def test_oauths_doors_give_a_stranger_nothing(
    app: Continuum, path: str, form: dict[str, str], status: int, error: str
) -> None:
    answer = app.test_client().post(path, data=form, content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json["error"]) == (status, error)
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_every_door_of_oauth_was_knocked_at_by_a_stranger() -> None:
    assert {("POST", path) for path, *_ in TOLD} == OAUTH


@pytest.mark.parametrize("path", sorted(path for _, path in SIGNED))
def test_a_providers_door_refuses_whoever_does_not_sign(app: Continuum, path: str) -> None:
    form = {"MessageSid": "SM1", "From": "+12125550123", "Body": "STOP", "MessageStatus": "failed"}
    answer = app.test_client().post(path, data=form, content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json["type"].rsplit("/", 1)[1]) == (403, "not-signed")


def test_an_open_door_is_noticed(bad_app: Flask) -> None:
    assert ("GET", "/v1/me/letters") in open_to_strangers(bad_app) - PUBLIC


def test_somebody_elses_and_nobodys_are_one_404(app: Continuum, other_patient: Knocker, there: Find) -> None:
    mine = [(method, rule) for method, rule in routes(app) if rule.rule.startswith("/v1/me/") and rule.arguments]

    stranger = freshly(other_patient)

    def ask(method: str, rule: Rule, path: str) -> TestResponse:
        once = {"Idempotency-Key": str(uuid.uuid4())}
        return stranger.request(method, path, json=EXAMPLES.get((method, rule.rule)), headers=once)

    sams = {name: there(name) for _, rule in mine for name in rule.arguments}
    assert len(mine) >= 4 and all(sams.values())
    assert told_apart(ask, app, mine, sams) == []


def test_a_door_that_tells_whose_it_is_is_noticed(bad_app: Flask) -> None:
    letters = [(method, rule) for method, rule in routes(bad_app) if rule.arguments and "letter_id" in rule.arguments]
    client = bad_app.test_client()
    found = told_apart(
        lambda method, _, path: client.open(path, method=method), bad_app, letters, {"letter_id": bad.SOMEBODYS}
    )
    assert found == ["GET /v1/me/letters/<uuid:letter_id>: 403, 404"]


def test_scripts_of_other_websites_read_public_answers_only(app: Continuum) -> None:
    client = app.test_client()
    for method, rule in routes(app):
        answer = client.open(
            address(app, rule, {}) + "?q=half+day", method=method, headers={"Origin": "https://evil.example"}
        )
        answer.close()
        read = answer.headers.get("Access-Control-Allow-Origin")
        for_scripts = "/.well-known/" in rule.rule or rule.rule.startswith(FOR_SCRIPTS)
        public = (method, rule.rule) in PUBLIC - WEBSITE and for_scripts
        assert read == ("*" if public else None), rule.rule

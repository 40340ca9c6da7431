"""No door is open by accident, and none says whose a thing is."""

import pytest
from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from api import app as house
from api.app import Continuum
from tests.knocking import Knocker
from tests.rules.bad import doors as bad
from tests.rules.doors import PUBLIC, address, open_to_strangers, routes, told_apart
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
    assert open_to_strangers(app) == PUBLIC


def test_an_open_door_is_noticed(bad_app: Flask) -> None:
    assert ("GET", "/v1/me/letters") in open_to_strangers(bad_app) - PUBLIC


def test_somebody_elses_and_nobodys_are_one_404(app: Continuum, other_patient: Knocker, there: Find) -> None:
    mine = [(method, rule) for method, rule in routes(app) if rule.rule.startswith("/v1/me/") and rule.arguments]

    stranger = freshly(other_patient)

    def ask(method: str, rule: Rule, path: str) -> TestResponse:
        return stranger.request(method, path, json=EXAMPLES.get((method, rule.rule)))

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
        public = (method, rule.rule) in PUBLIC and ("/.well-known/" in rule.rule or rule.rule.startswith(FOR_SCRIPTS))
        assert read == ("*" if public else None), rule.rule

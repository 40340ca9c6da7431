"""The committed documents are what the code makes, and keep the rules of the contract."""

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from api import app as house
from api import contract, oauth, reading, vocabulary
from api.app import Continuum
from tests.contract.documents import committed
from tests.contract.rules import RULES, of_oauth, operations

NAMES = ("openapi", *reading.AUDIENCES)
BAD = json.loads(Path(__file__).with_name("bad.json").read_text())

# Addresses that answer people and machines, but not apps: HTML, probes, the documents themselves, and what standards
# describe already.
PAGES = {
    "/.well-known/apple-app-site-association",
    "/.well-known/assetlinks.json",
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-protected-resource/v1/clinic",
    "/.well-known/oauth-protected-resource/v1/me",
    "/.well-known/oauth-protected-resource/v1/partner",
    "/calendar/<feed_secret>.ics",
    "/docs",
    "/docs/static/<path:filename>",
    "/fhir/.well-known/smart-configuration",
    "/hooks/sms",
    "/hooks/sms/status",
    "/livez",
    "/oauth/jwks.json",
    "/openapi.json",
    "/openapi/<any(public,patient,partner,clinic):audience>.json",
    "/problems/<slug>",
    "/readyz",
    "/unsubscribe/<secret>",
}


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return contract.documents(house.operations())


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_document_is_what_the_code_makes(name: str, made: dict[str, Any]) -> None:
    assert (reading.DOCUMENTS / f"{name}.json").read_text() == contract.render(made[name]), "run `make openapi`"


@pytest.mark.parametrize("name", NAMES)
def test_the_document_is_openapi(name: str) -> None:
    OpenAPIV31SpecValidator(committed(name)).validate()


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", NAMES)
def test_the_document_keeps_the_rule(name: str, rule: str) -> None:
    assert list(RULES[rule](committed(name))) == []


@pytest.mark.parametrize("example", BAD)
def test_the_rule_rejects_its_bad_example(example: str) -> None:
    assert list(RULES[example.partition(":")[0]](BAD[example]))


def test_every_rule_has_a_bad_example() -> None:
    assert {example.partition(":")[0] for example in BAD} == set(RULES)


# Who is told of OAuth's operations, which ask for no token and yet are not for everybody.
SHOWN = {
    "authorizeChallenge": {"patient"},
    "introspectToken": {"partner", "clinic"},
    "requestToken": {"patient", "partner", "clinic"},
    "revokeToken": {"patient", "partner", "clinic"},
}


def readers(path: str, operation: dict[str, Any]) -> set[str]:
    """The audiences whose document has the operation."""
    if of_oauth(path):
        return SHOWN[operation["operationId"]]
    return set(operation["security"][0]) if operation["security"] else {"public"}


@pytest.mark.parametrize("audience", reading.AUDIENCES)
def test_an_audience_gets_its_operations_and_no_others(audience: str) -> None:
    whole = {o["operationId"]: (readers(path, o), o) for path, _, o in operations(committed("openapi"))}
    mine = {o["operationId"]: o for _, _, o in operations(committed(audience))}
    assert mine == {name: o for name, (shown, o) in whole.items() if audience in shown}


def test_every_operation_belongs_to_an_audience() -> None:
    parts = {o["operationId"] for name in reading.AUDIENCES for _, _, o in operations(committed(name))}
    assert parts == {o["operationId"] for _, _, o in operations(committed("openapi"))}


def test_every_route_is_in_the_document_and_every_operation_is_routed(app: Continuum) -> None:
    written = {(method.upper(), path) for path, method, _ in operations(committed("openapi"))}
    routed = {
        (method, rule.rule.replace("<uuid:", "<").replace("<", "{").replace(">", "}"))
        for rule in app.url_map.iter_rules()
        if rule.rule not in PAGES
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert routed == written
    assert {rule.rule for rule in app.url_map.iter_rules()} > PAGES


def test_scopes_in_the_document_are_scopes_of_that_kind_of_caller() -> None:
    for _, _, operation in operations(committed("openapi")):
        for requirement in operation["security"]:
            ((kind, scopes),) = requirement.items()
            assert set(scopes) <= set(vocabulary.SCOPES[kind]), operation["operationId"]


def test_an_operation_says_each_of_its_refusals() -> None:
    document = committed("openapi")
    described = {o["operationId"]: o["responses"] for _, _, o in operations(document)}
    for operation in house.operations():
        for refusal in operation.every_refusal():
            status, kind = refusal.status, "application/problem+json"
            if operation.audience == "oauth":
                status, kind = oauth.code_of(refusal)[1], "application/json"
            name = described[operation.id][str(status)]["$ref"].rsplit("/", 1)[1]
            examples = document["components"]["responses"][name]["content"][kind]["examples"]
            assert refusal.slug in examples, (operation.id, refusal.slug)


def test_an_operation_that_wants_a_fresh_sign_in_says_so() -> None:
    described = {o["operationId"]: o["description"] for _, _, o in operations(committed("openapi"))}
    said = {name for name, words in described.items() if "at most 5 minutes old" in words}
    assert said == {operation.id for operation in house.operations() if operation.steps_up} != set()

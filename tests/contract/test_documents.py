"""The committed documents are what the code makes, and keep the rules of the contract."""

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from api import app as house
from api import contract, reading, vocabulary
from api.app import Continuum
from tests.contract.documents import committed
from tests.contract.rules import RULES, operations

NAMES = ("openapi", *reading.AUDIENCES)
BAD = json.loads(Path(__file__).with_name("bad.json").read_text())

# Addresses that answer people and machines, but not apps: HTML, probes, and the documents themselves.
PAGES = {
    "/docs",
    "/docs/static/<path:filename>",
    "/livez",
    "/openapi.json",
    "/openapi/<any(public,patient,partner,clinic):audience>.json",
    "/problems/<slug>",
    "/readyz",
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


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_rejects_its_bad_example(rule: str) -> None:
    assert list(RULES[rule](BAD[rule]))


@pytest.mark.parametrize("audience", reading.AUDIENCES)
def test_an_audience_gets_its_operations_and_no_others(audience: str) -> None:
    whole = {o["operationId"]: o for _, _, o in operations(committed("openapi"))}
    mine = {o["operationId"]: o for _, _, o in operations(committed(audience))}
    theirs = {name for name, o in whole.items() if o["security"] == [] or audience not in o["security"][0]}
    public = {name for name, o in whole.items() if o["security"] == []}
    assert mine == {name: whole[name] for name in (public if audience == "public" else set(whole) - theirs)}


def test_every_operation_belongs_to_an_audience() -> None:
    parts = [o["operationId"] for name in reading.AUDIENCES for _, _, o in operations(committed(name))]
    assert sorted(parts) == sorted(o["operationId"] for _, _, o in operations(committed("openapi")))


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
            name = described[operation.id][str(refusal.status)]["$ref"].rsplit("/", 1)[1]
            examples = document["components"]["responses"][name]["content"]["application/problem+json"]["examples"]
            assert refusal.slug in examples, (operation.id, refusal.slug)

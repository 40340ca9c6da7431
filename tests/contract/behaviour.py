"""Requests made from the contract, and what every answer to them must be.

Half of the requests fit the contract and half break it somewhere. Whatever comes, the answer is one that the
contract writes down for that operation: status, content type, headers, shape, and the problem's own name.
"""

import json
import os
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CheckFunction, not_a_server_error
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
)

from api import contract_fields
from api.app import Continuum
from tests.contract.documents import DOCUMENT
from tests.contract.rules import Json, of_oauth, operations, resolved
from tests.dpop import Key
from tests.phone import APP

EXAMPLES = int(os.environ.get("FUZZ", "3"))
# How a request that breaks its contract may be refused: by what is wrong with it, or by what it is about.
REFUSED = {
    "negative_data_rejection": {"expected-statuses": [400, 401, 403, 404, 405, 409, 410, 412, 413, 414, 415, 422, 428]}
}
# What a form needs to be read further than to the name of the client.
OF_THE_APP = {
    "authorizeChallenge": [
        {"client_id": APP, "response_type": "code", "code_challenge": "a" * 43, "code_challenge_method": "S256"}
    ],
    "requestToken": [
        {"client_id": APP, "grant_type": "authorization_code", "code": "nobodys", "code_verifier": "a" * 43},
        {"client_id": APP, "grant_type": "refresh_token", "refresh_token": "nobodys"},
    ],
    "revokeToken": [{"client_id": APP}],
}
PROOF = {"$ref": "#/components/parameters/DPoP"}
# What any address may answer before it knows which operation is meant.
AT_ANY_ADDRESS = {"405", "413", "414", "431"}


def in_range(pattern: str) -> st.SearchStrategy[str]:
    """Years that the house takes: 1900 to 2199."""
    return st.from_regex(pattern, fullmatch=True)


@schemathesis.serializer("application/pdf")
def as_it_is(_context: Any, value: Any) -> Any:
    """A paper goes as the bytes that it is; what is no text is not even tried."""
    return value if isinstance(value, bytes) else str(value).encode()


YEARS = r"(19|20|21)[0-9]{2}"
schemathesis.openapi.format("date", in_range(YEARS + r"-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"))
schemathesis.openapi.format(
    "date-time",
    in_range(
        YEARS + r"-(0[2-9]|1[0-1])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-]0[0-9]:00)"
    ),
)


@cache
def schema() -> Any:
    """The document without its security, since the tests bring callers of their own, and without the pattern that
    forbids NUL: making texts from a pattern takes most of the time, and a NUL is a good thing to send. Patients come
    here with tokens of the development, beside which nobody looks at a proof, be it malformed."""
    open_document = json.loads(json.dumps(DOCUMENT), object_hook=without_any_text)
    for path, _, operation in operations(open_document):
        operation["security"] = []
        if not of_oauth(path) and "parameters" in operation:
            operation["parameters"] = [one for one in operation["parameters"] if one != PROOF]
    return schemathesis.openapi.from_dict(open_document, config=schemathesis.Config.from_dict({"checks": REFUSED}))


def without_any_text(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if (key, value) != ("pattern", contract_fields.ANY_TEXT)}


def operation(name: str, app: Continuum) -> APIOperation:
    schema().app = app
    found: APIOperation = schema().find_operation_by_id(name)
    return found


def knock(name: str, app: Continuum, headers: Mapping[str, str], known: Mapping[str, str], examples: int) -> list[Any]:
    """Requests to one operation, made up to `examples` times and checked; the answers to them."""
    answers: list[Any] = []
    asked = operation(name, app)

    @given(st.data())
    @settings(
        max_examples=examples,
        derandomize="FUZZ" not in os.environ,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink] if "FUZZ" in os.environ else [Phase.generate],
    )
    def ask(data: st.DataObject) -> None:
        case = data.draw(requests(asked, known))
        if name in OF_THE_APP and case.meta.generation.mode.is_positive and data.draw(st.booleans()):
            of_the_app(case, app.settings.public_url, data.draw(st.sampled_from(OF_THE_APP[name])))
        answer = case.call(headers=dict(headers))
        answers.append(answer)
        case.validate_response(answer, checks=CHECKS, headers=dict(headers))

    ask()
    return answers


def of_the_app(case: Any, address: str, known: Mapping[str, str]) -> None:
    """Make the form that of an app with a key."""
    case.body |= known
    case.headers["DPoP"] = Key().proof("POST", address + case.operation.path)


@cache
def strategy(asked: APIOperation, mode: GenerationMode, known: tuple[tuple[str, str], ...]) -> Any:
    return asked.as_strategy(generation_mode=mode, path_parameters=dict(known) or None)


def requests(asked: APIOperation, known: Mapping[str, str]) -> st.SearchStrategy[Any]:
    """Fitting and unfitting requests, to things that are there and to things that are not."""
    there = tuple(sorted(known.items()))
    return st.one_of(
        strategy(asked, GenerationMode.POSITIVE, there),
        strategy(asked, GenerationMode.NEGATIVE, there),
        strategy(asked, GenerationMode.POSITIVE, ()),
    )


def the_status_is_written_down(_ctx: Any, response: Any, case: Any) -> None:
    """`default` is for clients; the house names each status that it means to answer."""
    written = set(case.operation.definition.raw["responses"]) | AT_ANY_ADDRESS
    assert str(response.status_code) in written, f"{response.status_code}: {response.text[:500]}"


def the_problem_is_written_down(_ctx: Any, response: Any, case: Any) -> None:
    """A problem of an operation is one of the examples that the contract gives for its status; OAuth's name the page
    of theirs beside their code."""
    status = str(response.status_code)
    if status in AT_ANY_ADDRESS or response.status_code < 400:
        return
    written = resolved(DOCUMENT, case.operation.definition.raw["responses"][status])
    ((_, media),) = written["content"].items()
    problem, oauth = json.loads(response.content), of_oauth(case.operation.path)
    example = media["examples"].get(problem["problem" if oauth else "type"].rsplit("/", 1)[1])
    assert example, problem
    name = "error" if oauth else "status"
    assert problem[name] == example["value"][name]
    assert oauth or problem["status"] == response.status_code


def nothing_unwritten_is_said(_ctx: Any, response: Any, case: Any) -> None:
    """Answers may grow for their readers; but whatever the house says today, the contract tells."""
    if not response.content or str(response.status_code) in AT_ANY_ADDRESS:
        return
    written = resolved(DOCUMENT, case.operation.definition.raw["responses"][str(response.status_code)])
    ((media_type, media),) = written["content"].items()
    if not media_type.endswith("json"):
        assert response.headers["content-type"][0].startswith(media_type)
        return
    assert list(unwritten(json.loads(response.content), media["schema"])) == []


def unwritten(value: Any, schema: Json, where: str = "") -> Iterator[str]:
    """The members of `value`, at any depth, that `schema` does not name."""
    schema = resolved(DOCUMENT, schema)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        for name, inner in value.items():
            if name not in properties:
                yield f"{where}/{name}"
            else:
                yield from unwritten(inner, properties[name], f"{where}/{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from unwritten(inner, schema["items"], f"{where}/*")


def a_fitting_request_is_understood(_ctx: Any, response: Any, case: Any) -> None:
    """A body that fits the contract is never called malformed, nor of the wrong type.

    OpenAPI cannot say that a header is needed unless the body asks for a preview, so that lack is no misfit. OAuth
    says everything by 400 (RFC 6749 §5.2).
    """
    keyless = "/problems/idempotency-key-missing" in response.text
    may = (400,) if of_oauth(case.operation.path) else ()
    if case.meta.generation.mode.is_positive and not case.query and not keyless:
        assert response.status_code not in {400, 415} - {*may}, response.text[:500]


CHECKS: list[CheckFunction] = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    the_status_is_written_down,
    the_problem_is_written_down,
    nothing_unwritten_is_said,
    a_fitting_request_is_understood,
]

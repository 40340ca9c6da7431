"""The contract's own examples, sent to the demo clinic one after another, succeed."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from api.app import Continuum
from tests.contract import behaviour
from tests.contract.conftest import AT, House
from tests.contract.documents import DOCUMENT, NAMED
from tests.contract.rules import Json, resolved

# Those that need to know how the request was made have nothing to say about an example.
CHECKS = [
    one
    for one in behaviour.CHECKS
    if one not in (behaviour.negative_data_rejection, behaviour.a_fitting_request_is_understood)
]


# Attendance is recorded of a session that has begun, and a missed one made up for; a link opens shortly before.
LATER = {
    "putAttendance": AT + timedelta(days=2),
    "joinMySession": AT + timedelta(minutes=10),
    "bookMyMakeUpSession": AT + timedelta(days=4),
}

# Only a phone can answer a challenge, only an authenticator app knows the code of the moment, and only its reader the
# one that came by text or mail.
MADE_ELSEWHERE = ("createMyPasskey", "putMyTotp", "confirmMyPhone", "confirmMyEmail")


@pytest.fixture(autouse=True)
def swept() -> None:
    """In place of the sweeping after each test: the house stays furnished for all operations."""


def parameters(name: str, kind: str) -> dict[str, Any]:
    """The examples of the operation's parameters of one kind; tokens are good for one reader only."""
    described = [resolved(DOCUMENT, one) for one in NAMED[name].get("parameters", [])]
    return {
        one["name"]: one["example"]
        for one in described
        if one["in"] == kind and "example" in one and one["name"] not in ("page_token", "since", "If-None-Match")
    }


def in_address(value: Any) -> Any:
    """A parameter's value as an address writes it."""
    if isinstance(value, list):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else value


def body(name: str, house: House) -> dict[str, Any]:
    """The example of the body with ids of what is there, and its media type."""
    if "requestBody" not in NAMED[name]:
        return {}
    ((media_type, media),) = NAMED[name]["requestBody"]["content"].items()
    if not media_type.endswith("json"):
        return {"body": media["example"].encode(), "media_type": media_type}
    example: Json = dict(media["example"])
    example |= {key: str(house.there(key)) for key in example if key.endswith("_id") and key != "text_id"}
    return {"body": example, "media_type": media_type}


def headers(name: str, app: Continuum, house: House, path: Mapping[str, str]) -> dict[str, str]:
    """The example headers; the version in If-Match is the one that a read of the thing itself gives."""
    sent = parameters(name, "header")
    if "Idempotency-Key" in sent:
        sent["Idempotency-Key"] = name
    if "If-Match" in sent:
        sent["If-Match"] = tag_of(behaviour.operation(name, app).path.format(**path), app, {**sent, **house.own(name)})
    return {**sent, **house.own(name)}


def tag_of(address: str, app: Continuum, headers: dict[str, str]) -> str:
    """Of the thing at the address, or, where an act is asked there, of the thing that it is done to."""
    addresses = (address, re.sub(r"/[a-z-]+$", "", address))
    read = (app.test_client().get(one, headers=headers) for one in addresses)
    return next(answer.headers["ETag"] for answer in read if "ETag" in answer.headers)


# What takes something away comes last.
IN_ORDER = sorted(
    (name for name, operation in NAMED.items() if operation["tags"] != ["Sign-in"]),
    key=lambda name: name.startswith(("delete", "withdrawMy")),
)


@pytest.mark.parametrize("name", IN_ORDER)
def test_the_example_succeeds(name: str, app: Continuum, house: House, travel: Callable[[datetime], datetime]) -> None:
    travel(LATER.get(name, AT))
    asked, path = behaviour.operation(name, app), house.known(name)
    query = {key: in_address(value) for key, value in parameters(name, "query").items()}
    sent = {"path_parameters": path, "query": query, "headers": headers(name, app, house, path)}
    case = asked.Case(**sent, **body(name, house))
    answer = case.call()
    case.validate_response(answer, checks=CHECKS)
    assert answer.status_code in ((422,) if name in MADE_ELSEWHERE else (200, 201, 202, 204)), answer.text

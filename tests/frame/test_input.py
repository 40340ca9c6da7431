"""Bad input gets a clear problem document, never a 500, and changes nothing."""

import json
from typing import Any

import pytest

from tests.knocking import Knocker

PATH = "/v1/clinic/patients/EHR-1"


def put(clinic: Knocker, data: bytes, content_type: str = "application/json", **headers: str) -> Any:
    return clinic.put(PATH, data=data, content_type=content_type, headers=headers)


@pytest.mark.parametrize(
    ("data", "status", "slug"),
    [
        (b"", 400, "malformed-request"),
        (b'{"preferred_name": "Sa', 400, "malformed-request"),
        (b'{"preferred_name": "Sam"} x', 400, "malformed-request"),
        (b'{"preferred_name": NaN}', 400, "malformed-request"),
        (b'{"preferred_name": "\xff"}', 400, "malformed-request"),
        (b'{"preferred_name": "\\ud800"}', 400, "malformed-request"),
        (b'{"preferred_name": "A", "preferred_name": "B"}', 400, "malformed-request"),
        (b'{"a": {"b": 1, "b": 2}}', 400, "malformed-request"),
        (b"[" * 100_000, 400, "malformed-request"),
        (b"[" * 40 + b"]" * 40, 400, "malformed-request"),
        (b'{"preferred_name": ' + b"[" * 33 + b"]" * 33 + b"}", 400, "malformed-request"),
        (b'{"preferred_name": ' + b"9" * 5000 + b"}", 400, "malformed-request"),
        (b'{"preferred_name": 1e400}', 400, "malformed-request"),
        (b'"text"', 422, "validation-error"),
        (b"[]", 422, "validation-error"),
        (b"null", 422, "validation-error"),
        (b'{"preferred_name": "a\\u0000b"}', 422, "validation-error"),
        (b'{"preferred_name": ""}', 422, "validation-error"),
        (b'{"preferred_name": null}', 422, "validation-error"),
        (b'{"preferred_name": ["Sam"]}', 422, "validation-error"),
        (b'{"unknown": 1}', 422, "validation-error"),
        (b'{"preferred_name": "' + b"x" * 201 + b'"}', 422, "validation-error"),
        (b'{"preferred_name": "' + b"x" * 2_000_000 + b'"}', 413, "content-too-large"),
    ],
    ids=lambda value: value[:30] if isinstance(value, bytes) else value,
)
def test_a_body_that_does_not_fit_is_told_so(clinic: Knocker, data: bytes, status: int, slug: str) -> None:
    refused = put(clinic, data)
    assert (refused.status_code, refused.json["type"].rpartition("/")[2]) == (status, slug)
    assert refused.json["status"] == status
    assert refused.content_type == "application/problem+json"
    assert clinic.get(PATH).status_code == 404


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", ""])
def test_only_json_is_read(clinic: Knocker, content_type: str) -> None:
    refused = put(clinic, b'{"preferred_name": "Sam"}', content_type)
    assert refused.status_code == 415
    assert refused.headers["Accept-Post"] == "application/json"


def test_a_compressed_body_is_not_read(clinic: Knocker) -> None:
    assert put(clinic, b"{}", **{"Content-Encoding": "gzip"}).status_code == 415


def test_a_validation_problem_points_at_each_value(clinic: Knocker) -> None:
    refused = put(clinic, json.dumps({"language": "xx", "a/b~c": 1}).encode())
    assert {error["pointer"] for error in refused.json["errors"]} == {"/language", "/a~1b~0c"}


@pytest.mark.parametrize("query", ["?colour=red", "?x", "?%00=1"])
def test_an_unknown_query_parameter_is_refused(clinic: Knocker, patient: Knocker, query: str) -> None:
    assert patient.get("/v1/me" + query).status_code == 400


def test_an_address_longer_than_8_kib_is_refused(visitor: Knocker) -> None:
    assert visitor.get("/v1/me?" + "x" * 9000).status_code == 414


def test_methods_are_named_when_another_is_used(visitor: Knocker) -> None:
    refused = visitor.delete("/v1/me/preferences")
    assert refused.status_code == 405
    assert {"GET", "PUT"} <= set(refused.headers["Allow"].split(", "))
    assert visitor.request("BREW", "/v1/me").status_code == 501
    assert visitor.request("TRACE", "/v1/me").status_code == 405


@pytest.mark.parametrize("address", ["/v1//me", "//v1/me", "/v1/me/", "/v1/me//sessions?from=x"])
def test_an_address_with_a_slash_too_many_is_nowhere(visitor: Knocker, address: str) -> None:
    answer = visitor.get(address, headers={"Host": "elsewhere.example"})
    assert (answer.status_code, answer.headers.get("Location")) == (404, None)


def test_nowhere_is_a_problem_document_too(visitor: Knocker) -> None:
    refused = visitor.get("/nowhere")
    assert refused.status_code == 404
    assert refused.content_type == "application/problem+json"


def test_a_refusal_speaks_the_callers_language(visitor: Knocker) -> None:
    refused = visitor.get("/v1/me", headers={"Accept-Language": "es-MX, en;q=0.5"})
    assert refused.json["title"] == "Inicie sesión"
    assert refused.headers["Content-Language"] == "es"


@pytest.mark.parametrize("accepted", ["*", "xx", "en;q=0", ""])
def test_any_other_language_is_answered_in_english(visitor: Knocker, accepted: str) -> None:
    assert visitor.get("/v1/me", headers={"Accept-Language": accepted}).headers["Content-Language"] == "en"

"""The contract: OpenAPI 3.1 made from the doors, whole and per audience, each document complete in itself.

The doors say what each operation asks, answers and refuses; `document` adds what follows from the kind of
caller and writes all of it down once. `openapi/` holds the result, and the code must agree with it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from api import auth, contract_fields, contract_oauth, contract_parts, contract_webhooks, dpop, errors, oauth
from api.contract_operation import PLACEHOLDER, Operation
from api.contract_parts import Json
from schemas import base
from schemas.oauth import OAuthErrorAnswer

__all__ = ["Operation", "documents", "render", "write"]

AUDIENCES = ("public", "patient", "partner", "clinic")
PATH_SCHEMAS: dict[str, Json] = {
    "uuid": {"type": "string", "format": "uuid", "maxLength": 36},
    "string": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": r"^[^/\u0000-\u001f]+$"},
}
MOST_IN_A_NAME = 3
EXAMPLE_ID = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01"
PATH_NOTES: dict[str, Json] = {
    "slug": {"description": "The program's name in addresses.", "example": "iop"},
    "external_id": {"description": "The patient's id in the clinic's record system.", "example": "EHR-100234"},
    "key": {"description": "The questionnaire's name in addresses.", "example": "daily"},
}


class Writer:
    """Turns operations into paths, gathering the shapes they use."""

    def __init__(self) -> None:
        self.spec, self.converter = contract_fields.empty()
        self.paths: Json = {}

    def write(self, operation: Operation) -> None:
        self.paths.setdefault(operation.path, {})[operation.method.lower()] = self.described(operation)

    def described(self, operation: Operation) -> Json:
        """The operation object; members that say nothing are left out."""
        described = {
            "operationId": operation.id,
            "tags": [operation.tag],
            "summary": operation.summary,
            "description": " ".join((operation.description, *needs(operation))),
            "parameters": [*path_parameters(operation.rule), *self.query(operation), *conditions(operation)],
            "requestBody": self.body(operation),
            "responses": self.responses(operation),
            "security": [{operation.audience: operation.scopes}] if operation.scopes else [],
        }
        return {key: value for key, value in described.items() if value or key == "security"}

    def query(self, operation: Operation) -> list[Json]:
        """Each query parameter, with the value that the schema's example gives it."""
        if not operation.query:
            return []
        example = operation.query.example
        return [one | exemplified(one, example) for one in self.converter.parameters(operation.query)]

    def body(self, operation: Operation) -> Json:
        if operation.takes:
            return {"required": True, "content": {operation.takes: contract_parts.SENT_BYTES}}
        if not operation.asks:
            return {}
        return {"required": True, "content": {operation.asks_type: self.content(operation.asks)}}

    def content(self, shape: type[base.Shape]) -> Json:
        return {"schema": self.converter.component(shape), "example": shape.example}

    def responses(self, operation: Operation) -> Json:
        return {
            str(operation.status): self.success(operation),
            **({"304": {"$ref": "#/components/responses/NotModified"}} if operation.etag else {}),
            **problems(operation),
            "default": {
                "$ref": f"#/components/responses/{'OAuthError' if operation.audience == 'oauth' else 'Problem'}"
            },
        }

    def success(self, operation: Operation) -> Json:
        sent = {
            "ETag": operation.etag or operation.if_match,
            "Idempotency-Replayed": operation.idempotent,
            "Location": operation.status == 201,
        }
        response: Json = {
            "description": HTTPStatus(operation.status).phrase + ".",
            "headers": contract_parts.headers(*(name for name, is_sent in sent.items() if is_sent)),
        }
        if operation.answers:
            response["content"] = {"application/json": self.content(operation.answers)}
        elif operation.gives:
            response["content"] = {
                operation.gives: {"schema": contract_parts.BYTES, "example": contract_parts.GIVEN[operation.gives]}
            }
        return response


def exemplified(parameter: Json, example: Mapping[str, Any]) -> Json:
    """The `example` member of a query parameter; a comma-separated list is written as one."""
    if (given := example.get(parameter["name"])) is None:
        return {}
    return {"example": given.split(",") if parameter["schema"].get("type") == "array" else given}


def path_parameters(rule: str) -> Iterator[Json]:
    """The parameters of a Flask rule. Raises `KeyError` for a converter that has no schema here."""
    for found in PLACEHOLDER.finditer(rule):
        name, converter = found["name"], found["converter"] or "string"
        yield {
            "name": name,
            "in": "path",
            "required": True,
            **(PATH_NOTES.get(name) or {"description": f"Id of the {words(name)}.", "example": EXAMPLE_ID}),
            "schema": PATH_SCHEMAS[converter],
        }


def needs(operation: Operation) -> Iterator[str]:
    """What the caller must have been granted, and have shown, in sentences."""
    if operation.scopes:
        yield f"Needs the scope{'s' * (len(operation.scopes) > 1)} {', '.join(f'`{one}`' for one in operation.scopes)}."
    if operation.steps_up:
        yield f"Needs a sign-in that is strong and at most {auth.STEP_UP_SECONDS // 60} minutes old."


def words(name: str) -> str:
    return name.removesuffix("_id").replace("_", " ")


def conditions(operation: Operation) -> Iterator[Json]:
    """The request headers that the operation reads."""
    named = {
        "Acting-User": operation.audience == "clinic",
        "DPoP": dpop.BadProof in operation.every_refusal(),
        "Idempotency-Key": operation.idempotent and not operation.previews,
        "Idempotency-Key-Unless-Preview": operation.idempotent and operation.previews,
        "If-Match": operation.if_match,
        "If-None-Match": operation.etag,
    }
    return ({"$ref": f"#/components/parameters/{name}"} for name, read in named.items() if read)


def by_status(operation: Operation) -> dict[int, list[type[errors.Refusal]]]:
    found: dict[int, list[type[errors.Refusal]]] = {}
    for refusal in operation.every_refusal():
        status = oauth.code_of(refusal)[1] if operation.audience == "oauth" else refusal.status
        found.setdefault(status, []).append(refusal)
    return found


def response_name(operation: Operation, status: int, refusals: list[type[errors.Refusal]]) -> str:
    """The shared response for this set of refusals, since what a status means differs between operations; of one's
    own where there are many, or where they carry more than every problem does."""
    if operation.audience == "oauth":
        return f"{operation.id[0].upper()}{operation.id[1:]}{status}"
    if not operation.carried(status):
        if status == 401:
            return operation.audience.capitalize() + ("TooWeak" if operation.steps_up else "Unauthenticated")
        if len(refusals) <= MOST_IN_A_NAME:
            return "Or".join(one.__name__ for one in refusals)
    return f"{operation.id[0].upper()}{operation.id[1:]}{status}"


def problems(operation: Operation) -> Json:
    return {
        str(status): {"$ref": f"#/components/responses/{response_name(operation, status, refusals)}"}
        for status, refusals in by_status(operation).items()
    }


def shared_responses(operations: Iterable[Operation], converter: contract_fields.Converter) -> Json:
    return contract_parts.RESPONSES | {
        response_name(operation, status, refusals): refused(operation, status, refusals, converter)
        for operation in operations
        for status, refusals in by_status(operation).items()
    }


def refused(
    operation: Operation, status: int, refusals: list[type[errors.Refusal]], converter: contract_fields.Converter
) -> Json:
    if operation.audience == "oauth":
        converter.component(OAuthErrorAnswer)
        return contract_oauth.response(status, refusals)
    return problem(operation.carried(status), status, refusals, converter)


def problem(
    carried: type[base.Answer] | None,
    status: int,
    refusals: list[type[errors.Refusal]],
    converter: contract_fields.Converter,
) -> Json:
    """The response; `carried` becomes a shape of its own, with the members of every problem in it."""
    if carried is None:
        return contract_parts.problem_response(status, refusals)
    reference, written = converter.component(carried), converter.spec.components.schemas[carried.__name__]
    written["properties"] = contract_parts.PROBLEM["properties"] | written["properties"]
    written["required"] = sorted({*contract_parts.PROBLEM["required"], *written.get("required", ())})
    return contract_parts.problem_response(status, refusals, reference, carried.example)


def document(operations: Iterable[Operation]) -> Json:
    """All `operations` as one OpenAPI document with everything that they refer to, and nothing else."""
    operations = list(operations)
    writer = Writer()
    for operation in operations:
        writer.write(operation)
    told = contract_webhooks.described(writer.converter) if tells(operations) else {}
    components = {**contract_parts.components(), "responses": shared_responses(operations, writer.converter)}
    if "OAuthErrorAnswer" in writer.spec.components.schemas:
        components["responses"]["OAuthError"] = contract_oauth.response(500, [errors.Internal])
    components["schemas"] |= writer.spec.components.schemas
    return {
        "openapi": contract_fields.VERSION,
        "info": contract_parts.INFO,
        "servers": contract_parts.SERVERS,
        "tags": tags(operations),
        "paths": writer.paths,
        **({"webhooks": told} if told else {}),
        "components": only_used({**writer.paths, **told}, components),
    }


def tells(operations: Iterable[Operation]) -> bool:
    """Whether these are told of webhooks: where endpoints are registered."""
    return any(one.id == "createWebhookEndpoint" for one in operations)


def tags(operations: Iterable[Operation]) -> list[Json]:
    names = sorted({one.tag for one in operations})
    return [{"name": name, "description": contract_parts.TAGS[name]} for name in names]


def only_used(paths: Json, components: Json) -> Json:
    """The components that `paths` reach, directly or through others, in alphabetical order."""
    used: set[str] = set()
    waiting = list(references(paths))
    while waiting:
        if (name := waiting.pop()) not in used:
            used.add(name)
            kind, key = name.split("/")
            waiting += references(components[kind][key])
    kept = {
        kind: {key: part[key] for key in sorted(part) if f"{kind}/{key}" in used} for kind, part in components.items()
    }
    return {kind: part for kind, part in sorted(kept.items()) if part}


def references(node: Any) -> Iterator[str]:
    """`schemas/Problem` and the like: every component that `node` names, security schemes among them."""
    if isinstance(node, list):
        for one in node:
            yield from references(one)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref":
                yield value.removeprefix("#/components/")
            elif key == "security":
                yield from (f"securitySchemes/{scheme}" for requirement in value for scheme in requirement)
            else:
                yield from references(value)


def documents(operations: Iterable[Operation]) -> dict[str, Json]:
    """File name to document: the whole, and what each audience gets."""
    operations = list(operations)
    parts = {name: document(one for one in operations if name in (one.audience, *one.shown_to)) for name in AUDIENCES}
    return {"openapi": document(operations), **parts}


def render(document: Json) -> str:
    """As committed: stable, and readable in a diff."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def write(operations: Iterable[Operation], folder: Path) -> None:
    """Write every document into `folder`."""
    for name, one in documents(operations).items():
        (folder / f"{name}.json").write_text(render(one), encoding="utf-8")

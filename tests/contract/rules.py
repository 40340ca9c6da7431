"""What every contract document keeps, as functions from a document to what is wrong with it.

Most are rules of generated clients: each was seen to break the Kotlin, Swift or TypeScript made from a document.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

Json = dict[str, Any]
Rule = Callable[[Json], Iterator[str]]

RULES: dict[str, Rule] = {}
LOWEST, HIGHEST = -(2**53) + 1, 2**53 - 1
ALWAYS = {"400", "429", "500", "503", "default"}
JSON_BODIES = (["application/json"], ["application/merge-patch+json"])
FORMS = (["application/x-www-form-urlencoded"],)
# Frozen: what is sent as it is, because it is a paper.
PAPERS = {"/v1/partner/referrals/{referral_id}/document": (["application/pdf"],)}
# Frozen: what is given as it is, to be kept or printed.
GIVEN = {
    "/v1/me/consents/{consent_id}/document": "text/html",
    "/v1/clinic/referrals/{referral_id}/document": "application/pdf",
}
# What a patient's app tells apart at a 401, and what it does about each.
OF_PATIENTS = {
    *("authentication-required", "token-expired", "invalid-token", "session-ended", "session-revoked"),
    *("invalid-dpop-proof", "use-dpop-nonce"),
}


def rule(function: Rule) -> Rule:
    RULES[function.__name__] = function
    return function


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            yield path, method, operation


def of_oauth(path: str) -> bool:
    """OAuth's endpoints follow RFC 6749: forms, unknown parameters ignored, errors of their own."""
    return path.startswith("/oauth/")


def resolved(document: Json, node: Json) -> Json:
    while "$ref" in node:
        kind, name = node["$ref"].removeprefix("#/components/").split("/")
        node = document["components"][kind][name]
    return node


def schemas(document: Json) -> Iterator[tuple[str, Json]]:
    """Every schema with a path to it: components, parameters, headers, bodies and everything nested in them."""
    for where, node in walk(document):
        if where.endswith("/schema") or re.fullmatch(r"/components/schemas/[^/]+", where):
            yield from nested(where, node)


def walk(node: Any, where: str = "") -> Iterator[tuple[str, Json]]:
    if isinstance(node, dict):
        yield where, node
    if where.endswith(("/example", "/examples")):
        return
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in children:
        yield from walk(child, f"{where}/{key}")


def nested(where: str, schema: Json) -> Iterator[tuple[str, Json]]:
    yield where, schema
    for name, one in schema.get("properties", {}).items():
        yield from nested(f"{where}/{name}", one)
    for key in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(key), dict):
            yield from nested(f"{where}/{key}", schema[key])
    for key in ("anyOf", "oneOf", "allOf"):
        for one in schema.get(key, []):
            yield from nested(f"{where}/{key}", one)


def types(schema: Json) -> set[str]:
    found = schema.get("type", [])
    return {found} if isinstance(found, str) else set(found)


def reached(document: Json, nodes: list[Json]) -> set[str]:
    """Names of the schema components that `nodes` lead to."""
    found: set[str] = set()
    waiting = [one["$ref"] for node in nodes for _, one in walk(node) if "$ref" in one]
    while waiting:
        kind, name = waiting.pop().removeprefix("#/components/").split("/")
        if (kind, name) != ("schemas", name) or name not in found:
            found |= {name} if kind == "schemas" else set()
            waiting += [one["$ref"] for _, one in walk(document["components"][kind][name]) if "$ref" in one]
    return found


@rule
def every_operation_has_one_stable_name(document: Json) -> Iterator[str]:
    names = [operation.get("operationId", "") for _, _, operation in operations(document)]
    yield from (f"operationId {name!r}" for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z]*)+", name))
    yield from (f"{name} names {count} operations" for name, count in Counter(names).items() if count > 1)


@rule
def every_operation_is_described(document: Json) -> Iterator[str]:
    for path, method, operation in operations(document):
        if not (operation.get("summary") and operation.get("description")) or len(operation.get("tags", [])) != 1:
            yield f"{method} {path}"


@rule
def every_parameter_is_described(document: Json) -> Iterator[str]:
    for path, method, operation in operations(document):
        for parameter in operation.get("parameters", []):
            if not resolved(document, parameter).get("description"):
                yield f"{method} {path}: {parameter['name']}"


@rule
def every_operation_names_its_security(document: Json) -> Iterator[str]:
    """Nothing is public by omission: `security` stands on each operation, and its scopes in the description."""
    schemes = document.get("components", {}).get("securitySchemes", {})
    for path, method, operation in operations(document):
        named = [pair for one in operation.get("security", []) for pair in one.items()]
        if "security" not in operation or not all(
            scheme in schemes and scopes and all(one in schemes[scheme]["description"] for one in scopes)
            for scheme, scopes in named
        ):
            yield f"{method} {path}"


@rule
def every_status_is_written_down(document: Json) -> Iterator[str]:
    for path, method, operation in operations(document):
        expected = set(ALWAYS)
        expected |= {"401", "403"} if operation.get("security") else set()
        expected |= {"404"} if "{" in path else set()
        expected |= {"413", "415"} if "requestBody" in operation else set()
        expected |= {"422"} if "requestBody" in operation and not of_oauth(path) else set()
        if missing := expected - set(operation["responses"]):
            yield f"{method} {path}: {sorted(missing)}"


@rule
def every_error_is_a_problem_document(document: Json) -> Iterator[str]:
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            content = resolved(document, response).get("content", {})
            if status[0] in "45d" and not of_oauth(path) and list(content) != ["application/problem+json"]:
                yield f"{method} {path} {status}"


@rule
def every_error_of_oauth_is_oauths(document: Json) -> Iterator[str]:
    """RFC 6749 §5.2: JSON with `error`, one shape for all of them, and one that no other operation answers."""
    shape = {"$ref": "#/components/schemas/OAuthErrorAnswer"}
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            content = resolved(document, response).get("content", {})
            said = {kind: media["schema"] for kind, media in content.items()}
            if (said == {"application/json": shape}) != (of_oauth(path) and status[0] in "45d"):
                yield f"{method} {path} {status}"


@rule
def bodies_are_json_and_oauths_are_forms(document: Json) -> Iterator[str]:
    for path, method, operation in operations(document):
        kinds = list(operation.get("requestBody", {}).get("content", {}))
        if kinds and kinds not in (FORMS if of_oauth(path) else PAPERS.get(path, JSON_BODIES)):
            yield f"{method} {path}"


@rule
def every_401_says_what_is_asked_of_the_app(document: Json) -> Iterator[str]:
    """Each reason that a patient's app tells apart is an example; what asks for a fresh sign-in says so in words too,
    and nothing else does (RFC 9470)."""
    for path, method, operation in operations(document):
        if any("patient" in one for one in operation.get("security", [])):
            refused = resolved(document, operation["responses"].get("401", {}))
            told = set(refused.get("content", {}).get("application/problem+json", {}).get("examples", {}))
            fresh = "Needs a sign-in that is strong" in operation.get("description", "")
            if (
                not told >= OF_PATIENTS
                or ("step-up-required" in told) != fresh
                or "DPoP-Nonce" not in refused["headers"]
            ):
                yield f"{method} {path}"


@rule
def proofs_are_taken_where_a_patient_asks(document: Json) -> Iterator[str]:
    """`DPoP` stands on every operation of patients, and where they sign in; the development's tokens need none."""
    for path, method, operation in operations(document):
        named = {one["name"]: one for one in (resolved(document, each) for each in operation.get("parameters", []))}
        of_patients = any("patient" in one for one in operation.get("security", []))
        needed = of_patients or path in ("/oauth/authorize-challenge", "/oauth/token")
        if ("DPoP" in named) != needed or (needed and named["DPoP"]["required"]):
            yield f"{method} {path}"


@rule
def a_success_has_one_content_type_and_an_object(document: Json) -> Iterator[str]:
    """None with 204; nor where RFC 7009 §2.2 wants 200 for a token that no longer stands."""
    for path, method, operation in operations(document):
        for status, response in operation["responses"].items():
            if status[0] == "2":
                content = resolved(document, response).get("content", {})
                if method == "get" and list(content) == [GIVEN.get(path)]:
                    continue
                shapes = [resolved(document, one["schema"]) for one in content.values()]
                empty = status == "204" or (path, status) == ("/oauth/revoke", "200")
                if len(content) == empty or len(content) > 1 or any(shape.get("type") != "object" for shape in shapes):
                    yield f"{method} {path} {status}"


@rule
def bodies_are_named_shapes(document: Json) -> Iterator[str]:
    """An anonymous shape gets a name from each generator, which changes when an operation is added."""
    for where, node in walk(document.get("paths", {})):
        bytes_alone = node.get("schema", {}).get("format") == "binary"
        if "/content/" in where and "schema" in node and "$ref" not in node["schema"] and not bytes_alone:
            yield where
    for where, schema in schemas(document):
        if where.count("/") > 3 and "object" in types(schema):
            yield where


@rule
def everything_has_a_type(document: Json) -> Iterator[str]:
    for where, schema in schemas(document):
        if not types(schema) and "$ref" not in schema and "anyOf" not in schema:
            yield where


@rule
def nothing_is_one_of_several_shapes(document: Json) -> Iterator[str]:
    """Only `anyOf` a named shape and null: everything else comes out empty or merged in Kotlin and Swift."""
    for where, schema in schemas(document):
        nullable = len(schema.get("anyOf", [])) == 2 and {"type": "null"} in schema["anyOf"]
        if {"oneOf", "allOf", "not", "discriminator"} & set(schema) or ("anyOf" in schema and not nullable):
            yield where


@rule
def words_that_may_grow_are_plain_strings(document: Json) -> Iterator[str]:
    """A closed list breaks installed apps when it grows, and an inline one has no name."""
    yield from (where for where, schema in schemas(document) if {"enum", "const"} & set(schema))


@rule
def no_number_is_bare(document: Json) -> Iterator[str]:
    yield from (where for where, schema in schemas(document) if "number" in types(schema))


@rule
def whole_numbers_have_format_and_bounds(document: Json) -> Iterator[str]:
    for where, schema in schemas(document):
        if "integer" in types(schema):
            low, high = schema.get("minimum", LOWEST - 1), schema.get("maximum", HIGHEST + 1)
            if "format" not in schema or not LOWEST <= low <= high <= HIGHEST:
                yield where


@rule
def texts_and_lists_are_bounded(document: Json) -> Iterator[str]:
    for where, schema in schemas(document):
        if ("string" in types(schema) and "maxLength" not in schema) or (
            "array" in types(schema) and ("maxItems" not in schema or "items" not in schema)
        ):
            yield where


@rule
def what_is_asked_is_closed_and_what_is_answered_is_open(document: Json) -> Iterator[str]:
    shapes = document.get("components", {}).get("schemas", {})
    bodies = [(path, one["requestBody"]) for path, _, one in operations(document) if "requestBody" in one]
    asked = reached(document, [body for path, body in bodies if not of_oauth(path)])
    forms = reached(document, [body for path, body in bodies if of_oauth(path)])
    answered = reached(document, [operation["responses"] for _, _, operation in operations(document)])
    yield from (f"{name} is asked and answered" for name in sorted((asked | forms) & answered))
    yield from (f"{name} is a form and a body" for name in sorted(asked & forms))
    yield from (name for name in sorted(asked) if shapes[name].get("additionalProperties") is not False)
    yield from (name for name in sorted(answered | forms) if "additionalProperties" in shapes[name])


@rule
def answers_say_what_is_always_there(document: Json) -> Iterator[str]:
    """Without `required`, every member of a generated class is optional."""
    answered = reached(document, [operation["responses"] for _, _, operation in operations(document)])
    yield from (name for name in sorted(answered) if not document["components"]["schemas"][name].get("required"))


@rule
def names_are_snake_case_and_paths_kebab_case(document: Json) -> Iterator[str]:
    for where, schema in schemas(document):
        yield from (f"{where}/{name}" for name in schema.get("properties", {}) if not re.fullmatch(r"[a-z0-9_]+", name))
    for path, _, operation in operations(document):
        if not re.fullmatch(r"(/[a-z0-9-]+|/\{[a-z_]+\})+", path):
            yield path
        for parameter in operation.get("parameters", []):
            if parameter.get("in") == "query" and not re.fullmatch(r"[a-z0-9_]+", parameter["name"]):
                yield f"{path}?{parameter['name']}"


@rule
def instants_end_in_at_and_days_in_on(document: Json) -> Iterator[str]:
    for where, schema in schemas(document):
        for name, one in schema.get("properties", {}).items():
            if name in ("server_time", "timestamp"):  # what it is called everywhere, and in Standard Webhooks
                continue
            words = {"date-time": {"at", "since", "until"}, "date": {"on"}}.get(one.get("format", ""))
            if words and name.rsplit("_", 1)[-1] not in words:
                yield f"{where}/{name}"


@rule
def every_component_is_used_and_every_reference_leads_somewhere(document: Json) -> Iterator[str]:
    used = {node["$ref"] for _, node in walk(document) if "$ref" in node}
    used |= {
        f"#/components/securitySchemes/{scheme}"
        for _, _, operation in operations(document)
        for one in operation.get("security", [])
        for scheme in one
    }
    present = {f"#/components/{kind}/{name}" for kind, part in document.get("components", {}).items() for name in part}
    yield from sorted(used ^ present)


@rule
def the_dialect_is_not_declared(document: Json) -> Iterator[str]:
    """Swagger UI shows a red warning beside it."""
    yield from ({"jsonSchemaDialect"} & set(document))


@rule
def every_example_fits_its_schema(document: Json) -> Iterator[str]:
    registry: Registry[Any] = Registry().with_resource("urn:document", Resource(document, DRAFT202012))
    for where, node in walk(document):
        if "schema" not in node:
            continue
        given = [node["example"]] if "example" in node else []
        given += [one["value"] for one in node.get("examples", {}).values()]
        if "/content/" in where and not given:
            yield f"{where} has no example"
        schema = absolute(node["schema"])
        validator = Draft202012Validator(schema, registry=registry, format_checker=FormatChecker())
        yield from (f"{where}: {error.message}" for one in given for error in validator.iter_errors(one))


def absolute(schema: Any) -> Any:
    """`schema` with its references leading into the document."""
    if isinstance(schema, dict):
        return {key: f"urn:document{value}" if key == "$ref" else absolute(value) for key, value in schema.items()}
    return [absolute(one) for one in schema] if isinstance(schema, list) else schema

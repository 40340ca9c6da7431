"""What a view may say about the running request and its answer, and how the answer is rendered."""

from collections.abc import Callable, Iterable
from functools import cache
from hashlib import blake2b
from typing import Any
from uuid import UUID

import marshmallow as ma
import orjson
from flask import Response, g, request

from api import db, errors, language
from api.hotread import HotAnswer, HotRead


def caller() -> db.Caller:
    """Who makes the running request."""
    found: db.Caller = g.caller
    return found


def patient_id() -> UUID:
    """The patient who makes the running request."""
    found = caller().patient_id
    assert found is not None, "not a patient's door"
    return found


def about(patient_id: UUID) -> None:
    """Say whose record the running request touches, for the audit."""
    g.about = patient_id


def about_each(patient_ids: Iterable[UUID | None]) -> None:
    """Say whose records a list shows: the audit, and so each one's access log, names them all."""
    g.about_each = {one for one in patient_ids if one is not None}


def made(resource_id: UUID, *, location: str | None = None) -> None:
    """Say which resource the running request made: kept with its Idempotency-Key, and its `Location`."""
    g.resource_id, g.location = resource_id, location


def set_version(version: int) -> None:
    """Have the answer carry the strong ETag of this version of the resource."""
    g.etag = f'"{version}"'


def caller_holds(*parts: Any) -> bool:
    """Have the answer carry the strong ETag of `parts`, on which it depends beside the patient; whether the caller
    holds it already. Then it is a 304, whatever the view returns."""
    return set_tag(patient_id(), *parts)


def set_tag(*parts: Any) -> bool:
    """Have the answer carry the strong ETag of `parts`, which are all that it depends on; whether the caller holds it
    already. Then it is a 304, whatever the view returns."""
    g.etag = f'"{blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'
    return _held(g.etag)


def _held(tag: str) -> bool:
    return request.method == "GET" and request.if_none_match.contains_weak(tag[1:-1])


def expected_version() -> int | None:
    """The version named in If-Match, for comparing inside the UPDATE; None for `*` (any that exists)."""
    version: int | None = g.expected_version
    return version


def expected_from(header: str | None) -> int | None:
    """The version in an If-Match header. Raises `errors.PreconditionRequired` without one,
    `errors.PreconditionFailed` for a tag that is none of ours."""
    if header is None:
        raise errors.PreconditionRequired
    if header.strip() == "*":
        return None
    tag = header.strip()
    # Eighteen digits: more would not fit into the bigint it is compared with.
    if not (2 < len(tag) < 21 and tag[0] == tag[-1] == '"' and tag[1:-1].isdecimal()):
        raise errors.PreconditionFailed
    return int(tag[1:-1])


def render(schema: type[ma.Schema] | None, status: int, result: Any) -> Response:
    """The response for a view's result: dumped, with ETag and Location; 304 where If-None-Match knows it."""
    if (tag := g.get("etag")) and _held(tag):
        return Response(status=304, headers={"ETag": tag})
    if schema is None:
        response = Response(status=status)
        response.headers.pop("Content-Type", None)
    else:
        response = Response(orjson.dumps(_instance(schema).dump(result)), status, mimetype="application/json")
        response.headers["Content-Language"] = language.chosen()
    if tag:
        response.headers["ETag"] = tag
    if location := g.get("location"):
        response.headers["Location"] = location
    return response


def nothing(status: int = 200) -> Response:
    """An answer without a body, where one may be expected (RFC 7009 §2.2)."""
    response = Response(status=status)
    response.headers.pop("Content-Type", None)
    return response


@cache
def _instance(schema: type[ma.Schema]) -> ma.Schema:
    """Made once: instances copy all their fields, and dumping leaves no trace on them."""
    return schema()


class Ready(Response):
    """An answer whose bytes and headers are ready to send. werkzeug would copy and check the headers three times,
    which takes longer than all else about such an answer; so this is never made a whole `Response`."""

    def __init__(self, status: str, headers: list[tuple[str, str]], body: bytes | None) -> None:
        self._line, self._fields, self._body = status, headers, body
        if body is not None:
            headers.append(("Content-Length", str(len(body))))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response(self._line, self._fields)
        return () if self._body is None or environ["REQUEST_METHOD"] == "HEAD" else (self._body,)


def hot(
    read: HotRead,
    *,
    variant: str = "",
    frame: Callable[[HotAnswer], str] | None = None,
    spoken: Callable[[str], str] | None = None,
    unchanged: str | None = None,
    missing: type[errors.Refusal] = errors.NotFound,
    **parameters: Any,
) -> Response:
    """Answer the running request from one statement; 304, and nothing rendered, where If-None-Match knows it.

    `variant` names what else the answer depends on (language, window): it becomes part of the ETag. `frame` puts
    what PostgreSQL rendered into the answer's JSON. `spoken` finds the answer's language in its tag. Under the tag
    `unchanged` nothing is rendered either, and `frame` is given no body. Raises `missing` where nothing is found.
    """
    known = _known(variant)
    answer = read.run(g.caller, known=known or unchanged, **parameters)
    headers = [("ETag", f'"{answer.tag}~{variant}"')]
    if spoken:
        headers.append(("Content-Language", spoken(answer.tag)))
    if answer.tag == known:
        return Ready("304 NOT MODIFIED", headers, None)
    if answer.body is None and answer.tag != unchanged:
        raise missing
    text = frame(answer) if frame else answer.body or ""
    return Ready("200 OK", [*headers, ("Content-Type", "application/json")], text.encode())


def _known(variant: str) -> str | None:
    """The tag of this variant among those that the caller presents (compared weakly, RFC 9110 §13.1.2)."""
    for presented in request.environ.get("HTTP_IF_NONE_MATCH", "").split(","):
        tag, _, of_variant = presented.strip().removeprefix("W/").strip('"').rpartition("~")
        if tag and of_variant == variant:
            return str(tag)
    return None


def add_to_refusal(**members: Any) -> None:
    """Members for the problem document, should the running request be refused."""
    g.setdefault("refusal_members", {}).update(members)

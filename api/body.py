"""What a request brings: its body as JSON and its query, read strictly.

orjson parses (it refuses NaN, lone surrogates and invalid UTF-8); depth is bounded before json.loads looks for
duplicate keys, which orjson would silently resolve.
"""

import json
import re
import threading
from collections.abc import Mapping
from typing import Any, NoReturn

import marshmallow as ma
import orjson
from flask import Request
from webargs.flaskparser import FlaskParser

from api import errors
from schemas import base

# Threads that are left to those who send no body; and how long one that does waits for its turn, in seconds.
LEFT_TO_READERS = 4
TURN_SECONDS = 0.1
DEEPEST = 32
MOST_PLACES = 100
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"


class DuplicateKey(ValueError):
    pass


class Arrivals:
    """The requests whose bodies are still coming in. Each holds its thread for as long as the sender likes (granian has
    no limit), so there may be as many as leave a few threads to those who only read."""

    def __init__(self, threads: int) -> None:
        self._turns = threading.Semaphore(max(1, threads - LEFT_TO_READERS))

    def wait_for(self, request: Request) -> None:
        """Until the whole body is there. Raises `errors.Unavailable` while too many others wait for theirs."""
        if not self._turns.acquire(timeout=TURN_SECONDS):
            raise errors.Unavailable
        try:
            request.get_data(cache=True)
        finally:
            self._turns.release()


class Parser(FlaskParser):
    """flask-smorest's argument parser, with our reading of JSON and our refusals."""

    DEFAULT_UNKNOWN_BY_LOCATION = {**FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION, "json": None, "query": None}

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        content_type = MERGE_PATCH if req.method == "PATCH" else JSON
        if req.mimetype != content_type or req.headers.get("Content-Encoding", "identity") != "identity":
            raise errors.UnsupportedMediaType(
                headers={"Accept-Patch" if req.method == "PATCH" else "Accept-Post": content_type}
            )
        value = parse(req.get_data(cache=True))
        if not isinstance(value, dict):
            raise errors.Invalid([("", "Must be a JSON object.")])
        return value

    def load_querystring(self, req: Request, schema: ma.Schema) -> Any:
        given = req.args
        if repeated := [name for name, values in given.lists() if len(values) > 1]:
            raise errors.BadRequest(
                extra={"errors": [{"pointer": step(name), "detail": "Given twice."} for name in repeated[:MOST_PLACES]]}
            )
        named = given.to_dict()
        if any("\x00" in value or "\ufffd" in value for value in named.values()):
            raise errors.BadRequest("A query parameter is not valid UTF-8 text.")
        return named

    def handle_error(self, error: ma.ValidationError, req: Any, schema: ma.Schema, **_: Any) -> NoReturn:
        if isinstance(schema, base.Query):
            places = [
                {"pointer": name.lstrip("/"), "detail": detail}
                for name, detail in pointers(error.messages_dict["query"])[:MOST_PLACES]
            ]
            raise errors.BadRequest("A query parameter is unknown or not valid.", extra={"errors": places})
        raise errors.Invalid(pointers(error.messages_dict["json"])[:MOST_PLACES])


def parse(raw: bytes) -> Any:
    """The JSON value in `raw`. Raises `errors.BadRequest` for what is not JSON, is deeper than 32, or repeats a key."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise errors.BadRequest("The body is not valid JSON." if raw else "The body is empty.") from error
    if deeper_than(value, DEEPEST):
        raise errors.BadRequest(f"The body is nested deeper than {DEEPEST} levels.")
    try:
        json.loads(raw, object_pairs_hook=_unique, parse_int=len, parse_float=len)
    except DuplicateKey as error:
        raise errors.BadRequest("The body has the same key twice in one object.") from error
    return value


def deeper_than(value: Any, levels: int) -> bool:
    """Whether arrays and objects in `value` are nested more than `levels` deep."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(deeper_than(one, levels - 1) for one in inner)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise DuplicateKey
    return found


def pointers(messages: Any, at: str = "") -> list[tuple[str, str]]:
    """marshmallow's nested messages as (JSON pointer, sentence) pairs."""
    if isinstance(messages, Mapping):
        found = []
        for key, inner in messages.items():
            here = at if key == "_schema" else f"{at}/{step(key)}"
            found += pointers(inner, here)
        return found
    return [(at, str(message)) for message in (messages if isinstance(messages, list) else [messages])]


def step(key: Any) -> str:
    """One step of a JSON pointer (RFC 6901 §3), from whatever the caller named: cut at 100, nothing unprintable."""
    shown = UNPRINTABLE.sub("\ufffd", str(key)[:100])
    return shown.replace("~", "~0").replace("/", "~1")

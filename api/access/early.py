"""A body read before its transaction begins, for what is slow: nobody's hash is computed while rows are held."""

from typing import Any

import marshmallow as ma

from api import body, errors
from schemas import base


def read(schema: type[base.Ask], raw: bytes) -> dict[str, Any] | None:
    """The body as the door will read it; None where the door is going to refuse it, in words of its own."""
    try:
        read: dict[str, Any] = schema().load(body.parse(raw))
    except (errors.Refusal, ma.ValidationError):
        return None
    return read

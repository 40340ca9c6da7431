"""Pages of a list: keyset cursors, opaque, tamper-evident, bound to the caller and the filter.

A token says where the page before ended and for whom; it conveys no right to read. Signed with HMAC-SHA-256;
a token of another caller or another filter is a 400, as is a tampered one.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import orjson
import sqlalchemy as sa

from api import db, errors

LARGEST = 100
USUAL = 20
_SIGNATURE_BYTES = 16
_secret = b""


class InvalidCursor(errors.BadRequest):
    slug = "invalid-cursor"
    title = "The page token is not valid here"
    detail = "Start the list afresh, without page_token."
    title_es = "El marcador de página no es válido aquí"
    detail_es = "Comience la lista de nuevo, sin page_token."


def use_secret(secret: bytes) -> None:
    """Sign cursors with `secret`, the same in every process."""
    global _secret
    _secret = secret


def size(asked: int) -> int:
    """The page size to use: 0 is the usual one, more than the largest is brought down to it."""
    return min(asked, LARGEST) or USUAL


def token(key: Any, *, bound_to: Sequence[Any]) -> str:
    """A cursor that ends at `key` (JSON values, instants, ids), good only with the same `bound_to`."""
    payload = orjson.dumps(key, default=str)
    return base64.urlsafe_b64encode(_signature(payload, bound_to) + payload).rstrip(b"=").decode()


def key(page_token: str, *, bound_to: Sequence[Any]) -> Any:
    """The key in `page_token`. Raises `InvalidCursor`."""
    try:
        raw = base64.urlsafe_b64decode(page_token + "=" * (-len(page_token) % 4))
        signature, payload = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        if not hmac.compare_digest(signature, _signature(payload, bound_to)):
            raise InvalidCursor
        return orjson.loads(payload)
    except ValueError as error:
        raise InvalidCursor from error


def _signature(payload: bytes, bound_to: Sequence[Any]) -> bytes:
    context = orjson.dumps([str(part) for part in bound_to])
    return hmac.new(_secret, context + b"\x00" + payload, hashlib.sha256).digest()[:_SIGNATURE_BYTES]


def page(
    select: sa.Select[Any],
    *,
    keys: Sequence[Any],
    asked: int,
    page_token: str | None,
    bound_to: Sequence[Any],
    descending: bool = False,
) -> tuple[list[Any], str | None]:
    """One page of `select` in the order of `keys` (the last one unique), and the next page's token.

    Rows are the select's first entity or column. Keyset paging: rows put in before the cursor do not shift pages.
    """
    if page_token:
        after = sa.tuple_(
            *(
                sa.cast(value, column.type)
                for value, column in zip(key(page_token, bound_to=bound_to), keys, strict=True)
            )
        )
        here = sa.tuple_(*keys)
        select = select.where(here < after if descending else here > after)
    count = size(asked)
    order = [column.desc() if descending else column.asc() for column in keys]
    rows = db.session().execute(select.add_columns(*keys).order_by(*order).limit(count + 1)).all()
    more = (
        token([_plain(value) for value in rows[count - 1][-len(keys) :]], bound_to=bound_to)
        if len(rows) > count
        else None
    )
    return [row[0] for row in rows[:count]], more


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int) else str(value)

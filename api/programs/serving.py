"""How the public catalogue is served: headers, conditional requests, schema.org on demand, pages from memory."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from flask import Response, request
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from api import pages
from api.programs.shelf import Rendered

JSON, JSONLD = "application/json", "application/ld+json"
CACHING = "public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400"
HEADERS = (("Cache-Control", CACHING), ("Vary", "Accept, Accept-Language"), ("Access-Control-Allow-Origin", "*"))
GONE = {"Cache-Control": "public, max-age=60", "Access-Control-Allow-Origin": "*"}


class Kept(Response):
    """An answer whose bytes and headers are ready to send. werkzeug would copy and check the headers three times,
    which takes longer than everything else about such an answer; so nothing can be added to them here."""

    def __init__(self, found: Rendered, headers: list[tuple[str, str]]) -> None:
        super().__init__()
        self._body, self._wire = found.body, [*headers, ("Content-Length", str(len(found.body)))]

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", self._wire)
        return () if environ["REQUEST_METHOD"] == "HEAD" else (self._body,)


def answer(found: Rendered, spoken: str, type_: str = JSON) -> Response:
    """A cacheable answer that anyone may read; 304 where If-None-Match knows it."""
    headers = [*HEADERS, ("ETag", found.etag), ("Content-Language", spoken)]
    if "HTTP_IF_NONE_MATCH" in request.environ and request.if_none_match.contains_weak(found.opaque_tag):
        return Response(status=304, headers=headers)
    return Kept(found, [*headers, ("Content-Type", type_)])


def wanted_type() -> str:
    """The type in which the running request would have its answer."""
    return _preferred(request.environ.get("HTTP_ACCEPT", ""))


@lru_cache(maxsize=256)
def _preferred(accept: str) -> str:
    """schema.org for those who ask for it by name, JSON for everybody else."""
    return parse_accept_header(accept, MIMEAccept).best_match((JSON, JSONLD)) or JSON


def cut(
    items: Sequence[Any], key: Callable[[Any], str], asked: dict[str, Any], *, bound_to: Sequence[Hashable]
) -> tuple[Sequence[Any], str | None]:
    """A page of a list that is in memory, and the next page's token. A token whose item is gone is not valid."""
    start = 0
    if asked["page_token"]:
        after = pages.key(asked["page_token"], bound_to=bound_to)
        start = next((place for place, one in enumerate(items, start=1) if key(one) == after), -1)
        if start < 0:
            raise pages.InvalidCursor
    page = items[start : start + pages.size(asked["page_size"])]
    more = pages.token(key(page[-1]), bound_to=bound_to) if page and items[start + len(page) :] else None
    return page, more

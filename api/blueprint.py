"""The doors: HTTP for one kind of caller each.

A door fixes the address prefix, the kind of token and the scopes, so that a route is its decorators and about
one service call. It refuses to register a route that names no scope; a public door says out loud that it is one.
Every operation is written down as a `contract.Operation`, from which `openapi/` is made.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar
from uuid import UUID

import flask_smorest
from flask import Response, request

from api import body, db, errors, idempotency, vocabulary
from api.answering import render
from api.contract import Operation
from api.meeting import LISTENING, Meeting
from schemas import base

PREFIXES = {
    "public": "/v1",
    "patient": "/v1/me",
    "partner": "/v1/partner",
    "clinic": "/v1/clinic",
    "provider": "/hooks",
    "oauth": "/oauth",
    "calendar": "/calendar",
}
View = Callable[..., Any]
V = TypeVar("V", bound=View)


class RouteWithoutScope(TypeError):
    """A route of a door behind tokens must name its scopes; a public door must say `open_to_anyone`."""


class Door(flask_smorest.Blueprint):
    """The routes of one slice for one `kind` of caller; `tag` groups them in the contract."""

    ARGUMENTS_PARSER = body.Parser()
    meeting: type[Meeting] = Meeting
    asks_type: str | None = None

    def __init__(self, slice_name: str, *, kind: str, tag: str, open_to_anyone: bool = False) -> None:
        if (kind in LISTENING) == open_to_anyone:
            raise RouteWithoutScope(f"{slice_name}: a {kind} door cannot have open_to_anyone={open_to_anyone}")
        super().__init__(f"{slice_name}_{kind}", __name__, url_prefix=PREFIXES[kind])
        self.kind, self.tag = kind, tag
        self.operations: list[Operation] = []

    def register_views_in_doc(self, *_: Any, **__: Any) -> None:
        """flask-smorest writes one document for all callers; `contract` writes one for each, from `operations`."""

    def asks(self, schema: type[base.Ask]) -> Callable[[V], V]:
        """The JSON body, given to the view as a dict. Unknown fields are a 422."""

        def decorate(view: V) -> V:
            # An instance: making one of the class at every request takes longer than reading the body by it.
            parsed: V = self.arguments(schema())(view)
            parsed._asks = schema  # type: ignore[attr-defined]
            return parsed

        return decorate

    def query(self, schema: type[base.Query]) -> Callable[[V], V]:
        """The query parameters, given to the view as a dict. Unknown ones are a 400."""
        required = any(field.required for field in schema().fields.values())
        usual = {} if required else schema().load({})

        def decorate(view: V) -> V:
            parsed = self.arguments(schema(), location="query")(view)

            @wraps(parsed)
            def asked(*args: Any, **kwargs: Any) -> Any:
                # Parsing nothing costs 60 µs, as much as the rest of a hot read's frame.
                if request.query_string or required:
                    return parsed(*args, **kwargs)
                return view(*args, dict(usual), **kwargs)

            asked._query = schema  # type: ignore[attr-defined]
            return asked  # type: ignore[return-value]

        return decorate

    def answers(self, schema: type[base.Answer] | None, *, status: int = 200) -> Callable[[V], V]:
        """What the view's result is dumped by, unless it is a `Response` already; None with 204."""

        def decorate(view: V) -> V:
            @wraps(view)
            def answering(*args: Any, **kwargs: Any) -> Response:
                result = view(*args, **kwargs)
                return result if isinstance(result, Response) else render(schema, status, result)

            answering._answers, answering._status = schema, status  # type: ignore[attr-defined]
            return answering  # type: ignore[return-value]

        return decorate

    def get(self, rule: str, **options: Any) -> Callable[[V], V]:
        return self._operation("GET", rule, **options)

    def post(self, rule: str, **options: Any) -> Callable[[V], V]:
        return self._operation("POST", rule, **options)

    def put(self, rule: str, **options: Any) -> Callable[[V], V]:
        return self._operation("PUT", rule, **options)

    def patch(self, rule: str, **options: Any) -> Callable[[V], V]:
        return self._operation("PATCH", rule, **options)

    def delete(self, rule: str, **options: Any) -> Callable[[V], V]:
        return self._operation("DELETE", rule, **options)

    def _operation(
        self,
        method: str,
        rule: str,
        *,
        operation: str,
        summary: str,
        scope: str | None = None,
        refusals: Sequence[type[errors.Refusal]] = (),
        problems: Mapping[int | str, type[base.Answer]] | None = None,
        idempotent: bool = False,
        replay: Callable[[UUID], Any] | None = None,
        if_match: bool = False,
        etag: bool = False,
        steps_up: bool = False,
        shown_to: Sequence[str] = (),
        gives: str | None = None,
        takes: str | None = None,
        hot: bool = False,
        throttled: bool = True,
        looks_first: Callable[[db.Caller, bytes], None] | None = None,
        refusals_carry: Callable[[], dict[str, Any]] | None = None,
        at_once: Callable[[db.Caller], Response | None] | None = None,
        prepares: Callable[[], None] | None = None,
    ) -> Callable[[V], V]:
        """Register a view. `hot`: no transaction is begun (a `HotRead`, or bytes from memory). `scope` is one word of
        the caller's kind, or several with a space between, all of which are needed. `replay` renders the resource of an
        idempotent POST again. `steps_up`: the patient must have proved a little while ago who they are (RFC 9470).
        `shown_to`: whose documents tell of it beside the whole one. `gives`: the media type of an answer that is no
        JSON; `takes`: that of a body which is none, read by the view itself. `looks_first` sees the body as it came,
        inside the transaction and before anything but a missing sign-in may refuse it. `refusals_carry`: members of
        every refusal, whatever its cause; asks no database. `at_once` may meet a usual request in one statement that
        asks for the standing and writes the audit row too; with None it leaves the request to the transaction, and it
        refuses nothing but an ended sign-in. `prepares` does what is slow, such as hashing a secret, before the
        transaction begins; it may refuse, and leaves what it found in `flask.g`."""
        _refuse_unfit(operation, self.kind, scope)

        def decorate(view: V) -> V:
            described = Operation(
                id=operation,
                method=method,
                rule=PREFIXES[self.kind] + rule,
                audience=self.kind,
                tag=self.tag,
                scope=scope,
                summary=summary,
                description=" ".join((view.__doc__ or summary).split()),
                asks=getattr(view, "_asks", None),
                asks_type=self.asks_type or (body.MERGE_PATCH if method == "PATCH" else body.JSON),
                query=getattr(view, "_query", None),
                answers=getattr(view, "_answers", None),
                gives=gives,
                takes=takes,
                status=getattr(view, "_status", 200),
                refusals=(*refusals, *(idempotency.REFUSALS if idempotent else ())),
                idempotent=idempotent,
                if_match=if_match,
                etag=etag,
                steps_up=steps_up,
                shown_to=tuple(shown_to),
                problems=problems or {},
            )
            self.operations.append(described)
            met = self.meeting(
                described,
                view,
                replay=replay,
                hot=hot,
                throttled=throttled,
                looks_first=looks_first,
                refusals_carry=refusals_carry,
                at_once=at_once,
                prepares=prepares,
            )
            self.add_url_rule(rule, operation, met.view(), methods=[method])
            return view

        return decorate


def _refuse_unfit(operation: str, kind: str, scope: str | None) -> None:
    """Raises RouteWithoutScope unless `scope` names scopes of that kind of caller, each once; none where no token is
    asked for."""
    words = (scope or "").split()
    fits = set(words) <= set(vocabulary.SCOPES.get(kind, ())) and (scope or "") == " ".join(dict.fromkeys(words))
    if not fits or (kind in LISTENING) != bool(words):
        raise RouteWithoutScope(f"{operation}: {scope!r} is not what a {kind} route can ask for")

"""One operation as its door describes it, and the refusals that follow from what it is."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from api import auth, contract_parts, errors, pages
from schemas import base

PLACEHOLDER = re.compile(r"<(?:(?P<converter>\w+)(?:\([^)]*\))?:)?(?P<name>\w+)>")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One route as its door describes it. `audience` is the kind of caller; `scope` is None for the public, and several
    are written as RFC 6749 §3.3 writes them; whoever asks needs all. `gives` is the media type of an answer that is no
    JSON. `problems` says what further members its problem documents carry, by status or at "any" one. `takes` is the
    media type of a body that is no JSON."""

    id: str
    method: str
    rule: str
    audience: str
    tag: str
    scope: str | None
    summary: str
    description: str
    asks: type[base.Ask] | None = None
    asks_type: str = "application/json"
    takes: str | None = None
    query: type[base.Query] | None = None
    answers: type[base.Answer] | None = None
    gives: str | None = None
    status: int = 200
    refusals: tuple[type[errors.Refusal], ...] = ()
    idempotent: bool = False
    if_match: bool = False
    etag: bool = False
    steps_up: bool = False
    shown_to: tuple[str, ...] = ()
    problems: Mapping[int | str, type[base.Answer]] = field(default_factory=dict)

    @property
    def scopes(self) -> list[str]:
        return (self.scope or "").split()

    @property
    def path(self) -> str:
        return PLACEHOLDER.sub(r"{\g<name>}", self.rule)

    @property
    def previews(self) -> bool:
        """Whether its body may ask for a preview (`dry_run`), which converges and so needs no Idempotency-Key."""
        return self.asks is not None and "dry_run" in self.asks._declared_fields

    def carried(self, status: int) -> type[base.Answer] | None:
        """What its problem documents of this status carry beside the members of every problem."""
        return self.problems.get(status) or self.problems.get("any")

    def every_refusal(self) -> Iterator[type[errors.Refusal]]:
        """Its own refusals and those that follow from what it is, each class once, by status."""
        yield from sorted({*self.refusals, *self._following()}, key=lambda one: (one.status, one.slug))

    def _following(self) -> Iterator[type[errors.Refusal]]:
        if self.audience == "oauth":
            yield from (errors.ContentTooLarge, errors.UnsupportedMediaType, errors.TooManyRequests)
            yield from (errors.Internal, errors.Unavailable)
            return
        yield from (errors.BadRequest, errors.TooManyRequests, errors.Internal, errors.Unavailable)
        yield from contract_parts.AT_THE_DOOR.get(self.audience, ())
        if self.steps_up:
            yield auth.StepUpRequired
        if "<" in self.rule:
            yield errors.NotFound
        if self.query and issubclass(self.query, base.PageQuery):
            yield pages.InvalidCursor
        if self.asks:
            yield from (errors.ContentTooLarge, errors.UnsupportedMediaType, errors.Invalid)
        if self.takes:
            yield from (errors.ContentTooLarge, errors.UnsupportedMediaType)
        if self.if_match:
            yield from (errors.PreconditionFailed, errors.PreconditionRequired)

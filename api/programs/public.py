"""Anyone's door to the programs, side by side too."""

from datetime import datetime
from typing import Any

import orjson
from flask import Response, request

from api import clock, errors, language
from api.blueprint import Door
from api.programs import about, comparison, jsonld, presentation, search, serving, shelf
from api.programs.edition import Edition, Program
from api.programs.serving import JSONLD
from api.programs.shelf import Rendered
from schemas.program_comparison import ComparisonAnswer, ComparisonQuery
from schemas.programs import ProgramAnswer, ProgramsAnswer, ProgramsQuery

door = Door("programs", kind="public", tag="Programs", open_to_anyone=True)


class CannotCompare(errors.BadRequest):
    title = "These cannot be compared"
    detail = "Name two to four different programs of the catalogue, separated by commas."
    title_es = "No se pueden comparar"
    detail_es = "Indique de dos a cuatro programas distintos del catálogo, separados por comas."


@door.get("/programs", operation="listPrograms", summary="The programs", hot=True, etag=True)
@door.query(ProgramsQuery)
@door.answers(ProgramsAnswer)
def list_programs(asked: dict[str, Any]) -> Response:
    """Levels of care as the clinic describes them, those offered here first. `q` finds names, aliases and what people
    commonly call a program. With `Accept: application/ld+json`, what is offered as schema.org."""
    spoken, type_, at = language.accepted(), serving.wanted_type(), clock.now()
    stock = shelf.stock()
    if type_ == JSONLD:
        return serving.answer(
            stock.get(("all", spoken, type_), lambda edition: _ld_all(edition, spoken)), spoken, type_
        )
    if not request.query_string:
        key = ("all", spoken, stock.moment(at))
        return serving.answer(stock.get(key, lambda edition: _page(edition, asked, spoken, at)), spoken)
    return serving.answer(Rendered.of(_page(stock.edition, asked, spoken, at)), spoken)


@door.get("/programs/<slug>", operation="getProgram", summary="One program", hot=True, etag=True)
@door.answers(ProgramAnswer)
def get_program(slug: str) -> Response:
    """A program with its ranges, therapies and steps, and whether new patients can start where it is offered. What the
    clinic has not stated is absent. With `Accept: application/ld+json`, the same as schema.org."""
    spoken, type_, stock, at = language.accepted(), serving.wanted_type(), shelf.stock(), clock.now()
    if type_ == JSONLD:
        return serving.answer(
            stock.get((slug, spoken, type_), lambda edition: _ld_one(edition, slug, spoken)), spoken, type_
        )
    key = (slug, spoken, stock.moment(at))
    return serving.answer(stock.get(key, lambda edition: _one(edition, slug, spoken, at)), spoken)


@door.get(
    "/program-comparison",
    operation="comparePrograms",
    summary="Programs side by side",
    refusals=[CannotCompare],
    hot=True,
    etag=True,
)
@door.query(ComparisonQuery)
@door.answers(ComparisonAnswer)
def compare_programs(asked: dict[str, Any]) -> Response:
    """Two to four programs in aligned rows, each with a plain sentence on what differs. It says how programs differ,
    never which of them a person needs: placement is by assessment."""
    slugs, spoken = tuple(asked["programs"]), language.accepted()
    if len(set(slugs)) < len(slugs):
        raise CannotCompare

    def render(edition: Edition) -> bytes:
        if not all(edition.program(slug) for slug in slugs):
            raise CannotCompare
        return orjson.dumps(comparison.of(edition, slugs, language=spoken))

    return serving.answer(shelf.stock().get((slugs, spoken), render), spoken)


def _one(edition: Edition, slug: str, spoken: str, at: datetime) -> bytes:
    return orjson.dumps(presentation.with_availability(edition, _known(edition, slug), spoken, at=at))


def _ld_one(edition: Edition, slug: str, spoken: str) -> bytes:
    return orjson.dumps(jsonld.program(edition, _known(edition, slug), about.clinic(), spoken))


def _ld_all(edition: Edition, spoken: str) -> bytes:
    return orjson.dumps(jsonld.programs(edition, about.clinic(), spoken))


def _known(edition: Edition, slug: str) -> Program:
    if (found := edition.program(slug)) is None:
        raise errors.NotFound(headers=serving.GONE)
    return found


def _page(edition: Edition, asked: dict[str, Any], spoken: str, at: datetime) -> bytes:
    matching = [one for one in edition.programs if search.found(one, asked)]
    filters = [asked[name] for name in ("q", "level", "track", "setting")]
    found, more = serving.cut(matching, lambda one: one.slug, asked, bound_to=("programs", *filters))
    items = [presentation.with_availability(edition, one, spoken, at=at) for one in found]
    answer = {"items": items, "next_page_token": more}
    return orjson.dumps(presentation.known(answer))

"""Programs side by side: aligned rows, and for each a plain sentence on what differs.

Pure functions of an edition: every sentence comes from a template and the programs' own data, so a
published revision changes the comparison with it. What is not stated of a program reads "not stated" and
is never taken for less. Nothing here says which program a person needs.
"""

from collections.abc import Sequence
from typing import Any

from api.programs import comparison_words as words
from api.programs import wording
from api.programs.comparison_rows import ROWS, Row, Value
from api.programs.edition import Edition, Program


def of(edition: Edition, slugs: Sequence[str], *, language: str) -> dict[str, Any]:
    """The comparison of programs of `edition`, in the order of `slugs`, as `ComparisonAnswer` has it."""
    programs = [program for slug in slugs if (program := edition.program(slug))]
    answer: dict[str, Any] = {
        "language": language,
        "programs": [_column(program, language) for program in programs],
        "rows": [_row(row, edition, programs, language) for row in ROWS],
        "placement_note": wording.PLACEMENT[language],
    }
    if language != "en":
        answer["translation_reviewed"] = all(one.content["translation_reviewed"] for one in programs)
    return answer


def _column(program: Program, language: str) -> dict[str, Any]:
    column = {"slug": program.slug, "name": program.name(language), "short_name": program.short_name(language)}
    if program.offered_here is None:
        return {**column, "orientation_note": wording.ORIENTATION[language]}
    return {**column, "offered_here": program.offered_here}


def _row(row: Row, edition: Edition, programs: list[Program], language: str) -> dict[str, Any]:
    values = {program.slug: row.value(edition, program, language) for program in programs}
    return {
        "key": row.key,
        "label": words.LABELS[row.key][language],
        "cells": [_cell(slug, value, language) for slug, value in values.items()],
        "difference": _difference(row, edition, programs, values, language),
    }


def _cell(slug: str, value: Value | None, language: str) -> dict[str, Any]:
    if value is None:
        return {"program": slug, "stated": False, "text": wording.NOT_STATED[language]}
    cell = {"program": slug, "stated": True, "text": wording.upper_first(value.text)}
    return cell if value.range is None else {**cell, "range": value.range}


def _difference(
    row: Row, edition: Edition, programs: list[Program], values: dict[str, Value | None], language: str
) -> str:
    if row.relation:
        return row.relation(edition, programs, language)
    stated = [program for program in programs if values[program.slug]]
    if not stated:
        return words.STATED_FOR_NONE[language]
    silent = [program.short_name(language) for program in programs if not values[program.slug]]
    if not silent and len({value.text for value in values.values() if value}) == 1:
        return _same(values, language)
    said = row.differ(edition, stated, language)
    if not silent:
        return said
    return f"{said} {words.NOT_STATED_FOR[language].format(names=wording.listed(silent, language))}"


def _same(values: dict[str, Value | None], language: str) -> str:
    text = next(value.text for value in values.values() if value)
    return words.SAME[language].format(text=wording.lower_first(text).removesuffix("."))

"""Programs side by side."""

from marshmallow import fields, validate
from webargs.fields import DelimitedList

from schemas.base import Answer, Flag, Items, Query, Text, Word
from schemas.program_parts import SLUG
from schemas.programs import LANGUAGES, PLACEMENT, RangeAnswer

FEWEST, MOST = 2, 4


class ComparisonQuery(Query):
    """Two to four different programs, in the order in which they shall stand."""

    programs = DelimitedList(
        Text(max=40, pattern=SLUG),
        required=True,
        validate=validate.Length(min=FEWEST, max=MOST),
        metadata={"description": "Slugs, separated by commas."},
    )

    example = {"programs": "iop,op"}


class ComparedProgramAnswer(Answer):
    """A column of the comparison."""

    slug = Text(max=40, required=True)
    name = Text(max=1000, required=True)
    short_name = Text(max=1000, required=True)
    offered_here = Flag(metadata={"description": "Absent until the clinic has said so."})
    orientation_note = Text(max=1000, metadata={"description": "Stands where the clinic has not said so."})

    example = {"slug": "iop", "name": "Intensive Outpatient Program", "short_name": "IOP", "offered_here": True}


class ComparisonCellAnswer(Answer):
    """What one program states; where it states nothing, `text` says so, and no number stands for it."""

    program = Text(max=40, required=True)
    stated = Flag(required=True)
    text = Text(max=4000, required=True)
    range = fields.Nested(RangeAnswer)

    example = {"program": "iop", "stated": True, "text": "About 9 to 15 hours a week", "range": RangeAnswer.example}


class ComparisonRowAnswer(Answer):
    """One row: a cell for each program in the order asked for, and a plain sentence on what differs."""

    key = Text(max=40, required=True)
    label = Text(max=200, required=True)
    cells = Items(ComparisonCellAnswer, max=MOST, required=True)
    difference = Text(max=8000, required=True)

    example = {
        "key": "hours_per_week",
        "label": "Hours a week",
        "cells": [ComparisonCellAnswer.example],
        "difference": "IOP takes about 5 to 14 hours a week more than OP.",
    }


class ComparisonAnswer(Answer):
    """Programs side by side. It says how they differ, never which of them a person needs."""

    language = Word(LANGUAGES, required=True)
    programs = Items(ComparedProgramAnswer, max=MOST, required=True)
    rows = Items(ComparisonRowAnswer, max=50, required=True)
    placement_note = Text(max=1000, required=True)
    translation_reviewed = Flag(metadata={"description": "On a translation: whether a person has reviewed it."})

    example = {
        "language": "en",
        "programs": [ComparedProgramAnswer.example],
        "rows": [ComparisonRowAnswer.example],
        "placement_note": PLACEMENT,
    }

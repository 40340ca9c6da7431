"""What anyone may read about the programs, in one language at a time. What is not known is absent."""

from marshmallow import fields

from api import vocabulary
from schemas.base import Answer, Day, Flag, Id, Instant, Items, ListAnswer, PageQuery, Text, Whole, Word
from schemas.capacity import AvailabilityAnswer
from schemas.program_parts import AsamAnswer
from schemas.program_sources import SourceAnswer

LANGUAGES = vocabulary.LANGUAGES
UNITS = (*vocabulary.FREQUENCY_UNITS, *vocabulary.LENGTH_UNITS, "minutes_per_week", "hours_per_week")
HOURS = {"min": 9, "max": 15, "unit": "hours_per_week", "qualifier": "about", "derived": True}
PLACEMENT = "Placement is by assessment: a clinician looks at your situation with you before a level of care is chosen."


class ProgramsQuery(PageQuery):
    """`q` looks through names, aliases and what people commonly call a program."""

    q = Text(max=100, min=0, load_default="", metadata={"description": "Words to look for, such as `half day`."})
    level = Text(max=40, load_default=None, metadata={"description": "A level of care, or an ASAM code such as `2.1`."})
    track = Word(vocabulary.TRACKS, load_default=None, metadata={"description": "Only programs that meet then."})
    setting = Word(vocabulary.MODALITIES, load_default=None, metadata={"description": "Only programs held that way."})

    example = {"q": "half day", "level": "2.1", "track": "evening"}


class RangeAnswer(Answer):
    """A range of whole numbers; `text` says it in words. A derived one was computed from two others."""

    min = Whole(min=0, max=2**31 - 1, required=True)
    max = Whole(min=0, max=2**31 - 1, required=True)
    unit = Word(UNITS, required=True)
    qualifier = Word(vocabulary.QUALIFIERS, metadata={"description": "How sure it is; absent means exactly."})
    derived = Flag()
    text = Text(max=200, required=True)
    note = Text(max=1000)

    example = {**HOURS, "text": "about 9 to 15 hours a week"}


class DurationAnswer(Answer):
    """How long a program lasts. Without weeks it is ongoing; weeks are typical, never a date of discharge."""

    min_weeks = Whole(min=1, max=520)
    max_weeks = Whole(min=1, max=520)
    open_ended = Flag(required=True, metadata={"description": "Whether it may go on beyond the weeks, or has none."})
    qualifier = Word(vocabulary.QUALIFIERS)
    text = Text(max=200, required=True)
    note = Text(max=1000)

    example = {
        "min_weeks": 8,
        "max_weeks": 12,
        "open_ended": True,
        "qualifier": "often",
        "text": "often 8 to 12 weeks",
        "note": "Some people stay longer, according to clinical need.",
    }


class TherapyAnswer(Answer):
    """A therapy of a program; a conditional one is only sometimes part of it, on `condition`."""

    key = Text(max=40, required=True)
    name = Text(max=1000, required=True)
    conditional = Flag(required=True)
    condition = Text(max=1000)

    example = {
        "key": "group",
        "name": "Group therapy",
        "conditional": True,
        "condition": "sometimes, according to clinical needs",
    }


class IntensityAnswer(Answer):
    """How intense the level is, as far as it is stated."""

    text = Text(max=1000, required=True)
    less_than = Items(Text(max=40), max=20, required=True, metadata={"description": "Slugs of more intense programs."})
    lowest = Flag(required=True, metadata={"description": "Whether no level is less intense."})

    example = {"text": "The lowest of the levels.", "less_than": ["iop"], "lowest": True}


class ProgramStepAnswer(Answer):
    """A program that typically comes before or after."""

    slug = Text(max=40, required=True)
    name = Text(max=1000, required=True)
    short_name = Text(max=1000, required=True)
    offered_here = Flag(metadata={"description": "Absent until the clinic has said so."})

    example = {"slug": "op", "name": "Outpatient Program", "short_name": "OP", "offered_here": True}


class ProgramPlaceAnswer(Answer):
    """A location that offers the program."""

    id = Id(required=True)
    name = Text(max=200, required=True)

    example = {"id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01", "name": "Example Street"}


class ProgramAnswer(Answer):
    """A program as the clinic describes it. What is not known is absent, never invented."""

    id = Id(required=True)
    slug = Text(max=40, required=True)
    name = Text(max=1000, required=True)
    short_name = Text(max=1000, required=True)
    aliases = Items(Text(max=80), max=20, required=True)
    level_of_care = Word(vocabulary.LEVELS_OF_CARE, required=True)
    asam = fields.Nested(AsamAnswer)
    offered_here = Flag(metadata={"description": "Absent until the clinic has said so."})
    orientation_note = Text(max=1000, metadata={"description": "Stands where the clinic has not said so."})
    residential = Flag()
    summary = Text(max=1000, required=True)
    description = Text(max=1000)
    frequency = fields.Nested(RangeAnswer)
    session_length = fields.Nested(RangeAnswer)
    minutes_per_week = fields.Nested(RangeAnswer)
    hours_per_week = fields.Nested(RangeAnswer)
    duration = fields.Nested(DurationAnswer)
    therapies = Items(TherapyAnswer, max=30)
    tracks = Items(Word(vocabulary.TRACKS), max=20)
    settings = Items(Word(vocabulary.MODALITIES), max=20)
    intensity = fields.Nested(IntensityAnswer)
    structure = Text(max=1000)
    supervision = Text(max=1000)
    flexibility = Text(max=1000)
    goal = Text(max=1000)
    suits = Items(Text(max=1000), max=20)
    steps_from = Items(ProgramStepAnswer, max=50, required=True)
    steps_to = Items(ProgramStepAnswer, max=50, required=True)
    locations = Items(ProgramPlaceAnswer, max=100, required=True)
    availability = Items(
        AvailabilityAnswer, max=100, metadata={"description": "Where it is offered; public reads only."}
    )
    source = fields.Nested(SourceAnswer, required=True)
    reviewed_by = Text(max=200)
    reviewed_on = Day()
    revision = Whole(min=1, max=2**31 - 1, required=True)
    published_at = Instant(required=True)
    language = Word(LANGUAGES, required=True)
    translation_reviewed = Flag(metadata={"description": "On a translation: whether a person has reviewed it."})
    placement_note = Text(max=1000, required=True)

    example = {
        "id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01",
        "slug": "iop",
        "name": "Intensive Outpatient Program",
        "short_name": "IOP",
        "aliases": ["IOP", "Half Day Treatment"],
        "level_of_care": "intensive_outpatient",
        "asam": AsamAnswer.example,
        "offered_here": True,
        "residential": False,
        "summary": "Structured treatment on several days of the week, while you keep living at home.",
        "frequency": {
            "min": 3,
            "max": 5,
            "unit": "days_per_week",
            "qualifier": "usually",
            "text": "usually 3 to 5 days a week",
        },
        "hours_per_week": RangeAnswer.example,
        "duration": DurationAnswer.example,
        "therapies": [TherapyAnswer.example],
        "tracks": ["day", "evening"],
        "steps_from": [],
        "steps_to": [ProgramStepAnswer.example],
        "locations": [],
        "source": SourceAnswer.example,
        "revision": 1,
        "published_at": "2026-11-23T15:00:00Z",
        "language": "en",
        "placement_note": PLACEMENT,
    }


class ProgramsAnswer(ListAnswer):
    """Programs, those offered here first."""

    items = Items(ProgramAnswer, max=100, required=True)

    example = {"items": [ProgramAnswer.example]}

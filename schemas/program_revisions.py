"""What the clinic publishes about a program: a whole revision, in both languages, and as it is read back.

A revision replaces the one before it entirely: what it leaves out is not known any more. The public shapes in
`programs` are made from it.
"""

from typing import Any

import marshmallow as ma

from api import vocabulary
from schemas import program_parts as parts
from schemas import program_sources as sources
from schemas.base import Answer, Ask, Day, Flag, Id, Instant, Items, Text, Whole, Word


class RevisionFields:
    short_name = Text(max=20)
    level_of_care = Word(vocabulary.LEVELS_OF_CARE, required=True)
    offered_here = Flag(metadata={"description": "Absent until the clinic has said so."})
    residential = Flag(metadata={"description": "Absent until the clinic has said so."})
    tracks = Items(Word(vocabulary.TRACKS), min=1, max=5)
    settings = Items(Word(vocabulary.MODALITIES), min=1, max=5)
    steps_to = parts.slugs("Programs that typically follow.")
    translation_reviewed = Flag(required=True, metadata={"description": "Whether a person has reviewed the Spanish."})
    reviewed_by = Text(max=200, metadata={"description": "Who reviewed the content clinically."})
    reviewed_on = Day()
    change_summary = Text(max=500, metadata={"description": "What changed, for those who keep the catalogue."})


class ProgramRevisionAsk(RevisionFields, Ask):
    """A whole revision. `search_terms` are what people type who mean this program; they are shown nowhere."""

    name = ma.fields.Nested(parts.WordsAsk, required=True)
    aliases = ma.fields.Nested(parts.NamesAsk, required=True)
    search_terms = ma.fields.Nested(parts.NamesAsk, required=True)
    summary = ma.fields.Nested(parts.WordsAsk, required=True)
    description = ma.fields.Nested(parts.WordsAsk)
    asam = ma.fields.Nested(parts.AsamAsk)
    frequency = ma.fields.Nested(parts.FrequencyAsk)
    session_length = ma.fields.Nested(parts.LengthAsk)
    duration = ma.fields.Nested(parts.WeeksAsk)
    therapies = Items(parts.TherapyAsk, min=1, max=30)
    intensity = ma.fields.Nested(parts.IntensityAsk)
    structure = ma.fields.Nested(parts.QualityAsk)
    supervision = ma.fields.Nested(parts.QualityAsk)
    flexibility = ma.fields.Nested(parts.QualityAsk)
    goal = ma.fields.Nested(parts.QualityAsk)
    suits = ma.fields.Nested(parts.SuitsAsk)
    source = ma.fields.Nested(sources.SourceAsk, required=True)

    example = {
        "name": {"en": "Evening Program", "es": "Programa nocturno"},
        "aliases": parts.NAMES,
        "search_terms": {"en": [], "es": []},
        "level_of_care": "outpatient",
        "offered_here": True,
        "summary": parts.WORDS,
        "frequency": parts.FrequencyAsk.example,
        "session_length": parts.LengthAsk.example,
        "steps_to": [],
        "source": sources.SOURCE,
        "translation_reviewed": False,
        "change_summary": "Evening hours begin at six.",
    }

    @ma.validates_schema
    def a_review(self, data: dict[str, Any], **_: Any) -> None:
        if ("reviewed_by" in data) != ("reviewed_on" in data):
            raise ma.ValidationError("Give both or neither.", "reviewed_on")

    @ma.validates_schema
    def each_therapy_once(self, data: dict[str, Any], **_: Any) -> None:
        keys = [therapy["key"] for therapy in data.get("therapies", ())]
        if len(keys) != len(set(keys)):
            raise ma.ValidationError("Each key may stand once.", "therapies")


class ProgramContentAnswer(RevisionFields, Answer):
    """A revision as it was published, in both languages."""

    name = ma.fields.Nested(parts.WordsAnswer, required=True)
    aliases = ma.fields.Nested(parts.NamesAnswer, required=True)
    search_terms = ma.fields.Nested(parts.NamesAnswer, required=True)
    summary = ma.fields.Nested(parts.WordsAnswer, required=True)
    description = ma.fields.Nested(parts.WordsAnswer)
    asam = ma.fields.Nested(parts.AsamAnswer)
    frequency = ma.fields.Nested(parts.SpanAnswer)
    session_length = ma.fields.Nested(parts.SpanAnswer)
    duration = ma.fields.Nested(parts.WeeksAnswer)
    therapies = Items(parts.TherapyTextsAnswer, max=30)
    intensity = ma.fields.Nested(parts.IntensityTextsAnswer)
    structure = ma.fields.Nested(parts.QualityTextsAnswer)
    supervision = ma.fields.Nested(parts.QualityTextsAnswer)
    flexibility = ma.fields.Nested(parts.QualityTextsAnswer)
    goal = ma.fields.Nested(parts.QualityTextsAnswer)
    suits = ma.fields.Nested(parts.SuitsTextsAnswer)
    source = ma.fields.Nested(sources.SourceAnswer, required=True)

    example = ProgramRevisionAsk.example


class ProgramRevisionAnswer(Answer):
    """The revision that readers see now, with its number and who published it."""

    id = Id(required=True)
    slug = Text(max=40, required=True)
    revision = Whole(min=1, max=2**31 - 1, required=True)
    published_at = Instant(required=True)
    published_by = Text(max=200, required=True, metadata={"description": "The person or job at the clinic."})
    content = ma.fields.Nested(ProgramContentAnswer, required=True)

    example = {
        "id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01",
        "slug": "evening",
        "revision": 2,
        "published_at": "2026-11-23T15:00:00Z",
        "published_by": "u-17",
        "content": ProgramContentAnswer.example,
    }

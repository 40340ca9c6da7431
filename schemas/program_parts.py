"""The parts of a program's revision, each twice: as it is asked (closed) and as it is read back (open)."""

from typing import Any

import marshmallow as ma

from api import vocabulary
from schemas.base import Answer, Ask, Flag, Items, Text, Whole, Word

SLUG = r"\A[a-z0-9]+(-[a-z0-9]+)*\Z"
WORDS = {"en": "Structured treatment.", "es": "Tratamiento estructurado."}
NOTED = "A sentence on what is not described; a comparison says it once for all programs that carry it."
NAMES = {"en": ["Half Day Treatment"], "es": ["Tratamiento de medio día"]}


def slugs(description: str) -> Items:
    """Programs by their names in addresses."""
    return Items(Text(max=40, pattern=SLUG), max=20, required=True, metadata={"description": description})


class WordsFields:
    en = Text(max=1000, required=True)
    es = Text(max=1000, required=True)


class WordsAsk(WordsFields, Ask):
    """The same words in both languages."""

    example = WORDS


class WordsAnswer(WordsFields, Answer):
    """The same words in both languages."""

    example = WORDS


class NamesFields:
    en = Items(Text(max=80), max=20, required=True)
    es = Items(Text(max=80), max=20, required=True)


class NamesAsk(NamesFields, Ask):
    """Names in both languages."""

    example = NAMES


class NamesAnswer(NamesFields, Answer):
    """Names in both languages."""

    example = NAMES


class SpanFields:
    min = Whole(min=1, max=1440, required=True)
    max = Whole(min=1, max=1440, required=True)
    qualifier = Word(vocabulary.QUALIFIERS, metadata={"description": "How sure the clinic is; absent means exactly."})

    @ma.validates_schema
    def in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data["min"] > data["max"]:
            raise ma.ValidationError("Must not be below min.", "max")


class FrequencyAsk(SpanFields, Ask):
    """How often: days a week, or sessions a week."""

    unit = Word(vocabulary.FREQUENCY_UNITS, required=True)
    note = ma.fields.Nested(WordsAsk)

    example = {"min": 3, "max": 5, "unit": "days_per_week", "qualifier": "usually"}


class LengthAsk(SpanFields, Ask):
    """How long at a time: minutes of a day, or of a session."""

    unit = Word(vocabulary.LENGTH_UNITS, required=True)
    note = ma.fields.Nested(WordsAsk)

    example = {"min": 180, "max": 180, "unit": "minutes_per_day", "qualifier": "about"}


class SpanAnswer(SpanFields, Answer):
    """A range as it was published."""

    unit = Word((*vocabulary.FREQUENCY_UNITS, *vocabulary.LENGTH_UNITS), required=True)
    note = ma.fields.Nested(WordsAnswer)

    example = {"min": 3, "max": 5, "unit": "days_per_week", "qualifier": "usually"}


class WeeksFields:
    min_weeks = Whole(min=1, max=520)
    max_weeks = Whole(min=1, max=520)
    open_ended = Flag(required=True, metadata={"description": "Whether it may go on beyond the weeks, or has none."})
    qualifier = Word(vocabulary.QUALIFIERS)

    @ma.validates_schema
    def a_length(self, data: dict[str, Any], **_: Any) -> None:
        if ("min_weeks" in data) != ("max_weeks" in data):
            raise ma.ValidationError("Give both or neither.", "max_weeks")
        if "min_weeks" not in data and not data["open_ended"]:
            raise ma.ValidationError("Without weeks it must be true.", "open_ended")
        if data.get("min_weeks", 0) > data.get("max_weeks", 0):
            raise ma.ValidationError("Must not be below min_weeks.", "max_weeks")


class WeeksAsk(WeeksFields, Ask):
    """How long a program lasts."""

    note = ma.fields.Nested(WordsAsk)

    example = {"min_weeks": 8, "max_weeks": 12, "open_ended": True, "qualifier": "often"}


class WeeksAnswer(WeeksFields, Answer):
    """How long a program lasts, as it was published."""

    note = ma.fields.Nested(WordsAnswer)

    example = {"min_weeks": 8, "max_weeks": 12, "open_ended": True, "qualifier": "often"}


class TherapyFields:
    key = Text(max=40, pattern=r"\A[a-z][a-z0-9_]*\Z", required=True)
    conditional = Flag(required=True, metadata={"description": "Whether it is only sometimes part of the program."})


class TherapyAsk(TherapyFields, Ask):
    """A therapy; `condition` says on what a conditional one depends."""

    name = ma.fields.Nested(WordsAsk, required=True)
    condition = ma.fields.Nested(WordsAsk)

    example = {"key": "group", "name": WORDS, "conditional": True, "condition": WORDS}

    @ma.validates_schema
    def condition_of_a_conditional_one(self, data: dict[str, Any], **_: Any) -> None:
        if data["conditional"] != ("condition" in data):
            raise ma.ValidationError("Belongs to a conditional therapy, and to no other.", "condition")


class TherapyTextsAnswer(TherapyFields, Answer):
    """A therapy as it was published."""

    name = ma.fields.Nested(WordsAnswer, required=True)
    condition = ma.fields.Nested(WordsAnswer)

    example = {"key": "group", "name": WORDS, "conditional": True, "condition": WORDS}


class AsamFields:
    edition = Text(max=10, required=True)
    code = Text(max=10, pattern=r"\A[0-9](\.[0-9])?\Z", required=True)
    label = Text(max=80, required=True)
    confirmed = Flag(required=True, metadata={"description": "Whether the clinic has confirmed this mapping."})


ASAM = {"edition": "4", "code": "2.1", "label": "Intensive Outpatient", "confirmed": False}


class AsamAsk(AsamFields, Ask):
    """The level in an edition of the ASAM Criteria."""

    example = ASAM


class AsamAnswer(AsamFields, Answer):
    """The level in an edition of the ASAM Criteria; a mapping, never a placement."""

    example = ASAM


class QualityAsk(Ask):
    """A quality in a sentence, and in a few words that can follow "gives" or "offers" in a comparison."""

    text = ma.fields.Nested(WordsAsk, required=True)
    in_short = ma.fields.Nested(WordsAsk, required=True)
    note = ma.fields.Nested(WordsAsk, metadata={"description": NOTED})

    example = {"text": WORDS, "in_short": WORDS}


class QualityTextsAnswer(Answer):
    """A quality as it was published."""

    text = ma.fields.Nested(WordsAnswer, required=True)
    in_short = ma.fields.Nested(WordsAnswer, required=True)
    note = ma.fields.Nested(WordsAnswer, metadata={"description": NOTED})

    example = {"text": WORDS, "in_short": WORDS}


class IntensityAsk(QualityAsk):
    """How intense the level is: below the levels named, or the lowest of all."""

    less_than = slugs("Programs that ask more of a person.")
    lowest = Flag(required=True)

    example = {"text": WORDS, "in_short": WORDS, "less_than": ["php", "inpatient"], "lowest": False}


class IntensityTextsAnswer(QualityTextsAnswer):
    """Intensity as it was published."""

    less_than = slugs("Programs that ask more of a person.")
    lowest = Flag(required=True)

    example = {"text": WORDS, "in_short": WORDS, "less_than": ["php", "inpatient"], "lowest": False}


class SuitsAsk(Ask):
    """Whom the program suits: one line for each, and all in a few words."""

    people = Items(WordsAsk, min=1, max=20, required=True)
    in_short = ma.fields.Nested(WordsAsk, required=True)

    example = {"people": [WORDS], "in_short": WORDS}


class SuitsTextsAnswer(Answer):
    """Whom the program suits, as it was published."""

    people = Items(WordsAnswer, max=20, required=True)
    in_short = ma.fields.Nested(WordsAnswer, required=True)

    example = {"people": [WORDS], "in_short": WORDS}

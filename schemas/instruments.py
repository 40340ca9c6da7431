"""Questionnaires as the app shows them. Bands are for staff and stand nowhere here."""

from marshmallow import fields

from schemas.base import Answer, Flag, Items, Query, Text, Whole
from schemas.crisis import CrisisHelpAnswer

KEY = r"\A[a-z0-9]+(-[a-z0-9]+)*\Z"
KINDS = {"description": "`scale`, `number`, `choice` or `text`; more may come.", "examples": ["scale"]}
LANGUAGE = {"description": "The language of the texts; the instrument may not exist in the one asked for."}


class OptionAnswer(Answer):
    """One answer that may be given: `number` is sent back where it is scored, else `choice`."""

    label = Text(max=200, required=True)
    number = Whole(min=0, max=1000)
    choice = Text(max=60)
    loinc = Text(max=20, metadata={"description": "LOINC answer code."})

    example = {"label": "Several days", "number": 1, "loinc": "LA6569-3"}


class ItemAnswer(Answer):
    """One question. Every question may be left out. A `scale` names some or all of its points in `options`."""

    key = Text(max=60, required=True)
    kind = Text(max=20, required=True, metadata=KINDS)
    text = Text(max=500, required=True)
    options = Items(OptionAnswer, max=20, required=True)
    minimum = Whole(min=0, max=1000)
    maximum = Whole(min=0, max=10000, metadata={"description": "The highest number, or a text's most characters."})
    focus = Text(max=60, metadata={"description": "Asked only where care is about this; absent: asked always."})
    note = Text(max=500)
    safety = Flag(required=True, metadata={"description": "Whether an answer may ask for a person at the clinic."})
    loinc = Text(max=20)

    example = {
        "key": "phq9_1",
        "kind": "scale",
        "text": "Little interest or pleasure in doing things",
        "options": [OptionAnswer.example],
        "minimum": 0,
        "maximum": 3,
        "safety": False,
        "loinc": "44250-9",
    }


class ScoringAnswer(Answer):
    """How the number is made; `items` are summed, all of them or none. Absent members: there is no number."""

    text = Text(max=500, required=True)
    items = Items(Text(max=60), max=50, required=True)
    minimum = Whole(min=0, max=10000)
    maximum = Whole(min=0, max=10000)
    loinc = Text(max=20)

    example = {
        "text": "The number is the sum of the answers.",
        "items": ["phq9_1", "phq9_2"],
        "minimum": 0,
        "maximum": 27,
        "loinc": "44261-6",
    }


class GivenAnswer(Answer):
    """An answer to one item: by `number`, `choice` or `text`, as its kind says."""

    item = Text(max=60, required=True)
    number = Whole(min=0, max=1000)
    choice = Text(max=60)
    text = Text(max=1000)

    example = {"item": "phq9_1", "number": 1}


class VectorAnswer(Answer):
    """A worked example for scoring on the phone: these answers give this total (absent: none)."""

    name = Text(max=200, required=True)
    answers = Items(GivenAnswer, max=50, required=True)
    total = Whole(min=0, max=10000)
    complete = Flag(required=True)
    safety = Flag(required=True, metadata={"description": "Whether they ask for a person at the clinic."})

    example = {"name": "item 9 alone", "answers": [{"item": "phq9_9", "number": 2}], "complete": False, "safety": True}


class InstrumentSummaryAnswer(Answer):
    """A questionnaire that is offered now."""

    key = Text(max=60, required=True)
    version = Text(max=20, required=True)
    title = Text(max=200, required=True)
    language = Text(max=10, required=True, metadata=LANGUAGE)
    languages = Items(Text(max=10), max=20, required=True)
    validated = Flag(required=True, metadata={"description": "Whether it is a published, validated measure."})
    about = Text(max=500, required=True)

    example = {
        "key": "phq-9",
        "version": "1",
        "title": "Patient Health Questionnaire (PHQ-9)",
        "language": "en",
        "languages": ["en"],
        "validated": True,
        "about": "A published questionnaire about mood. It is not a diagnosis.",
    }


class InstrumentAnswer(InstrumentSummaryAnswer):
    """A questionnaire whole. `who_sees` is to be shown before the first question, and `help` beside every one."""

    who_sees = Text(max=1000, required=True)
    help = fields.Nested(CrisisHelpAnswer, required=True)
    instruction = Text(max=500, required=True)
    items = Items(ItemAnswer, max=50, required=True)
    scoring = fields.Nested(ScoringAnswer, required=True)
    test_vectors = Items(VectorAnswer, max=100, required=True)
    source = Text(max=500)
    notice = Text(max=500, metadata={"description": "To be shown with the questionnaire, word for word."})
    loinc = Text(max=20)

    example = {
        **InstrumentSummaryAnswer.example,
        "who_sees": "Your care team at the clinic sees your answers.",
        "help": CrisisHelpAnswer.example,
        "instruction": "Over the last 2 weeks, how often have you been bothered by any of the following problems?",
        "items": [ItemAnswer.example],
        "scoring": ScoringAnswer.example,
        "test_vectors": [VectorAnswer.example],
        "source": "J Gen Intern Med 2001;16:606-613.",
        "loinc": "44249-1",
    }


class InstrumentQuery(Query):
    """An older version by its number; without one, the version that is offered now."""

    version = Text(
        max=20, load_default=None, metadata={"description": "An older version; absent, the one offered now."}
    )

    example = {"version": "1"}


class InstrumentsAnswer(Answer):
    """The questionnaires that are offered now, with crisis help beside them."""

    help = fields.Nested(CrisisHelpAnswer, required=True)
    items = Items(InstrumentSummaryAnswer, max=100, required=True)

    example = {"help": CrisisHelpAnswer.example, "items": [InstrumentSummaryAnswer.example]}

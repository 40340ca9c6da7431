"""What a consent may release of a referred person's care to the partner that referred them."""

from marshmallow import fields

from api import vocabulary
from schemas.base import Answer, Day, Flag, Instant, Items, Text, Whole, Word


class ReleasedSessionAnswer(Answer):
    """A session that the person was expected at; without `mark`, the clinic has not said yet whether they came."""

    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    mark = Word(vocabulary.ATTENDANCE_MARKS)

    example = {"starts_at": "2026-11-23T14:00:00Z", "ends_at": "2026-11-23T17:00:00Z", "mark": "present"}


class ReleasedWeekAnswer(Answer):
    """A week from Monday on, as far as it has gone: what was planned, and what the clinic marked as attended."""

    starts_on = Day(required=True)
    sessions_planned = Whole(min=0, max=1000, required=True)
    sessions_attended = Whole(min=0, max=1000, required=True)
    minutes_attended = Whole(min=0, max=10_080, required=True)

    example = {"starts_on": "2026-11-23", "sessions_planned": 3, "sessions_attended": 2, "minutes_attended": 360}


class ReleasedLevelAnswer(Answer):
    """The program that the person is placed in."""

    program = Text(max=40, required=True)
    placed_at = Instant(required=True)

    example = {"program": "iop", "placed_at": "2026-11-16T14:00:00Z"}


class ReleasedCareAnswer(Answer):
    """Each member only where a consent releases its category: `presence`, `level_of_care`, `attendance`, `progress`.
    Answers to check-ins and their scores are never among them."""

    categories = Items(Word(vocabulary.DISCLOSURE_CATEGORIES), max=10, required=True)
    in_treatment = Flag()
    level_of_care = fields.Nested(ReleasedLevelAnswer)
    sessions = Items(ReleasedSessionAnswer, max=1000, metadata={"description": "Of the last four weeks."})
    weeks = Items(ReleasedWeekAnswer, max=10, metadata={"description": "The last four, and this one."})

    example = {
        "categories": ["attendance", "level_of_care", "presence", "progress"],
        "in_treatment": True,
        "level_of_care": ReleasedLevelAnswer.example,
        "sessions": [ReleasedSessionAnswer.example],
        "weeks": [ReleasedWeekAnswer.example],
    }

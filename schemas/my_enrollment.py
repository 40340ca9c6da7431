"""Where a patient is in their care, in plain words: no reason, and nothing counted down."""

from marshmallow import fields

from schemas.base import Answer, Flag, Id, Instant, Items, ListAnswer, Text, Word, Zone
from schemas.crisis import CrisisHelpAnswer
from schemas.locations import PHONE
from schemas.programs import PLACEMENT, DurationAnswer, ProgramStepAnswer, RangeAnswer

EXAMPLE_ID = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01"
STATES = ("none", "planned", "active", "paused", "ended")
MOMENTS = ("planned", "started", "moved", "paused", "resumed", "ended")


class LevelAnswer(Answer):
    """A program in its own words and numbers. What is not stated is absent."""

    slug = Text(max=40, required=True)
    name = Text(max=1000, required=True)
    short_name = Text(max=1000, required=True)
    summary = Text(max=1000, required=True)
    goal = Text(max=1000)
    frequency = fields.Nested(RangeAnswer)
    session_length = fields.Nested(RangeAnswer)
    hours_per_week = fields.Nested(RangeAnswer)
    duration = fields.Nested(DurationAnswer)
    translation_reviewed = Flag(metadata={"description": "On a translation: whether a person has reviewed it."})

    example = {
        "slug": "iop",
        "name": "Intensive Outpatient Program",
        "short_name": "IOP",
        "summary": "Structured treatment on several days of the week, while you keep living at home.",
        "hours_per_week": RangeAnswer.example,
        "duration": DurationAnswer.example,
    }


class FollowsAnswer(Answer):
    """What typically follows: never a plan for a person, and never a date."""

    text = Text(max=2000, required=True)
    programs = Items(ProgramStepAnswer, max=50, required=True)

    example = {
        "text": "What typically follows is the Outpatient Program. You and your team decide together.",
        "programs": [ProgramStepAnswer.example],
    }


class ContactAnswer(Answer):
    """How to reach the clinic. A number that is not configured is absent."""

    text = Text(max=500, required=True)
    name = Text(max=200, required=True)
    phone = Text(max=31, pattern=PHONE)

    example = {"text": "For questions about your care, contact the clinic.", "name": "Example Clinic"}


class MyEnrollmentAnswer(Answer):
    """Where I am in my care. `level`, `since` and what follows are absent for who was never placed; after a stay has
    ended they say what it was, and `contact` is the way back."""

    id = Id()
    status = Word(STATES, required=True)
    status_text = Text(max=2000, required=True)
    level = fields.Nested(LevelAnswer)
    since = Instant(metadata={"description": "When the stay begins or began."})
    paused_since = Instant()
    ended_at = Instant()
    time_zone = Zone(required=True)
    follows = fields.Nested(FollowsAnswer)
    contact = fields.Nested(ContactAnswer, required=True)
    help = fields.Nested(CrisisHelpAnswer, required=True)
    placement_note = Text(max=1000, required=True)

    example = {
        "id": EXAMPLE_ID,
        "status": "active",
        "status_text": "You are in the Intensive Outpatient Program.",
        "level": LevelAnswer.example,
        "since": "2026-11-23T15:00:00Z",
        "time_zone": "America/New_York",
        "follows": FollowsAnswer.example,
        "contact": ContactAnswer.example,
        "help": CrisisHelpAnswer.example,
        "placement_note": PLACEMENT,
    }


class MomentAnswer(Answer):
    """Something that happened, in plain words."""

    kind = Word(MOMENTS, required=True)
    at = Instant(required=True)
    text = Text(max=2000, required=True)

    example = {"kind": "started", "at": "2026-11-23T15:00:00Z", "text": "You started the Intensive Outpatient Program."}


class MyStayAnswer(Answer):
    """One stay in a program, with what happened in it."""

    id = Id(required=True)
    program = fields.Nested(ProgramStepAnswer, required=True)
    status = Word(STATES, required=True)
    starts_at = Instant(required=True)
    ended_at = Instant()
    moments = Items(MomentAnswer, max=1000, required=True)

    example = {
        "id": EXAMPLE_ID,
        "program": ProgramStepAnswer.example,
        "status": "active",
        "starts_at": "2026-11-23T15:00:00Z",
        "moments": [MomentAnswer.example],
    }


class MyEnrollmentsAnswer(ListAnswer):
    """My stays, the first one first. Read the times in `time_zone`."""

    items = Items(MyStayAnswer, max=100, required=True)
    time_zone = Zone(required=True)

    example = {"items": [MyStayAnswer.example], "time_zone": "America/New_York"}

"""Check-ins as the phone sends them, as the patient reads them back, and as the clinic reads them."""

from typing import Any

import marshmallow as ma
from marshmallow import fields

from api import vocabulary
from schemas.base import (
    Answer,
    Ask,
    Flag,
    Id,
    Instant,
    Items,
    ListAnswer,
    LocalTime,
    PageQuery,
    Query,
    Text,
    Whole,
    Word,
    Zone,
)
from schemas.crisis import CrisisHelpAnswer
from schemas.instruments import KEY, GivenAnswer

ID = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e21"
PROGRAM_SLUG = r"\A[a-z0-9]+(-[a-z0-9]+)*\Z"
FLAGS = {"description": "How it came in: " + ", ".join(f"`{flag}`" for flag in vocabulary.CHECK_IN_FLAGS[:-1]) + "."}
TOTAL = {"description": "Absent where the instrument has no number, or an answer to it is missing."}
HELP_FIRST = {"description": "Show `help` before anything else."}


class GivenAsk(Ask):
    """An answer to one item: by `number`, `choice` or `text`, as its kind says. Leave out what is not answered."""

    item = Text(max=60, required=True)
    number = Whole(min=0, max=1000)
    choice = Text(max=60)
    text = Text(max=1000)

    example = {"item": "mood", "number": 6}


class CheckInAsk(Ask):
    """`id` is made on the phone, once for each check-in: sending it again is sending it once. `occurred_at` and
    `sent_at` are readings of the phone's clock; the server corrects by what it sees."""

    id = Id(required=True)
    instrument = Text(max=60, required=True)
    instrument_version = Text(max=20, required=True)
    answers = Items(GivenAsk, max=50, required=True)
    occurred_at = Instant(required=True)
    sent_at = Instant(required=True)

    example = {
        "id": ID,
        "instrument": "daily",
        "instrument_version": "1",
        "answers": [{"item": "safe_now", "choice": "yes"}, {"item": "mood", "number": 6}],
        "occurred_at": "2026-11-23T14:59:30Z",
        "sent_at": "2026-11-23T15:00:00Z",
    }


class CheckInFields:
    id = Id(required=True)
    instrument = Text(max=60, required=True)
    instrument_version = Text(max=20, required=True)
    answers = Items(GivenAnswer, max=50, required=True)
    complete = Flag(required=True)
    total = Whole(min=0, max=10000, metadata=TOTAL)
    flags = Items(Text(max=60), max=20, required=True, metadata=FLAGS)
    occurred_at = Instant(required=True)
    received_at = Instant(required=True)


_KEPT = {
    "id": ID,
    "instrument": "phq-9",
    "instrument_version": "1",
    "answers": [GivenAnswer.example],
    "complete": False,
    "flags": ["partial", "late"],
    "occurred_at": "2026-11-23T01:10:00Z",
    "received_at": "2026-11-23T15:00:00Z",
}


class CheckInAnswer(CheckInFields, Answer):
    """A check-in as it was kept. `help` stands beside every one, and first where an answer asks for it."""

    help_first = Flag(required=True, metadata=HELP_FIRST)
    help = fields.Nested(CrisisHelpAnswer, required=True)
    overdose_safety = Items(
        Text(max=500), max=20, required=True, metadata={"description": "To show with it; empty without a reason to."}
    )
    messages = Items(Text(max=500), max=20, required=True, metadata={"description": "To show with it, in order."})

    class Meta(Answer.Meta):
        # A phone that shows an answer as it reads it meets the help before the rest.
        fields = (
            "help_first",
            "help",
            "overdose_safety",
            "messages",
            "id",
            "instrument",
            "instrument_version",
            "answers",
            "complete",
            "total",
            "flags",
            "occurred_at",
            "received_at",
        )

    example = {
        "help_first": False,
        "help": CrisisHelpAnswer.example,
        "overdose_safety": [],
        "messages": ["Your team will look at this with you."],
        **_KEPT,
    }


class CheckInSummaryAnswer(CheckInFields, Answer):
    """A check-in in a list; crisis help stands beside the list."""

    example = _KEPT


class CheckInProblem(Answer):
    """A refused check-in. `help` stands in every refusal, whatever its cause; answers that say somebody may be in
    danger were looked at all the same."""

    help_first = Flag(metadata=HELP_FIRST)
    help = fields.Nested(CrisisHelpAnswer, required=True)

    example = {"help_first": True, "help": CrisisHelpAnswer.example}


class CheckInsQuery(PageQuery):
    """Newest first; one instrument, or all."""

    instrument = Text(max=60, load_default=None, metadata={"description": "Only answers to this questionnaire."})

    example = {"instrument": "daily", "page_size": 20}


class CheckInsAnswer(ListAnswer):
    """My check-ins, newest first."""

    help = fields.Nested(CrisisHelpAnswer, required=True)
    items = Items(CheckInSummaryAnswer, max=100, required=True)

    example = {"help": CrisisHelpAnswer.example, "items": [CheckInSummaryAnswer.example]}


class DueCheckIn(Answer):
    """What is asked now: `start` until `overdue_at`, then `overdue`. After `closes_at` an answer is still kept."""

    instrument = Text(max=60, required=True)
    state = Word(vocabulary.CHECK_IN_STATES, required=True)
    opens_at = Instant(required=True)
    overdue_at = Instant(required=True)
    closes_at = Instant(required=True)
    time_zone = Zone(required=True)

    example = {
        "instrument": "daily",
        "state": "start",
        "opens_at": "2026-11-23T10:00:00Z",
        "overdue_at": "2026-11-24T02:00:00Z",
        "closes_at": "2026-11-24T10:00:00Z",
        "time_zone": "America/New_York",
    }


class DueCheckInAnswer(DueCheckIn):
    """What is asked now, with what it takes to show it. `items` are the questions that are asked here."""

    instrument_version = Text(max=20, required=True)
    title = Text(max=200, required=True)
    items = Items(Text(max=60), max=50, required=True)

    example = {
        **DueCheckIn.example,
        "instrument_version": "1",
        "title": "Daily check-in",
        "items": ["safe_now", "mood", "slept_hours", "note"],
    }


class DueCheckInsAnswer(Answer):
    """What is asked now and not answered yet. `next_change_at`: when that may change by the clock alone."""

    help = fields.Nested(CrisisHelpAnswer, required=True)
    who_sees = Text(max=1000, required=True, metadata={"description": "To show before the first question."})
    items = Items(DueCheckInAnswer, max=20, required=True)
    next_change_at = Instant()

    example = {
        "help": CrisisHelpAnswer.example,
        "who_sees": "Your care team at the clinic sees your answers.",
        "items": [DueCheckInAnswer.example],
        "next_change_at": "2026-11-24T02:00:00Z",
    }


class TrendsQuery(Query):
    """From `since` until just before `until`; a year at most, and by default the last 90 days."""

    instrument = Text(max=60, load_default=None, metadata={"description": "Only answers to this questionnaire."})
    since = Instant(load_default=None, metadata={"description": "Answers from here on."})
    until = Instant(load_default=None, metadata={"description": "Answers before this."})

    example = {"instrument": "daily", "since": "2026-09-01T00:00:00Z"}


class TrendPointAnswer(Answer):
    """One answer."""

    check_in_id = Id(required=True)
    occurred_at = Instant(required=True)
    value = Whole(min=0, max=10000, required=True)

    example = {"check_in_id": ID, "occurred_at": "2026-11-23T14:59:30Z", "value": 6}


class TrendAnswer(Answer):
    """One line over time: an item's numbers, or an instrument's totals (`measure` is `total`)."""

    instrument = Text(max=60, required=True)
    measure = Text(max=60, required=True, metadata={"description": "An item's key, or `total`."})
    minimum = Whole(min=0, max=10000, required=True)
    maximum = Whole(min=0, max=10000, required=True)
    points = Items(TrendPointAnswer, max=1000, required=True, metadata={"description": "The oldest first."})

    example = {
        "instrument": "daily",
        "measure": "mood",
        "minimum": 0,
        "maximum": 10,
        "points": [TrendPointAnswer.example],
    }


class TrendsAnswer(Answer):
    """My numbers over time. Nothing here judges them; a day without a check-in takes nothing away."""

    help = fields.Nested(CrisisHelpAnswer, required=True)
    since = Instant(required=True)
    until = Instant(required=True)
    time_zone = Zone(required=True)
    check_in_days = Whole(min=0, max=400, required=True, metadata={"description": "Days with a check-in."})
    series = Items(TrendAnswer, max=50, required=True)

    example = {
        "help": CrisisHelpAnswer.example,
        "since": "2026-09-01T00:00:00Z",
        "until": "2026-11-23T15:00:00Z",
        "time_zone": "America/New_York",
        "check_in_days": 1,
        "series": [TrendAnswer.example],
    }


class ClinicCheckInAnswer(CheckInFields, Answer):
    """What the patient reported. It is self-reported, and unreviewed until somebody at the clinic reviews it."""

    self_reported = Flag(required=True)
    reviewed = Flag(required=True)
    reviewed_at = Instant()
    reviewed_by = Text(max=255)
    reviewed_role = Text(max=255)
    band = Text(max=60, metadata={"description": "The published band of the total, for staff."})
    screen_positive = Flag(metadata={"description": "Whether the total reaches the published screening cut-off."})
    safety = Flag(required=True, metadata={"description": "Whether an answer asked for a person at the clinic."})
    told_at = Instant(required=True, metadata={"description": "`occurred_at` as the phone's clock had it."})
    sent_at = Instant(required=True)

    example = {
        **_KEPT,
        "self_reported": True,
        "reviewed": False,
        "safety": False,
        "told_at": "2026-11-23T01:10:00Z",
        "sent_at": "2026-11-23T15:00:00Z",
    }


class ClinicCheckInsQuery(CheckInsQuery):
    """`reviewed=false` gives what nobody has looked at yet."""

    reviewed = Flag(load_default=None, metadata={"description": "Only answers that were, or were not, reviewed."})

    example = {"reviewed": False}


class ClinicCheckInsAnswer(ListAnswer):
    """A patient's check-ins, newest first."""

    items = Items(ClinicCheckInAnswer, max=100, required=True)

    example = {"items": [ClinicCheckInAnswer.example]}


class SwitchAsk(Ask):
    """Whether the patient is asked this instrument."""

    offered = Flag(required=True)

    example = {"offered": False}


class SwitchAnswer(Answer):
    """Whether the patient is asked this instrument; without who and when, nobody has ever changed it."""

    instrument = Text(max=60, required=True)
    offered = Flag(required=True)
    changed_at = Instant()
    changed_by = Text(max=255)
    changed_role = Text(max=255)

    example = {
        "instrument": "phq-9",
        "offered": False,
        "changed_at": "2026-11-23T15:00:00Z",
        "changed_by": "u-17",
        "changed_role": "counselor",
    }


class SwitchesAnswer(Answer):
    """Every instrument, and whether the patient is asked it."""

    items = Items(SwitchAnswer, max=100, required=True)

    example = {"items": [SwitchAnswer.example]}


class ScheduleFields:
    program_slug = Text(max=40, pattern=PROGRAM_SLUG, required=True)
    every_days = Whole(min=1, max=366, required=True)
    opens_local = LocalTime(required=True, metadata={"description": "Wall-clock time in the patient's zone."})
    overdue_after_hours = Whole(min=1, max=8784, required=True)
    closes_after_hours = Whole(min=1, max=8784, required=True)


_SCHEDULE = {
    "program_slug": "iop",
    "every_days": 14,
    "opens_local": "05:00",
    "overdue_after_hours": 72,
    "closes_after_hours": 168,
}


class ScheduleAsk(ScheduleFields, Ask):
    """How often a level of care asks: counted from the day of enrollment; a window closes before the next opens."""

    example = _SCHEDULE

    @ma.validates_schema
    def in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data["overdue_after_hours"] > data["closes_after_hours"]:
            raise ma.ValidationError("Must not be after closing.", "overdue_after_hours")
        if data["closes_after_hours"] > 24 * data["every_days"]:
            raise ma.ValidationError("Must close before the next opens.", "closes_after_hours")


class ScheduleAnswer(ScheduleFields, Answer):
    """How often a level of care asks."""

    example = _SCHEDULE


class InstrumentSettingsAsk(Ask):
    """What the clinic sets about an instrument, whole. A total above `task_over_total` opens a task; absent: none
    does. A level of care without a schedule is not asked."""

    task_over_total = Whole(min=0, max=10000)
    schedules = Items(ScheduleAsk, max=20, required=True)

    example = {"task_over_total": 9, "schedules": [_SCHEDULE]}

    @ma.validates_schema
    def one_each(self, data: dict[str, Any], **_: Any) -> None:
        slugs = [schedule["program_slug"] for schedule in data["schedules"]]
        if len(slugs) != len(set(slugs)):
            raise ma.ValidationError("Each program has one schedule.", "schedules")


class InstrumentSettingsAnswer(Answer):
    """What the clinic sets about an instrument."""

    instrument = Text(max=60, pattern=KEY, required=True)
    task_over_total = Whole(min=0, max=10000)
    schedules = Items(ScheduleAnswer, max=20, required=True)

    example = {"instrument": "phq-9", "task_over_total": 9, "schedules": [ScheduleAnswer.example]}

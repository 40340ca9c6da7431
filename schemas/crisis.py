"""Crisis help as it stands beside everything that may need it, and as the app keeps it for when it is offline."""

from marshmallow import fields

from schemas.base import Answer, Flag, Instant, Items, Text, Word, Zone
from schemas.locations import HOLIDAY, MORNING, PHONE, ClosureAnswer, OpeningHoursAnswer

KEYS = ("emergency", "lifeline_call", "lifeline_text", "clinic_line")
KINDS = ("call", "text")


class CrisisResourceAnswer(Answer):
    """A number to call or text, in the order in which they shall stand. `open_now` is absent where it is not known."""

    key = Word(KEYS, required=True)
    kind = Word(KINDS, required=True)
    number = Text(max=31, pattern=PHONE, required=True)
    label = Text(max=200, required=True)
    text = Text(max=500, required=True)
    around_the_clock = Flag(metadata={"description": "Absent where it is not known."})
    open_now = Flag()
    open_until = Instant()
    opens_at = Instant()
    time_zone = Zone(metadata={"description": "In which to read `open_until` and `opens_at`."})

    example = {
        "key": "lifeline_call",
        "kind": "call",
        "number": "988",
        "label": "988 Suicide & Crisis Lifeline",
        "text": "Call 988 at any hour.",
        "around_the_clock": True,
    }


class CrisisHelpAnswer(Answer):
    """Where to find help now. It promises no more than is true."""

    headline = Text(max=500, required=True)
    resources = Items(CrisisResourceAnswer, max=20, required=True)
    monitoring_note = Text(max=500, required=True)
    attention_note = Text(max=500, metadata={"description": "When a person at the clinic may look, as far as known."})

    example = {
        "headline": "In immediate danger, or when somebody may have taken too much, call 911 now.",
        "resources": [CrisisResourceAnswer.example],
        "monitoring_note": "What is sent here is not monitored around the clock.",
    }


class LineHoursAnswer(Answer):
    """When the clinic's line is answered: wall-clock hours in `time_zone`, and closures over them."""

    time_zone = Zone(required=True)
    hours = Items(OpeningHoursAnswer, max=50, required=True)
    closures = Items(ClosureAnswer, max=1000, required=True)

    example = {
        "time_zone": "America/New_York",
        "hours": [MORNING],
        "closures": [ClosureAnswer.example | {"reason": HOLIDAY["en"]}],
    }


class CrisisConfigAnswer(Answer):
    """Crisis help for the app to keep and show offline and signed out: with hours instead of "open now"."""

    headline = Text(max=500, required=True)
    resources = Items(CrisisResourceAnswer, max=20, required=True)
    clinic_line_hours = Items(
        LineHoursAnswer, max=100, required=True, metadata={"description": "Empty where no hours are stated."}
    )
    monitoring_note = Text(max=500, required=True)

    example = {**CrisisHelpAnswer.example, "clinic_line_hours": [LineHoursAnswer.example]}


class AppClinicAnswer(Answer):
    """The clinic. A number that is not configured is absent."""

    name = Text(max=200, required=True)
    time_zone = Zone(required=True)
    phone = Text(max=31)
    support_email = Text(max=200)

    example = {"name": "Example Clinic", "time_zone": "America/New_York"}


class AppConfigAnswer(Answer):
    """What the app needs before anybody signs in."""

    server_time = Instant(
        required=True, metadata={"description": "When this answer was made: add `Age` where a cache kept it."}
    )
    language = Word(("en", "es"), required=True)
    minimum_app_version = Text(max=40, metadata={"description": "Older apps must update; absent is none."})
    privacy_notice_version = Text(
        max=60, metadata={"description": "Of the notice of now: one that the patient has not acknowledged is shown."}
    )
    clinic = fields.Nested(AppClinicAnswer, required=True)
    crisis = fields.Nested(CrisisConfigAnswer, required=True)
    features = Items(
        Text(max=64),
        max=100,
        required=True,
        metadata={"description": "What is switched on; unknown words are ignored."},
    )
    web_push_key = Text(
        max=100,
        metadata={
            "description": "The `applicationServerKey` of subscriptions to push; absent: none is sent to browsers."
        },
    )

    example = {
        "server_time": "2026-11-23T15:00:00Z",
        "language": "en",
        "minimum_app_version": "1.0.0",
        "privacy_notice_version": "notice-1",
        "clinic": AppClinicAnswer.example,
        "crisis": CrisisConfigAnswer.example,
        "features": [],
    }

"""Where the clinic is, and when it is open."""

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
    Text,
    Whole,
    Word,
    Zone,
)
from schemas.program_parts import SLUG, WordsAnswer, WordsAsk

PHONE = r"\A\+?[0-9][0-9 ().-]{1,29}\Z"
EXAMPLE_ID = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01"
ADDRESS = {"street": "1 Example Street", "city": "Exampleton", "region": "MA", "postal_code": "00000", "country": "US"}
MORNING = {"weekday": "monday", "opens": "09:00", "closes": "17:00"}
HOLIDAY = {"en": "Holiday", "es": "Día festivo"}


class LocationsQuery(PageQuery):
    """A page of locations."""

    example = {"page_size": 20}


class AddressFields:
    street = Text(max=200, required=True)
    street_2 = Text(max=200)
    city = Text(max=100, required=True)
    region = Text(max=100, required=True, metadata={"description": "State or province."})
    postal_code = Text(max=20, required=True)
    country = Text(
        max=2, min=2, pattern=r"\A[A-Z]{2}\Z", required=True, metadata={"description": "ISO 3166-1 alpha-2."}
    )


class AddressAsk(AddressFields, Ask):
    """A postal address."""

    example = ADDRESS


class AddressAnswer(AddressFields, Answer):
    """A postal address."""

    example = ADDRESS


class OpeningFields:
    weekday = Word(vocabulary.WEEKDAYS, required=True)
    opens = LocalTime(required=True)
    closes = LocalTime(required=True, metadata={"description": "`00:00` is the end of the day."})


class OpeningHoursAsk(OpeningFields, Ask):
    """Open on a weekday from one wall-clock time to another."""

    example = MORNING

    @ma.validates_schema
    def in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data["closes"] != "00:00" and data["closes"] <= data["opens"]:
            raise ma.ValidationError("Must be after opens, or 00:00 for the end of the day.", "closes")


class OpeningHoursAnswer(OpeningFields, Answer):
    """Open on a weekday from one wall-clock time to another, in the location's zone."""

    example = MORNING


class LocationFields:
    name = Text(max=200, required=True)
    time_zone = Zone(required=True)
    phone = Text(max=31, pattern=PHONE)


class LocationAsk(LocationFields, Ask):
    """A location, whole: what is absent is not known any more."""

    address = fields.Nested(AddressAsk, required=True)
    hours = Items(OpeningHoursAsk, max=50, required=True)
    programs = Items(Text(max=40, pattern=SLUG), max=50, required=True)
    answers_clinic_line = Flag(
        required=True, metadata={"description": "Whether the clinic's line is answered here during these hours."}
    )
    asks_room_code = Flag(
        load_default=False, metadata={"description": "Whether who checks in is asked for the code shown in the room."}
    )

    example = {
        "name": "Example Street",
        "address": ADDRESS,
        "time_zone": "America/New_York",
        "hours": [MORNING],
        "programs": ["iop"],
        "answers_clinic_line": True,
        "asks_room_code": True,
    }


class ClosureAsk(Ask):
    """Closed from one instant until another, whatever the weekly hours say."""

    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    reason = fields.Nested(WordsAsk)

    example = {"starts_at": "2026-11-26T05:00:00Z", "ends_at": "2026-11-27T05:00:00Z", "reason": HOLIDAY}

    @ma.validates_schema
    def in_order(self, data: dict[str, Any], **_: Any) -> None:
        if data["ends_at"] <= data["starts_at"]:
            raise ma.ValidationError("Must be after starts_at.", "ends_at")


class ClosureTextsAnswer(Answer):
    """A closure as the clinic wrote it."""

    id = Id(required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    reason = fields.Nested(WordsAnswer)

    example = {
        "id": EXAMPLE_ID,
        "starts_at": "2026-11-26T05:00:00Z",
        "ends_at": "2026-11-27T05:00:00Z",
        "reason": HOLIDAY,
    }


class ClosureAnswer(Answer):
    """Closed from one instant until another."""

    id = Id(required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    reason = Text(max=1000)

    example = {
        "id": EXAMPLE_ID,
        "starts_at": "2026-11-26T05:00:00Z",
        "ends_at": "2026-11-27T05:00:00Z",
        "reason": "Holiday",
    }


class LocationAnswer(LocationFields, Answer):
    """A location. Hours are wall-clock times in `time_zone`; closures lie over them."""

    id = Id(required=True)
    address = fields.Nested(AddressAnswer, required=True)
    hours = Items(OpeningHoursAnswer, max=50, required=True)
    closures = Items(ClosureAnswer, max=1000, required=True, metadata={"description": "Those not over for long."})
    programs = Items(Text(max=40), max=50, required=True, metadata={"description": "Slugs of programs offered here."})
    asks_room_code = Flag(
        required=True, metadata={"description": "Whether who checks in is asked for the code shown in the room."}
    )

    example = {
        "id": EXAMPLE_ID,
        "name": "Example Street",
        "address": ADDRESS,
        "time_zone": "America/New_York",
        "hours": [MORNING],
        "closures": [ClosureAnswer.example],
        "programs": ["iop"],
        "asks_room_code": True,
    }


class LocationsAnswer(ListAnswer):
    """The clinic's locations."""

    items = Items(LocationAnswer, max=100, required=True)

    example = {"items": [LocationAnswer.example]}


class ClinicLocationAnswer(LocationFields, Answer):
    """A location as the clinic keeps it."""

    id = Id(required=True)
    version = Whole(min=1, max=2**53 - 1, required=True)
    address = fields.Nested(AddressAnswer, required=True)
    hours = Items(OpeningHoursAnswer, max=50, required=True)
    closures = Items(ClosureTextsAnswer, max=1000, required=True)
    programs = Items(Text(max=40), max=50, required=True)
    answers_clinic_line = Flag(required=True)
    asks_room_code = Flag(required=True)

    example = {
        "id": EXAMPLE_ID,
        "version": 1,
        **LocationAsk.example,
        "closures": [ClosureTextsAnswer.example],
    }

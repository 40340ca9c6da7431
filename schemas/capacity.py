"""Where new patients can start: what the clinic says of it, what partners read, and what the website shows."""

from api import vocabulary
from schemas.base import Answer, Ask, Id, Instant, Items, ListAnswer, PageQuery, Text, Word, Zone
from schemas.program_parts import SLUG

PLACE = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01"
NOTES = "New patients start on Mondays."
CONFIRMED = "2026-11-23T15:00:00Z"
SHOWN = "As readers are told now: `call_us` where it was not confirmed lately, `closed` while the location is."


class CapacityQuery(PageQuery):
    """A page of capacity, of one program or of all."""

    program = Text(max=40, pattern=SLUG, load_default=None, metadata={"description": "Only this program, by its slug."})

    example = {"program": "iop"}


class CapacityAnswer(Answer):
    """Whether somebody new can start in a program at a location. No place is reserved by reading it."""

    program = Text(max=40, required=True, metadata={"description": "The program's slug."})
    program_name = Text(max=1000, required=True)
    location_id = Id(required=True)
    location_name = Text(max=200, required=True)
    time_zone = Zone(required=True)
    phone = Text(max=31, metadata={"description": "Whom to call about it."})
    state = Word(vocabulary.CAPACITIES_SHOWN, required=True, metadata={"description": SHOWN})
    notes = Text(max=500, metadata={"description": "Absent where `state` is not what they were written beside."})
    confirmed_at = Instant(metadata={"description": "When the clinic last confirmed it; absent if it never did."})
    closed_until = Instant(metadata={"description": "Only while the location is closed."})

    example = {
        "program": "iop",
        "program_name": "Intensive Outpatient Program",
        "location_id": PLACE,
        "location_name": "Example Street",
        "time_zone": "America/New_York",
        "phone": "+1 202-555-0142",
        "state": "open",
        "notes": NOTES,
        "confirmed_at": CONFIRMED,
    }


class CapacitiesAnswer(ListAnswer):
    """Capacity per program and location."""

    items = Items(CapacityAnswer, max=100, required=True)

    example = {"items": [CapacityAnswer.example]}


class ClinicCapacityQuery(PageQuery):
    """A page of what was said of capacity."""

    example = {"page_size": 20}


class ClinicCapacityAsk(Ask):
    """How it is now. `notes` are for partners, and never of any person."""

    state = Word(vocabulary.CAPACITIES, required=True)
    notes = Text(max=500)

    example = {"state": "open", "notes": NOTES}


class ClinicCapacityAnswer(Answer):
    """What was last confirmed, and what readers are told now."""

    program = Text(max=40, required=True, metadata={"description": "The program's slug."})
    location_id = Id(required=True)
    location_name = Text(max=200, required=True)
    time_zone = Zone(required=True)
    state = Word(vocabulary.CAPACITIES_SHOWN, required=True, metadata={"description": SHOWN})
    stated = Word(vocabulary.CAPACITIES, metadata={"description": "As it was confirmed; absent if it never was."})
    notes = Text(max=500)
    confirmed_at = Instant()
    confirmed_by = Text(max=200)
    closed_until = Instant(metadata={"description": "Only while the location is closed."})

    example = {
        "program": "iop",
        "location_id": PLACE,
        "location_name": "Example Street",
        "time_zone": "America/New_York",
        "state": "open",
        "stated": "open",
        "notes": NOTES,
        "confirmed_at": CONFIRMED,
        "confirmed_by": "u-17",
    }


class ClinicCapacitiesAnswer(ListAnswer):
    """What was said of capacity, per program and location."""

    items = Items(ClinicCapacityAnswer, max=100, required=True)

    example = {"items": [ClinicCapacityAnswer.example]}


class AvailabilityAnswer(Answer):
    """Whether somebody new can start in the program at a location, in words. Placement is by assessment."""

    location_id = Id(required=True)
    location_name = Text(max=200, required=True)
    time_zone = Zone(required=True)
    state = Word(vocabulary.CAPACITIES_SHOWN, required=True, metadata={"description": SHOWN})
    text = Text(max=200, required=True)
    confirmed_at = Instant(metadata={"description": "When the clinic last confirmed it; absent if it never did."})
    closed_until = Instant(metadata={"description": "Only while the location is closed."})

    example = {
        "location_id": PLACE,
        "location_name": "Example Street",
        "time_zone": "America/New_York",
        "state": "open",
        "text": "New patients can start here.",
        "confirmed_at": CONFIRMED,
    }

"""Series of care sessions: a weekly rule in local time, and who belongs to it."""

from api import vocabulary
from schemas.base import (
    SAFE_INTEGER,
    Answer,
    Ask,
    Day,
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
from schemas.sessions import LOCATION, PATIENT, SERIES

RULE = (
    "RFC 5545: `FREQ=WEEKLY`, or `FREQ=DAILY` with `BYDAY`; `INTERVAL`, `BYDAY`, `WKST`, and exactly one of `COUNT` "
    "and `UNTIL` (a local day `YYYYMMDD`, or an instant `YYYYMMDDTHHMMSSZ`; included). `first_on` must be one of its "
    "days."
)


class SeriesQuery(PageQuery):
    """Series, oldest first."""

    program = Text(max=64, load_default=None, metadata={"description": "Only series of this program."})

    example = {"program": "iop"}


class SeriesAsk(Ask):
    """A series, whole: what is absent is cleared. A change reaches the sessions that have not begun, save those that
    were changed on their own."""

    kind = Word(vocabulary.SESSION_KINDS, required=True)
    program = Text(
        max=64, load_default=None, metadata={"description": "The program (slug) that the series is part of."}
    )
    title = Text(max=200, required=True)
    title_es = Text(max=200, load_default=None)
    first_on = Day(required=True)
    starts_local = LocalTime(required=True, metadata={"description": "Wall time in `time_zone`."})
    duration_minutes = Whole(min=5, max=720, required=True)
    time_zone = Zone(required=True)
    rrule = Text(max=200, required=True, metadata={"description": RULE})
    modality = Word(vocabulary.MODALITIES, required=True)
    facilitator = Text(max=200, load_default=None)
    location_id = Id(load_default=None)
    room = Text(max=100, load_default=None)

    example = {
        "kind": "group",
        "program": "iop",
        "title": "Morning group",
        "title_es": "Grupo de la mañana",
        "first_on": "2026-11-23",
        "starts_local": "09:00",
        "duration_minutes": 180,
        "time_zone": "America/New_York",
        "rrule": "FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=36",
        "modality": "in_person",
        "facilitator": "R. Example",
        "location_id": LOCATION,
        "room": "2",
    }


class SeriesAnswer(Answer):
    """A series, without its members."""

    id = Id(required=True)
    kind = Word(vocabulary.SESSION_KINDS, required=True)
    program = Text(max=64)
    title = Text(max=200, required=True)
    title_es = Text(max=200)
    first_on = Day(required=True)
    starts_local = LocalTime(required=True)
    duration_minutes = Whole(min=5, max=720, required=True)
    time_zone = Zone(required=True)
    rrule = Text(max=200, required=True)
    modality = Word(vocabulary.MODALITIES, required=True)
    facilitator = Text(max=200)
    location_id = Id()
    room = Text(max=100)
    version = Whole(min=1, max=SAFE_INTEGER, required=True)

    example = {"id": SERIES, **SeriesAsk.example, "version": 1}


class SeriesListAnswer(ListAnswer):
    """Series, oldest first."""

    items = Items(SeriesAnswer, required=True)

    example = {"items": [SeriesAnswer.example]}


class SeriesMemberAnswer(Answer):
    """A patient who belongs to the series since `joined_at`."""

    patient_id = Id(required=True)
    joined_at = Instant(required=True)

    example = {"patient_id": PATIENT, "joined_at": "2026-11-23T15:00:00Z"}


class SeriesMembersAnswer(Answer):
    """The current members, in the order of joining."""

    items = Items(SeriesMemberAnswer, max=1000, required=True)

    example = {"items": [SeriesMemberAnswer.example]}

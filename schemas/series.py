"""Series of care sessions: a weekly rule in local time, and who belongs to it."""

from typing import Any

import marshmallow as ma

from api import vocabulary
from schemas.base import (
    SAFE_INTEGER,
    Answer,
    Ask,
    Day,
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
from schemas.clinic_sessions import OVERRIDE, JoinLink
from schemas.sessions import LOCATION, PATIENT, SERIES, SESSION

SCOPES = ("all", "this_and_later")
LOSSES = ("cancelled", "moved")
CAPACITY = "How many patients may have a place in each session. Absent: 100 in a group, 1 in an individual series."

RULE = (
    "RFC 5545: `FREQ=WEEKLY`, or `FREQ=DAILY` with `BYDAY`; `INTERVAL`, `BYDAY`, `WKST`, and exactly one of `COUNT` "
    "and `UNTIL` (a local day `YYYYMMDD`, or an instant `YYYYMMDDTHHMMSSZ`; included). `first_on` must be one of its "
    "days."
)


class SeriesQuery(PageQuery):
    """Series, oldest first."""

    program = Text(max=64, load_default=None, metadata={"description": "Only series of this program."})

    example = {"program": "iop"}


class SeriesChangeQuery(Query):
    """How far a change reaches: `all` that is to come, or `this_and_later`, from a session or a local day on."""

    applies_to = Word(SCOPES, load_default="all", metadata={"description": "How far the change reaches."})
    from_session_id = Id(load_default=None, metadata={"description": "With `this_and_later`: the first session."})
    from_on = Day(
        load_default=None,
        metadata={"description": "With `this_and_later`, instead of a session: its first one on that day or later."},
    )
    override_double_booking = Flag(load_default=False, metadata={"description": OVERRIDE})

    example = {"applies_to": "this_and_later", "from_on": "2026-12-07"}

    @ma.validates_schema
    def says_from_when(self, data: dict[str, Any], **_: Any) -> None:
        named = [name for name in ("from_session_id", "from_on") if data.get(name) is not None]
        if len(named) != (data["applies_to"] == "this_and_later"):
            raise ma.ValidationError("`this_and_later` needs either `from_session_id` or `from_on`.", "applies_to")


class SeriesMemberQuery(Query):
    """How a patient joins."""

    override_double_booking = Flag(load_default=False, metadata={"description": OVERRIDE})

    example = {"override_double_booking": True}


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
    join_url = JoinLink(load_default=None)
    capacity = Whole(min=1, max=1000, load_default=None, metadata={"description": CAPACITY})

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
    join_url = JoinLink()
    capacity = Whole(min=1, max=1000)
    split_from_id = Id(metadata={"description": "The series that this one goes on from."})
    version = Whole(min=1, max=SAFE_INTEGER, required=True)

    example = {"id": SERIES, **SeriesAsk.example, "version": 1}


class SeriesLoss(Answer):
    """A coming session that could not keep everything. `places`: patients who have a place in it; `replies`: how many
    of theirs no longer hold, of a cancelled one all of them, of one that moved each "yes" to its old time."""

    session_id = Id(required=True)
    because = Word(LOSSES, required=True)
    places = Whole(min=0, max=SAFE_INTEGER, required=True)
    replies = Whole(min=0, max=SAFE_INTEGER, required=True)

    example = {"session_id": SESSION, "because": "moved", "places": 12, "replies": 3}


class SeriesChangedAnswer(SeriesAnswer):
    """The series that holds for what was changed, after `this_and_later` a new one, and what its coming sessions could
    not keep, in order of time."""

    lost = Items(SeriesLoss, max=1000, required=True)

    example = {**SeriesAnswer.example, "lost": [SeriesLoss.example]}


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

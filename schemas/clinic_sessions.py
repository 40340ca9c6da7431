"""Care sessions as the clinic sees and changes them: single ones, who is in them, and who came."""

from collections.abc import Mapping
from typing import Any, ClassVar

import marshmallow as ma
from marshmallow import fields

from api import vocabulary
from schemas.base import (
    SAFE_INTEGER,
    Answer,
    Ask,
    Flag,
    Id,
    Instant,
    Items,
    ListAnswer,
    PageQuery,
    Query,
    Text,
    Whole,
    Word,
    Zone,
)
from schemas.sessions import (
    LOCATION,
    PATIENT,
    SERIES,
    SESSION,
    SessionArrival,
    SessionAttendance,
    SessionPresence,
    SessionReply,
)


class RoomCodeAnswer(Answer):
    """The code to show in the rooms of a location. The one before it is taken for a step longer."""

    room_code = Text(max=20, required=True)
    valid_until = Instant(required=True)

    example = {"room_code": "042917", "valid_until": "2026-11-24T13:55:00Z"}


class ClinicSessionsQuery(PageQuery):
    """A window over the starts of sessions, at most a year long."""

    since = Instant(data_key="from", required=True, metadata={"description": "Sessions that start then or later."})
    until = Instant(data_key="to", required=True, metadata={"description": "Sessions that start before then."})
    series_id = Id(load_default=None, metadata={"description": "Only sessions of this series."})

    example = {"from": "2026-11-23T00:00:00Z", "to": "2026-11-30T00:00:00Z", "series_id": SERIES}


class JoinLink(Text):
    """Where a telehealth or hybrid session is joined. Its patients are given it from a quarter of an hour before the
    start until the end."""

    def __init__(self, **kwargs: Any) -> None:
        described = {"description": "`https` only, and not with `in_person`."}
        super().__init__(max=1000, pattern=r"\Ahttps://[^\s\x00-\x1f\x7f]+\Z", metadata=described, **kwargs)


OVERRIDE = "That a patient is then in two sessions at once is meant. It is kept on record who said so, and for whom."

FOR_GOOD = "With `cancelled`: the end of the closure that cancelled it restores nothing of it."


class SessionChangeQuery(Query):
    """How a session is changed. A `dry_run` does all of it, answers what it did, and undoes it."""

    dry_run = Flag(load_default=False, metadata={"description": "Do it, say what it did, and undo it."})
    override_double_booking = Flag(load_default=False, metadata={"description": OVERRIDE})

    example = {"dry_run": True}


class DoubleBookedProblem(Answer):
    """A refusal because of a patient's other sessions, at most 100 of them."""

    session_ids = Items(Id(), max=100)

    example = {"session_ids": [SESSION]}


class ClinicSessionAsk(Ask):
    """One session on its own, whole: what is absent is cleared. Its series will leave it as it is made here."""

    starts_at = Instant(required=True)
    duration_minutes = Whole(min=5, max=720, required=True)
    status = Word(vocabulary.SESSION_STATUSES, required=True)
    for_good = Flag(load_default=False, metadata={"description": FOR_GOOD})
    title = Text(max=200, required=True)
    title_es = Text(max=200, load_default=None)
    modality = Word(vocabulary.MODALITIES, required=True)
    facilitator = Text(max=200, load_default=None)
    location_id = Id(load_default=None)
    room = Text(max=100, load_default=None)
    join_url = JoinLink(load_default=None)

    example: ClassVar[Mapping[str, Any]] = {
        "starts_at": "2026-11-24T15:00:00Z",
        "duration_minutes": 180,
        "status": "scheduled",
        "title": "Morning group",
        "modality": "in_person",
        "facilitator": "R. Example",
        "location_id": LOCATION,
        "room": "2",
    }

    @ma.validates_schema
    def only_what_is_cancelled(self, asked: Mapping[str, Any], **_: Any) -> None:
        if asked.get("for_good") and asked.get("status") != "cancelled":
            raise ma.ValidationError({"for_good": ["Belongs to `cancelled`."]})


class ClinicSessionAnswer(Answer):
    """A session, without its patients. `exception` says that it was changed on its own, `cancelled_by` which closure of
    its location cancelled it, whose end restores it unless it was cancelled for good meanwhile."""

    id = Id(required=True)
    series_id = Id()
    kind = Word(vocabulary.SESSION_KINDS, required=True)
    program = Text(max=64)
    title = Text(max=200, required=True)
    title_es = Text(max=200)
    status = Word(vocabulary.SESSION_STATUSES, required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    time_zone = Zone(required=True)
    modality = Word(vocabulary.MODALITIES, required=True)
    facilitator = Text(max=200)
    location_id = Id()
    room = Text(max=100)
    join_url = JoinLink()
    cancelled_by = Id()
    exception = Flag(required=True)
    version = Whole(min=1, max=SAFE_INTEGER, required=True)

    example = {
        "id": SESSION,
        "series_id": SERIES,
        "kind": "group",
        "program": "iop",
        "title": "Morning group",
        "title_es": "Grupo de la mañana",
        "status": "scheduled",
        "starts_at": "2026-11-24T15:00:00Z",
        "ends_at": "2026-11-24T18:00:00Z",
        "time_zone": "America/New_York",
        "modality": "in_person",
        "facilitator": "R. Example",
        "location_id": LOCATION,
        "room": "2",
        "exception": True,
        "version": 2,
    }


class SessionChangeCount(Answer):
    """For how many patients something changes: their session, reminders of it. Who they are is not said."""

    kind = Word(vocabulary.CHANGE_KINDS, required=True)
    action = Word(vocabulary.CHANGE_ACTIONS, required=True)
    count = Whole(min=1, max=SAFE_INTEGER, required=True)

    example = {"kind": "session", "action": "moved", "count": 12}


class ClinicSessionChangedAnswer(ClinicSessionAnswer):
    """The session as it now is, and what that changed for its patients; with `dry_run` as it would be."""

    dry_run = Flag(required=True)
    changes = Items(SessionChangeCount, max=20, required=True)

    example = {**ClinicSessionAnswer.example, "dry_run": False, "changes": [SessionChangeCount.example]}


class ClinicSessionsAnswer(ListAnswer):
    """Sessions in the window, in order of time."""

    items = Items(ClinicSessionAnswer, required=True)

    example = {"items": [ClinicSessionAnswer.example]}


class RosterPlace(Answer):
    """One patient's place in a session: what they said, and what the clinic recorded."""

    patient_id = Id(required=True)
    reply = fields.Nested(SessionReply)
    arrival = fields.Nested(SessionArrival)
    attendance = fields.Nested(SessionAttendance)
    presence = fields.Nested(SessionPresence, required=True)

    example = {
        "patient_id": PATIENT,
        "arrival": SessionArrival.example,
        "attendance": SessionAttendance.example,
        "presence": {"status": "attended", "rests_on": "clinic"},
    }


class RosterAnswer(Answer):
    """Everybody with a place in the session, in the order of their ids."""

    items = Items(RosterPlace, max=1000, required=True)

    example = {"items": [RosterPlace.example]}


class AttendanceAsk(Ask):
    """Only with `present`: `minutes`, or `arrived_at` and `left_at` of who came late or left early, from which the
    minutes follow. Without any of them the whole session was attended."""

    mark = Word(vocabulary.ATTENDANCE_MARKS, required=True)
    minutes = Whole(min=0, max=720, load_default=None)
    arrived_at = Instant(load_default=None)
    left_at = Instant(load_default=None)

    example = {"mark": "present", "minutes": 35}

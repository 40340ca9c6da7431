"""Care sessions as their patient sees them."""

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
    PageQuery,
    Text,
    Whole,
    Word,
    Zone,
)

SESSION = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01"
SERIES = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e02"
LOCATION = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e03"
PATIENT = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e04"


class SessionsQuery(PageQuery):
    """A window over the starts of sessions. Without it: from a day ago, four weeks ahead."""

    since = Instant(data_key="from", load_default=None, metadata={"description": "Sessions that start then or later."})
    until = Instant(data_key="to", load_default=None, metadata={"description": "Sessions that start before then."})

    example = {"from": "2026-11-23T00:00:00Z", "to": "2026-12-21T00:00:00Z", "page_size": 20}


class SessionReply(Answer):
    """What the patient said, while it holds. `starts_at` is the start they said it to; `late` that it came after the
    session had begun, `late_cancellation` that a "no" came too late for the clinic to give the time to somebody else.
    `asks_to_move` holds until the clinic moves the session."""

    reply = Word(vocabulary.SESSION_REPLIES, required=True)
    reason = Text(max=500)
    starts_at = Instant(required=True)
    replied_at = Instant(required=True)
    late = Flag(required=True)
    late_cancellation = Flag(required=True)
    asks_to_move = Flag(required=True)

    example = {
        "reply": "not_attending",
        "reason": "I have a dentist's appointment",
        "starts_at": "2026-11-24T14:00:00Z",
        "replied_at": "2026-11-23T15:00:00Z",
        "late": False,
        "late_cancellation": True,
        "asks_to_move": False,
    }


class SessionArrival(Answer):
    """The patient's own "I am here". `outside_window` is kept and is no attendance. `confirmed`: with the code shown in
    the room; where the location asks for one (`asks_room_code`), ask again until it is."""

    placement = Word(vocabulary.ARRIVAL_PLACEMENTS, required=True)
    arrived_at = Instant(required=True)
    way = Word(vocabulary.ARRIVAL_WAYS, required=True)
    confirmed = Flag(required=True)

    example = {
        "placement": "in_window",
        "arrived_at": "2026-11-24T13:52:00Z",
        "way": "checked_in",
        "confirmed": True,
    }


class SessionAttendance(Answer):
    """What the clinic recorded. `minutes` are attended minutes, only where present; `arrived_at` and `left_at` where
    they follow from those."""

    mark = Word(vocabulary.ATTENDANCE_MARKS, required=True)
    minutes = Whole(min=0, max=720)
    arrived_at = Instant()
    left_at = Instant()
    marked_at = Instant(required=True)

    example = {
        "mark": "present",
        "minutes": 165,
        "arrived_at": "2026-11-24T14:15:00Z",
        "marked_at": "2026-11-24T17:05:00Z",
    }


class SessionPresence(Answer):
    """What the facts come to. `attended`, `missed` and `excused` rest on the clinic's record, `attested` on the
    patient's own word; `expected` on nothing yet, be the session to come or over."""

    status = Word(vocabulary.PRESENCES, required=True)
    rests_on = Word(vocabulary.PRESENCE_RESTS_ON, required=True)

    example = {"status": "attested", "rests_on": "patient"}


class SessionAnswer(Answer):
    """One of the patient's own sessions. `reply`, `arrival` and `attendance` are three facts side by side: what the
    patient said, that they were there by their own word, and what the clinic recorded; each is absent until it is."""

    id = Id(required=True)
    kind = Word(vocabulary.SESSION_KINDS, required=True)
    title = Text(max=200, required=True)
    status = Word(vocabulary.SESSION_STATUSES, required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    time_zone = Zone(required=True)
    modality = Word(vocabulary.MODALITIES, required=True)
    facilitator = Text(max=200)
    location_id = Id(metadata={"description": "Where: see `/v1/locations/{id}`; absent where there is no place to go."})
    room = Text(max=100)
    check_in_opens_at = Instant(required=True)
    check_in_closes_at = Instant(required=True)
    join_opens_at = Instant(
        metadata={"description": "When its link can be opened by joining, until `ends_at`; absent without a link."}
    )
    makes_up_for = Id(metadata={"description": "The session that this one makes up for."})
    reply = fields.Nested(SessionReply)
    arrival = fields.Nested(SessionArrival)
    attendance = fields.Nested(SessionAttendance)
    presence = fields.Nested(SessionPresence, required=True)

    example = {
        "id": SESSION,
        "kind": "group",
        "title": "Morning group",
        "status": "scheduled",
        "starts_at": "2026-11-24T14:00:00Z",
        "ends_at": "2026-11-24T17:00:00Z",
        "time_zone": "America/New_York",
        "modality": "in_person",
        "facilitator": "R. Example",
        "location_id": LOCATION,
        "room": "2",
        "check_in_opens_at": "2026-11-24T13:30:00Z",
        "check_in_closes_at": "2026-11-24T17:00:00Z",
        "arrival": SessionArrival.example,
        "presence": SessionPresence.example,
    }


class SessionsAnswer(ListAnswer):
    """The patient's sessions in the window, in order of time."""

    items = Items(SessionAnswer, required=True)

    example = {"items": [SessionAnswer.example]}


class SessionProblem(Answer):
    """A refusal because of the session as it stands. `current` is how it stands."""

    current = fields.Nested(SessionAnswer)

    example = {"current": SessionAnswer.example}


class SessionReplyAsk(Ask):
    """Will you come? `starts_at` is the start you saw. `asks_to_move` goes with `not_attending` an individual session.
    `occurred_at` and `sent_at` are the phone's clock, for a reply that is sent later than it was given."""

    reply = Word(vocabulary.SESSION_REPLIES, required=True)
    starts_at = Instant(required=True)
    reason = Text(max=500, load_default=None)
    asks_to_move = Flag(load_default=False)
    occurred_at = Instant(load_default=None)
    sent_at = Instant(load_default=None)

    example = {"reply": "attending", "starts_at": "2026-11-24T14:00:00Z"}

    @ma.validates_schema
    def move_instead(self, data: dict[str, Any], **_: Any) -> None:
        if data["asks_to_move"] and data["reply"] != "not_attending":
            raise ma.ValidationError("Goes with not_attending only.", "asks_to_move")


class SessionCheckInAsk(Ask):
    """ "I am here". `id` is made by the app, once per tap; `room_code` is what the room shows. `occurred_at` and
    `sent_at` are the phone's clock, for an arrival that is sent later than it happened; the server corrects them by its
    own."""

    id = Id(required=True)
    room_code = Text(max=20, load_default=None)
    occurred_at = Instant(load_default=None)
    sent_at = Instant(load_default=None)

    example = {
        "id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e09",
        "occurred_at": "2026-11-24T13:52:00Z",
        "sent_at": "2026-11-24T13:58:30Z",
    }


class SessionJoinAsk(Ask):
    """The app opens the link. `id` is made by the app, once per tap; `occurred_at` and `sent_at` as in checking in."""

    id = Id(required=True)
    occurred_at = Instant(load_default=None)
    sent_at = Instant(load_default=None)

    example = {"id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e0a"}


class SessionJoinAnswer(Answer):
    """The link to open, good for this patient and this session, and the session as it now stands."""

    join_url = Text(max=2000, required=True)
    session = fields.Nested(SessionAnswer, required=True)

    example = {
        "join_url": "https://video.example/rooms/evening",
        "session": {
            **{name: value for name, value in SessionAnswer.example.items() if name not in ("location_id", "room")},
            "modality": "telehealth",
            "join_opens_at": "2026-11-24T13:45:00Z",
            "arrival": {**SessionArrival.example, "way": "joined", "confirmed": False},
        },
    }


class MakeUpOffer(Answer):
    """A session that could make up for a missed one. Who else has a place in it, and how many, is told to nobody."""

    id = Id(required=True)
    kind = Word(vocabulary.SESSION_KINDS, required=True)
    title = Text(max=200, required=True)
    starts_at = Instant(required=True)
    ends_at = Instant(required=True)
    time_zone = Zone(required=True)
    modality = Word(vocabulary.MODALITIES, required=True)
    location_id = Id()

    example = {
        "id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e0b",
        "kind": "group",
        "title": "Evening group",
        "starts_at": "2026-11-26T23:00:00Z",
        "ends_at": "2026-11-27T02:00:00Z",
        "time_zone": "America/New_York",
        "modality": "in_person",
        "location_id": LOCATION,
    }


class MakeUpOffersAnswer(Answer):
    """Coming sessions that could make up for a missed one, in order of time."""

    items = Items(MakeUpOffer, max=50, required=True)

    example = {"items": [MakeUpOffer.example]}


class MakeUpAsk(Ask):
    """The session to take part in instead."""

    make_up_session_id = Id(required=True)

    example = {"make_up_session_id": MakeUpOffer.example["id"]}

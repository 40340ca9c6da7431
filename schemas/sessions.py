"""Care sessions: as their patient sees them, and as the clinic does."""

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
    session had begun."""

    reply = Word(vocabulary.SESSION_REPLIES, required=True)
    reason = Text(max=500)
    starts_at = Instant(required=True)
    replied_at = Instant(required=True)
    late = Flag(required=True)

    example = {
        "reply": "not_attending",
        "reason": "I have a dentist's appointment",
        "starts_at": "2026-11-24T14:00:00Z",
        "replied_at": "2026-11-23T15:00:00Z",
        "late": False,
    }


class SessionArrival(Answer):
    """The patient's own "I am here". `outside_window` is kept and is no attendance."""

    placement = Word(vocabulary.ARRIVAL_PLACEMENTS, required=True)
    arrived_at = Instant(required=True)

    example = {"placement": "in_window", "arrived_at": "2026-11-24T13:52:00Z"}


class SessionAttendance(Answer):
    """What the clinic recorded. `minutes` are attended minutes, only where present."""

    mark = Word(vocabulary.ATTENDANCE_MARKS, required=True)
    minutes = Whole(min=0, max=720)
    marked_at = Instant(required=True)

    example = {"mark": "present", "minutes": 180, "marked_at": "2026-11-24T17:05:00Z"}


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
    reply = fields.Nested(SessionReply)
    arrival = fields.Nested(SessionArrival)
    attendance = fields.Nested(SessionAttendance)

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
    """Will you come? `starts_at` is the start you saw. `occurred_at` and `sent_at` are the phone's clock, for a reply
    that is sent later than it was given."""

    reply = Word(vocabulary.SESSION_REPLIES, required=True)
    starts_at = Instant(required=True)
    reason = Text(max=500, load_default=None)
    occurred_at = Instant(load_default=None)
    sent_at = Instant(load_default=None)

    example = {"reply": "attending", "starts_at": "2026-11-24T14:00:00Z"}


class SessionCheckInAsk(Ask):
    """ "I am here". `id` is made by the app, once per tap. `occurred_at` and `sent_at` are the phone's clock, for an
    arrival that is sent later than it happened; the server corrects them by its own."""

    id = Id(required=True)
    occurred_at = Instant(load_default=None)
    sent_at = Instant(load_default=None)

    example = {
        "id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e09",
        "occurred_at": "2026-11-24T13:52:00Z",
        "sent_at": "2026-11-24T13:58:30Z",
    }


class ClinicSessionsQuery(PageQuery):
    """A window over the starts of sessions, at most a year long."""

    since = Instant(data_key="from", required=True, metadata={"description": "Sessions that start then or later."})
    until = Instant(data_key="to", required=True, metadata={"description": "Sessions that start before then."})
    series_id = Id(load_default=None, metadata={"description": "Only sessions of this series."})

    example = {"from": "2026-11-23T00:00:00Z", "to": "2026-11-30T00:00:00Z", "series_id": SERIES}


class ClinicSessionAsk(Ask):
    """One session on its own, whole: what is absent is cleared. Its series will leave it as it is made here."""

    starts_at = Instant(required=True)
    duration_minutes = Whole(min=5, max=720, required=True)
    status = Word(vocabulary.SESSION_STATUSES, required=True)
    title = Text(max=200, required=True)
    title_es = Text(max=200, load_default=None)
    modality = Word(vocabulary.MODALITIES, required=True)
    facilitator = Text(max=200, load_default=None)
    location_id = Id(load_default=None)
    room = Text(max=100, load_default=None)

    example = {
        "starts_at": "2026-11-24T15:00:00Z",
        "duration_minutes": 180,
        "status": "scheduled",
        "title": "Morning group",
        "modality": "in_person",
        "facilitator": "R. Example",
        "location_id": LOCATION,
        "room": "2",
    }


class ClinicSessionAnswer(Answer):
    """A session, without its patients. `exception` says that it was changed on its own."""

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

    example = {"patient_id": PATIENT, "arrival": SessionArrival.example, "attendance": SessionAttendance.example}


class RosterAnswer(Answer):
    """Everybody with a place in the session, in the order of their ids."""

    items = Items(RosterPlace, max=1000, required=True)

    example = {"items": [RosterPlace.example]}


class AttendanceAsk(Ask):
    """`minutes` only with `present`; without it the whole session was attended."""

    mark = Word(vocabulary.ATTENDANCE_MARKS, required=True)
    minutes = Whole(min=0, max=720, load_default=None)

    example = {"mark": "present", "minutes": 165}

"""The app's first screen."""

from marshmallow import fields

from schemas.base import Answer, Day, Flag, Id, Instant, Items, Text, Whole, Word, Zone
from schemas.checkins import DueCheckIn
from schemas.sessions import SessionAnswer

STATUSES = ("active", "paused")


class TodayLevel(Answer):
    """The level of care in force."""

    enrollment_id = Id(required=True)
    program = Text(max=64, required=True, metadata={"description": "The program's slug: see `/v1/programs/{slug}`."})
    name = Text(max=200, required=True)
    status = Word(STATUSES, required=True)
    since = Instant(required=True)

    example = {
        "enrollment_id": "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e07",
        "program": "iop",
        "name": "Intensive Outpatient Program",
        "status": "active",
        "since": "2026-11-02T13:00:00Z",
    }


class TodaySession(SessionAnswer):
    """A coming or running session. `check_in_open` says whether "I am here" can be said now."""

    check_in_open = Flag(required=True)

    example = {**SessionAnswer.example, "check_in_open": True}


class TodayWeek(Answer):
    """The patient's week so far, from Monday in `time_zone`: minutes that the clinic recorded as attended."""

    starts_on = Day(required=True)
    time_zone = Zone(required=True)
    attended_minutes = Whole(min=0, max=10_080, required=True)

    example = {"starts_on": "2026-11-23", "time_zone": "America/New_York", "attended_minutes": 180}


class TodayAnswer(Answer):
    """`level` is absent outside of care. `sessions` are the next ones, the running one first. All of it holds until
    `valid_until` unless something is changed, which the ETag shows."""

    level = fields.Nested(TodayLevel)
    sessions = Items(TodaySession, max=3, required=True)
    check_ins_due = Items(DueCheckIn, max=20, required=True)
    week = fields.Nested(TodayWeek, required=True)
    valid_until = Instant(required=True)

    example = {
        "level": TodayLevel.example,
        "sessions": [TodaySession.example],
        "check_ins_due": [DueCheckIn.example],
        "week": TodayWeek.example,
        "valid_until": "2026-11-24T13:30:00Z",
    }

"""A place in a session as the schemas show it: what holds now, told apart from what was once said."""

from typing import Any

from api.sessions.models import Attendance, CareSession, SessionSeries
from api.sessions.place import Place


def place(here: Place, *, language: str) -> dict[str, Any]:
    """The session as its patient sees it."""
    session, attendance = here.session, here.attendance
    spanish = session.title_es if language == "es" else None
    return {
        **{name: getattr(session, name) for name in _SESSION},
        "title": spanish or session.title,
        "check_in_opens_at": session.check_in_opens_at,
        "check_in_closes_at": session.check_in_closes_at,
        "join_opens_at": session.join_opens_at,
        "makes_up_for": attendance.makes_up_for,
        **facts(attendance),
    }


def offer(offered: Any, *, language: str) -> dict[str, Any]:
    """A session that could make up for a missed one."""
    spanish = offered.title_es if language == "es" else None
    names = ("id", "kind", "starts_at", "ends_at", "time_zone", "modality", "location_id")
    return {**{name: getattr(offered, name) for name in names}, "title": spanish or offered.title}


def facts(attendance: Attendance) -> dict[str, Any]:
    """The three facts side by side, each None until there is one, and what they come to."""
    status, rests_on = attendance.presence
    return {
        "reply": _reply(attendance),
        "arrival": _arrival(attendance),
        "attendance": _mark(attendance),
        "presence": {"status": status, "rests_on": rests_on},
    }


_SESSION = (
    "id", "kind", "status", "starts_at", "ends_at", "time_zone", "modality", "facilitator", "location_id", "room",
)  # fmt: skip


def session(shown: CareSession) -> dict[str, Any]:
    """The session as the clinic sees it, without its patients."""
    own = ("series_id", "title", "title_es", "join_url", "cancelled_by", "exception", "version")
    return {**{name: getattr(shown, name) for name in (*_SESSION, *own)}, "program": shown.program_slug}


def _reply(attendance: Attendance) -> dict[str, Any] | None:
    if not attendance.reply_holds or attendance.replied_at is None:
        return None
    return {
        "reply": attendance.reply,
        "reason": attendance.reply_reason,
        "starts_at": attendance.reply_starts_at,
        "replied_at": attendance.replied_at,
        "late": attendance.replied_at >= attendance.starts_at,
        "late_cancellation": attendance.late_cancellation,
        "asks_to_move": attendance.asks_to_move,
    }


def _arrival(attendance: Attendance) -> dict[str, Any] | None:
    if attendance.arrived_at is None:
        return None
    placement = "in_window" if attendance.arrived else "outside_window"
    return {
        "placement": placement,
        "arrived_at": attendance.arrived_at,
        "way": attendance.arrival_way or "checked_in",
        "confirmed": attendance.arrival_confirmed,
    }


def _mark(attendance: Attendance) -> dict[str, Any] | None:
    if attendance.mark is None:
        return None
    return {
        "mark": attendance.mark,
        "minutes": attendance.minutes,
        "arrived_at": attendance.came_at,
        "left_at": attendance.left_at,
        "marked_at": attendance.marked_at,
    }


_OF_SERIES = ("location_id", "room", "join_url", "capacity", "split_from_id", "version")


def series(shown: SessionSeries) -> dict[str, Any]:
    """The series as the clinic wrote it."""
    own = ("id", "kind", "title", "title_es", "duration_minutes", "time_zone", "rrule", "modality", "facilitator")
    return {
        **{name: getattr(shown, name) for name in (*own, *_OF_SERIES)},
        "program": shown.program_slug,
        "first_on": shown.first_starts_local.date(),
        "starts_local": shown.first_starts_local.time(),
    }

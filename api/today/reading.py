"""Today as one statement: the level, the next sessions, what is due, the week's minutes, and until when it holds.

`schemas.today.TodayAnswer` is the same shape; tests hold the two together. `valid_until` is the last part of the
tag, so that a phone that polls is answered without anything being rendered, and the view reads it from there.
"""

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from api import hotjson
from api.checkins import due
from api.enrollments import service as enrollments
from api.enrollments.models import Enrollment
from api.hotread import HotRead, Reading
from api.patients import zones
from api.patients.models import Patient, PatientVersion
from api.programs.models import CatalogueVersion, Program, ProgramRevision
from api.sessions import listing
from api.sessions.models import CHECK_IN_LEAD, Attendance, CareSession

NEXT_SESSIONS = 3
LONGEST_SESSION = timedelta(hours=12)
AT = sa.bindparam("at", type_=sa.DateTime(timezone=True))


def _text(word: str) -> sa.ColumnElement[Any]:
    return sa.literal_column(f"'{word}'")


def _own(caller: sa.CTE, column: Any, patient_id: Any) -> sa.ScalarSelect[Any]:
    return sa.select(column).where(patient_id == caller.c.id).correlate(caller).scalar_subquery()


def _about(caller: sa.CTE) -> list[sa.Label[str]]:
    zone = sa.func.coalesce(_own(caller, Patient.time_zone, Patient.id), sa.bindparam("clinic_zone", type_=sa.Text))
    spoken = sa.func.coalesce(_own(caller, Patient.language, Patient.id), sa.bindparam("language", type_=sa.Text))
    return [zone.label("zone"), spoken.label("language")]


def _week_begins(caller: sa.CTE) -> sa.ColumnElement[Any]:
    """Monday's first moment, as a wall time in the patient's zone."""
    return sa.func.date_trunc(_text("week"), sa.func.timezone(caller.c.zone, AT))


def _level(caller: sa.CTE) -> sa.ScalarSelect[Any]:
    name = sa.func.coalesce(
        ProgramRevision.content["name"][caller.c.language].astext, ProgramRevision.content["name"]["en"].astext
    )
    level = hotjson.object_(
        hotjson.word("enrollment_id", Enrollment.id),
        hotjson.text("program", Enrollment.program_slug),
        hotjson.text("name", name),
        hotjson.word("status", Enrollment.status),
        hotjson.word("since", hotjson.utc(Enrollment.starts_at)),
    )
    published = sa.and_(ProgramRevision.program_id == Program.id, ProgramRevision.number == Program.current_revision)
    return (
        sa.select(level)
        .select_from(Enrollment)
        .join(Program, Program.slug == Enrollment.program_slug)
        .join(ProgramRevision, published)
        .where(Enrollment.patient_id == caller.c.id, enrollments.holds_at(AT))
        .correlate(caller)
        .scalar_subquery()
    )


def _coming(caller: sa.CTE) -> list[sa.ColumnElement[bool]]:
    """The running session and those after it; the start bounds the index range, since no session lasts that long."""
    return [
        *listing.places(caller),
        Attendance.starts_at > AT - LONGEST_SESSION,
        Attendance.ends_at > AT,
        CareSession.status == _text("scheduled"),
    ]


def _sessions(caller: sa.CTE) -> sa.ScalarSelect[Any]:
    open_now = sa.and_(Attendance.starts_at - CHECK_IN_LEAD <= AT, Attendance.ends_at > AT)
    members = [*listing.members(CareSession, Attendance, caller.c.language), hotjson.value("check_in_open", open_now)]
    rows = (
        sa.select(hotjson.object_(*members).label("item"))
        .select_from(sa.join(Attendance, CareSession, CareSession.id == Attendance.session_id))
        .where(*_coming(caller))
        .order_by(Attendance.starts_at, Attendance.session_id)
        .limit(sa.literal_column(str(NEXT_SESSIONS)))
        .correlate(caller)
        .lateral("coming")
    )
    return _listed(caller, rows)


def _check_ins(caller: sa.CTE) -> sa.ScalarSelect[Any]:
    window = due.due_now(caller.c.id, AT).correlate(caller).subquery("due")
    asked = hotjson.object_(
        hotjson.word("instrument", window.c.instrument),
        hotjson.word("state", window.c.state),
        hotjson.text("time_zone", window.c.time_zone),
        hotjson.word("opens_at", hotjson.utc(window.c.opens_at)),
        hotjson.word("overdue_at", hotjson.utc(window.c.overdue_at)),
        hotjson.word("closes_at", hotjson.utc(window.c.closes_at)),
    )
    rows = sa.select(asked.label("item")).order_by(window.c.closes_at, window.c.instrument).lateral("asked")
    return _listed(caller, rows)


def _listed(caller: sa.CTE, rows: Any) -> sa.ScalarSelect[Any]:
    return sa.select(hotjson.array(rows.c.item)).select_from(rows).correlate(caller).scalar_subquery()


def _week(caller: sa.CTE) -> sa.ColumnElement[Any]:
    begins = _week_begins(caller)
    minutes = (
        sa.select(sa.func.coalesce(sa.func.sum(Attendance.minutes), 0))
        .where(
            *listing.places(caller),
            Attendance.mark == _text("present"),
            Attendance.starts_at >= sa.func.timezone(caller.c.zone, begins),
            Attendance.starts_at <= AT,
        )
        .correlate(caller)
        .scalar_subquery()
    )
    starts_on = sa.func.to_char(begins, _text("YYYY-MM-DD"))
    return hotjson.object_(
        hotjson.word("starts_on", starts_on),
        hotjson.text("time_zone", caller.c.zone),
        hotjson.value("attended_minutes", minutes),
    )


def _valid_until(caller: sa.CTE) -> sa.ColumnElement[Any]:
    """The next instant at which the clock alone changes the answer; at the latest the patient's next midnight."""
    midnight = sa.func.timezone(
        caller.c.zone,
        sa.func.date_trunc(_text("day"), sa.func.timezone(caller.c.zone, AT)) + sa.literal_column("interval '1 day'"),
    )
    return sa.func.least(midnight, _next_of_sessions(caller), _next_of_check_ins(caller), _next_of_level(caller))


def _next_of_sessions(caller: sa.CTE) -> sa.ScalarSelect[Any]:
    coming = (
        sa.select((Attendance.starts_at - CHECK_IN_LEAD).label("opens_at"), Attendance.ends_at)
        .join(CareSession, CareSession.id == Attendance.session_id)
        .where(*_coming(caller))
        .order_by(Attendance.starts_at, Attendance.session_id)
        .limit(sa.literal_column(str(NEXT_SESSIONS)))
        .correlate(caller)
        .lateral("edges")
    )
    opening = sa.func.min(coming.c.opens_at).filter(coming.c.opens_at > AT)
    return sa.select(sa.func.least(opening, sa.func.min(coming.c.ends_at))).correlate(caller).scalar_subquery()


def _next_of_check_ins(caller: sa.CTE) -> sa.ScalarSelect[Any]:
    window = due.windows_at(caller.c.id, AT).correlate(caller).subquery("windows")
    edges = (window.c.opens_at, window.c.overdue_at, window.c.closes_at, window.c.next_opens_at)
    nearest = sa.func.least(*(sa.func.min(edge).filter(edge > AT) for edge in edges))
    return sa.select(nearest).correlate(caller).scalar_subquery()


def _next_of_level(caller: sa.CTE) -> sa.ScalarSelect[Any]:
    edges = (Enrollment.starts_at, Enrollment.ended_at)
    nearest = sa.func.least(*(sa.func.min(edge).filter(edge > AT) for edge in edges))
    return (
        sa.select(nearest)
        .where(Enrollment.patient_id == caller.c.id, enrollments.held())
        .correlate(caller)
        .scalar_subquery()
    )


def reading(caller: sa.CTE) -> Reading:
    version = _own(caller, PatientVersion.version, PatientVersion.patient_id)
    catalogue = sa.select(CatalogueVersion.version).scalar_subquery()
    body = hotjson.object_(
        hotjson.value("sessions", _sessions(caller)),
        hotjson.value("level", _level(caller)),
        hotjson.value("check_ins_due", _check_ins(caller)),
        hotjson.value("week", _week(caller)),
    )
    return Reading(
        tag=sa.func.concat_ws(_text("."), version, catalogue, caller.c.language, hotjson.utc(_valid_until(caller))),
        body=body,
    )


TODAY = HotRead(reading, about=_about)


def language_of(tag: str) -> str:
    """The language of an answer that carries `tag`."""
    return tag.split(".")[2]


def parameters(*, at: Any, language: str) -> dict[str, Any]:
    """What the statement is asked with: the instant, and the clinic's zone for whoever has set none."""
    return {"at": at, "language": language, "clinic_zone": zones.clinic()}

"""Single sessions: moved, cancelled and restored on their own, and shown to the clinic."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, events, pages
from api.patients import versions
from api.sessions import calendar, members, places, series
from api.sessions.events import (
    SessionCancelled,
    SessionDetailsChanged,
    SessionMoved,
    SessionRestored,
    SessionScheduled,
)
from api.sessions.models import Attendance, CareSession


class SessionBegun(errors.Conflict):
    title = "The session has begun"
    detail = "A session that has begun can no longer be moved, cancelled or restored, and one that is over not changed."
    title_es = "La sesión ya comenzó"
    detail_es = "Una sesión que ya comenzó no se puede mover, cancelar ni restablecer, y una terminada no se cambia."


def change(
    *,
    session_id: UUID,
    starts_at: datetime,
    duration_minutes: int,
    status: str,
    details: Mapping[str, Any],
    expected: int | None,
    at: datetime,
) -> CareSession:
    """Make one session what is given; its series will leave it so. ``expected`` is the version last read, None for any.

    Raises ``errors.NotFound``, ``SessionBegun``, ``errors.Invalid`` for a start that does not lie ahead or no location,
    ``errors.PreconditionFailed``.
    """
    session = _locked(session_id)
    starts_at = starts_at.replace(microsecond=0)
    ends_at = starts_at + timedelta(minutes=duration_minutes)
    moves = (session.starts_at, session.ends_at) != (starts_at, ends_at)
    _check_time(session, reschedules=moves or session.status != status, starts_at=starts_at, at=at)
    series.check_place(details)
    concerned = _touch(session, restores=session.cancelled and status == "scheduled")
    _claim(session, expected)
    moved = calendar.reschedule(session, starts_at=starts_at, ends_at=ends_at)
    turned = calendar.set_status(session, status)
    altered = calendar.alter(session, details)
    _carry_out(session, moved=moved, turned=turned, altered=altered, concerned=concerned, at=at)
    return session


def one(*, session_id: UUID) -> CareSession:
    """Raises ``errors.NotFound``."""
    if (session := db.session().get(CareSession, session_id)) is None:
        raise errors.NotFound
    return session


def roster(*, session_id: UUID) -> list[Attendance]:
    """The places in a session with what was said about each, in the order of the patients' ids."""
    found = sa.select(Attendance).where(Attendance.session_id == session_id, Attendance.status == "booked")
    return list(db.session().scalars(found.order_by(Attendance.patient_id)))


def listed(
    *, since: datetime, until: datetime, series_id: UUID | None, asked: int, page_token: str | None
) -> tuple[list[CareSession], str | None]:
    """Sessions that start in the window (``until`` excluded), in order of time, and the next page's token."""
    found = sa.select(CareSession).where(CareSession.starts_at >= since, CareSession.starts_at < until)
    if series_id is not None:
        found = found.where(CareSession.series_id == series_id)
    return pages.page(
        found,
        keys=[CareSession.starts_at, CareSession.id],
        asked=asked,
        page_token=page_token,
        bound_to=("clinic-sessions", since, until, series_id),
    )


def _locked(session_id: UUID) -> CareSession:
    """The session, with its series held first: the order of locks of every verb here."""
    if (series_id := one(session_id=session_id).series_id) is not None:
        series.locked(series_id)
    session = db.session().get(CareSession, session_id, with_for_update={"key_share": True}, populate_existing=True)
    assert session is not None, "sessions are never deleted"
    return session


def _check_time(session: CareSession, *, reschedules: bool, starts_at: datetime, at: datetime) -> None:
    if session.ends_at <= at or (reschedules and session.starts_at <= at):
        raise SessionBegun
    if reschedules and starts_at <= at:
        raise errors.Invalid([("/starts_at", "Must lie ahead.")])


def _touch(session: CareSession, *, restores: bool) -> tuple[UUID, ...]:
    """Lock whoever has a place, and for a restored session whoever joined its series meanwhile."""
    concerned = set(places.holders([session.id]))
    if restores and session.series_id is not None:
        concerned |= {member.patient_id for member in members.of_series(series_id=session.series_id)}
    return tuple(sorted(versions.touch(concerned)))


def _claim(session: CareSession, expected: int | None) -> None:
    """The version is compared inside the UPDATE: of two writers who read the same one, the second gets 412."""
    claimed = db.session().execute(
        sa.update(CareSession)
        .where(CareSession.id == session.id, sa.true() if expected is None else CareSession.version == expected)
        .values(version=CareSession.version + 1)
        .returning(CareSession)
        .execution_options(populate_existing=True)
    )
    if claimed.first() is None:
        raise errors.PreconditionFailed


def _carry_out(
    session: CareSession, *, moved: bool, turned: bool, altered: bool, concerned: tuple[UUID, ...], at: datetime
) -> None:
    """Let the places follow, and tell whoever plans by them. A move of a cancelled session is no news by itself."""
    if moved or turned or altered:
        session.exception = True
        db.session().flush()
        places.follow([session.id])
    joined = places.book([session.id], concerned) if turned and not session.cancelled else []
    news = (
        (SessionCancelled, turned and session.cancelled),
        (SessionRestored, turned and not session.cancelled),
        (SessionScheduled, bool(joined)),
        (SessionMoved, moved and not turned and not session.cancelled),
        (SessionDetailsChanged, altered and not (moved or turned)),
    )
    for fact, happened in news:
        if happened:
            events.announce(fact(concerned, (session.id,), at))

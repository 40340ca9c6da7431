"""Single sessions: moved, cancelled and restored on their own, and shown to the clinic."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, events, pages
from api.patients import versions
from api.sessions import calendar, doubles, members, places, series, shut
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
    for_good: bool = False,
    override: doubles.Override | None = None,
    at: datetime,
) -> CareSession:
    """Make one session what is given; its series will leave it so. ``expected`` is the version last read, None for any.
    ``for_good``: cancelled whatever becomes of the closure that cancelled it, which is no news to anybody.

    Raises ``errors.NotFound``, ``SessionBegun``, ``errors.Invalid`` for a start that does not lie ahead or no location,
    ``errors.PreconditionFailed``, ``shut.PlaceClosed``, ``doubles.DoubleBooked``.
    """
    one(session_id=session_id)
    series.check_place(details)
    session = _locked(session_id)
    starts_at = starts_at.replace(microsecond=0)
    ends_at = starts_at + timedelta(minutes=duration_minutes)
    moves = (session.starts_at, session.ends_at) != (starts_at, ends_at)
    _check_time(session, reschedules=moves or session.status != status, starts_at=starts_at, at=at)
    concerned = _touch(session, restores=session.cancelled and status == "scheduled")
    _claim(session, expected)
    place = _place_of(session)
    moved = calendar.reschedule(session, starts_at=starts_at, ends_at=ends_at)
    turned = session.status != status and calendar.set_status(session, status)
    if for_good:
        calendar.keep_cancelled(session)
    altered = calendar.alter(session, details)
    if moved or turned or _place_of(session) != place:
        _check_open(session, at)
    joined = _let_follow(session, changed=moved or turned or altered, turned=turned, concerned=concerned)
    if moved or turned:
        doubles.check([session.id], patient_ids=concerned, override=override)
    _tell(session, moved=moved, turned=turned, altered=altered, joined=joined, concerned=concerned, at=at)
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
    one(session_id=session_id)
    while (series_id := _series_of(session_id)) is not None:
        series.locked(series_id)
        if _series_of(session_id) == series_id:
            break
    session = db.session().get(CareSession, session_id, with_for_update={"key_share": True}, populate_existing=True)
    assert session is not None, "sessions are never deleted"
    return session


def _series_of(session_id: UUID) -> UUID | None:
    """Asked again once the series is held: meanwhile the session may have been handed over to another one."""
    return db.session().scalar(sa.select(CareSession.series_id).where(CareSession.id == session_id))


def _check_time(session: CareSession, *, reschedules: bool, starts_at: datetime, at: datetime) -> None:
    if session.ends_at <= at or (reschedules and session.starts_at <= at):
        raise SessionBegun
    if reschedules and starts_at <= at:
        raise errors.Invalid([("/starts_at", "Must lie ahead.")])


def _place_of(session: CareSession) -> tuple[UUID | None, str]:
    return session.location_id, session.modality


def _check_open(session: CareSession, at: datetime) -> None:
    if session.cancelled:
        return
    closures = shut.Closures(calendar.details_of(session), at=at)
    if closures.over(session.starts_at, session.ends_at) is not None:
        raise shut.PlaceClosed


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


def _let_follow(session: CareSession, *, changed: bool, turned: bool, concerned: tuple[UUID, ...]) -> list[UUID]:
    """Let the places follow; returns the session if somebody got a place in it that they did not have."""
    if changed:
        session.exception = True
        db.session().flush()
        places.follow([session.id])
    return places.book([session.id], concerned) if turned and not session.cancelled else []


def _tell(
    session: CareSession,
    *,
    moved: bool,
    turned: bool,
    altered: bool,
    joined: list[UUID],
    concerned: tuple[UUID, ...],
    at: datetime,
) -> None:
    """Tell whoever plans by sessions. A move of a cancelled session is no news by itself."""
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

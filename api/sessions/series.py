"""Series: scheduled, changed for what is to come, and extended with time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, events, pages
from api.patients import versions
from api.programs import locations
from api.programs import service as programs
from api.sessions import calendar, places, recurrence
from api.sessions.events import (
    SessionCancelled,
    SessionDetailsChanged,
    SessionMoved,
    SessionRestored,
    SessionScheduled,
)
from api.sessions.models import Attendance, CareSession, SeriesMember, SessionSeries


def schedule(*, details: Mapping[str, Any], at: datetime) -> SessionSeries:
    """Begin a series. Sessions are made from ``at`` on, also when the rule began earlier.

    Raises ``errors.Invalid`` for a rule that is not a bounded weekly one, or that has nothing left to come, and what
    ``check_place`` raises.
    """
    check_place(details)
    series = SessionSeries(id=db.uuid7(), version=1, **details)
    _check_rule(series, at)
    db.session().add(series)
    db.session().flush()
    _carry_out(calendar.reconcile(series, at=at), (), at)
    return series


def change(*, series_id: UUID, details: Mapping[str, Any], expected: int | None, at: datetime) -> SessionSeries:
    """Change what is to come of a series; what has begun stays. ``expected`` is the version last read, None for any.

    Raises ``errors.NotFound``, ``errors.Invalid``, ``errors.PreconditionFailed``, and what ``check_place`` raises.
    """
    if locked(series_id).kind != details["kind"]:
        raise errors.Invalid([("/kind", "A series stays what it is; schedule another one.")])
    check_place(details)
    concerned = tuple(versions.touch(_concerned(series_id, at)))
    series = _rewrite(series_id, details, expected)
    _check_rule(series)
    _carry_out(calendar.reconcile(series, at=at), concerned, at)
    return series


def extend(*, series_id: UUID, at: datetime) -> int:
    """Make the sessions that have come within the horizon, with places for the members; returns how many."""
    series = locked(series_id)
    concerned = tuple(versions.touch(_concerned(series_id, at)))
    changes = calendar.reconcile(series, at=at)
    _carry_out(changes, concerned, at)
    return len(changes.made)


def one(*, series_id: UUID) -> SessionSeries:
    """Raises ``errors.NotFound``."""
    if (series := db.session().get(SessionSeries, series_id)) is None:
        raise errors.NotFound
    return series


def listed(*, program: str | None, asked: int, page_token: str | None) -> tuple[list[SessionSeries], str | None]:
    """Series, oldest first, and the next page's token."""
    found = sa.select(SessionSeries)
    if program is not None:
        found = found.where(SessionSeries.program_slug == program)
    bound_to = ("session-series", program)
    return pages.page(found, keys=[SessionSeries.id], asked=asked, page_token=page_token, bound_to=bound_to)


def locked(series_id: UUID) -> SessionSeries:
    """The series, held against every other change of it, of its members and of its sessions.

    The lock comes before those of the patients' versions, in every verb that takes both. Raises ``errors.NotFound``.
    """
    series = db.session().get(SessionSeries, series_id, with_for_update={"key_share": True}, populate_existing=True)
    if series is None:
        raise errors.NotFound
    return series


def check_place(details: Mapping[str, Any]) -> None:
    """Raises ``errors.Invalid`` for a location that is not there, and what ``programs.offered`` raises."""
    if (program := details.get("program_slug")) is not None:
        programs.offered(program)
    if (location_id := details.get("location_id")) is None:
        return
    try:
        locations.row(location_id)
    except errors.NotFound:
        raise errors.Invalid([("/location_id", "There is no such location.")]) from None


def _check_rule(series: SessionSeries, at: datetime | None = None) -> None:
    try:
        meetings = calendar.occurrences(series)
    except recurrence.RuleRefused as refused:
        raise errors.Invalid([("/rrule", str(refused))]) from None
    if at is not None and meetings[-1].starts_at <= at:
        raise errors.Invalid([("/rrule", "The last session of this series would already be over.")])


def _concerned(series_id: UUID, at: datetime) -> set[UUID]:
    """Members, and whoever kept a place in a coming session after leaving."""
    members = sa.select(SeriesMember.patient_id).where(SeriesMember.series_id == series_id, _staying(at))
    holders = sa.select(Attendance.patient_id).where(
        Attendance.session_id == CareSession.id,
        Attendance.status == "booked",
        CareSession.series_id == series_id,
        CareSession.starts_at > at,
    )
    return set(db.session().scalars(sa.union(members, holders)))


def _staying(at: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(SeriesMember.left_at.is_(None), SeriesMember.left_at > at)


def _rewrite(series_id: UUID, details: Mapping[str, Any], expected: int | None) -> SessionSeries:
    """The version is compared inside the UPDATE: of two writers who read the same one, the second gets 412."""
    rewritten = db.session().scalar(
        sa.update(SessionSeries)
        .where(SessionSeries.id == series_id, sa.true() if expected is None else SessionSeries.version == expected)
        .values(**details, version=SessionSeries.version + 1)
        .returning(SessionSeries)
        .execution_options(populate_existing=True)
    )
    if rewritten is None:
        raise errors.PreconditionFailed
    return rewritten


def _carry_out(changes: calendar.Changes, concerned: tuple[UUID, ...], at: datetime) -> None:
    """Let the places follow, and tell whoever plans by them."""
    places.follow([*changes.moved, *changes.cancelled, *changes.restored, *changes.altered])
    places.book([*changes.made, *changes.restored], concerned)
    news = (
        (SessionScheduled, changes.made),
        (SessionMoved, changes.moved),
        (SessionCancelled, changes.cancelled),
        (SessionRestored, changes.restored),
        (SessionDetailsChanged, changes.altered),
    )
    for fact, session_ids in news:
        if session_ids:
            events.announce(fact(tuple(sorted(concerned)), tuple(session_ids), at))

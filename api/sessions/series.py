"""Series: scheduled, changed for what is to come, and extended with time."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, pages
from api.patients import versions
from api.programs import locations
from api.programs import service as programs
from api.sessions import calendar, capacity, carrying, doubles, losses, recurrence, shut
from api.sessions.models import SessionSeries


class Changed(NamedTuple):
    """A series as it now is, and what its coming sessions could not keep."""

    series: SessionSeries
    lost: Sequence[losses.Lost]


def schedule(*, details: Mapping[str, Any], at: datetime) -> SessionSeries:
    """Begin a series. Sessions are made from ``at`` on, also when the rule began earlier.

    Raises ``errors.Invalid`` for a rule that is not a bounded weekly one, or that has nothing left to come, and what
    ``check_place`` raises.
    """
    check_place(details)
    series = SessionSeries(id=db.uuid7(), version=1, **details)
    check_rule(series, at)
    capacity.check_held(series, before=0, at=at)
    db.session().add(series)
    db.session().flush()
    carrying.carry_out(calendar.reconcile(series, at=at), (), override=None, at=at)
    return series


def change(
    *,
    series_id: UUID,
    details: Mapping[str, Any],
    expected: int | None,
    override: doubles.Override | None = None,
    at: datetime,
) -> Changed:
    """Change what is to come of a series; what has begun stays. ``expected`` is the version last read, None for any.

    Raises ``errors.NotFound``, ``errors.Invalid``, ``errors.PreconditionFailed``, ``doubles.DoubleBooked``, and what
    ``check_place`` raises.
    """
    one(series_id=series_id)
    check_place(details)
    series = locked(series_id)
    check_kind(series, details)
    held, before = capacity.of(series), days_of(series)
    concerned = tuple(versions.touch(carrying.concerned(series_id, at)))
    series = rewrite(series_id, details, expected)
    check_rule(series)
    capacity.check_held(series, before=held, at=at)
    changes = calendar.reconcile(series, at=at, before=before)
    return Changed(series, carrying.carry_out(changes, concerned, override=override, at=at))


def extend(*, series_id: UUID, at: datetime) -> int:
    """Make the sessions that have come within the horizon, with places for the members; returns how many.

    Nobody is there to ask about a patient's other sessions, so nothing is refused for them.
    """
    if (location_id := one(series_id=series_id).location_id) is not None:
        locations.hold(location_id)
    series = locked(series_id)
    concerned = tuple(versions.touch(carrying.concerned(series_id, at)))
    changes = calendar.reconcile(series, at=at)
    carrying.carry_out(changes, concerned, override=doubles.Override(), at=at)
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
    """Look at what the details name, and hold the location's closures: this comes before every other lock.

    Raises ``errors.Invalid`` for a location that is not there or a link that nobody needs, and what
    ``programs.offered`` raises.
    """
    if (program := details.get("program_slug")) is not None:
        programs.offered(program)
    if details.get("join_url") is not None and details["modality"] == shut.IN_PERSON:
        raise errors.Invalid([("/join_url", "Only a telehealth or hybrid session is joined by a link.")])
    if (location_id := details.get("location_id")) is None:
        return
    locations.hold(location_id)
    try:
        locations.row(location_id)
    except errors.NotFound:
        raise errors.Invalid([("/location_id", "There is no such location.")]) from None


def check_kind(series: SessionSeries, details: Mapping[str, Any]) -> None:
    """Raises ``errors.Invalid`` for another kind than the series has."""
    if series.kind != details["kind"]:
        raise errors.Invalid([("/kind", "A series stays what it is; schedule another one.")])


def check_rule(series: SessionSeries, at: datetime | None = None) -> None:
    """Raises ``errors.Invalid`` for a rule that no series may have, or that is over at ``at``."""
    try:
        meetings = calendar.occurrences(series)
    except recurrence.RuleRefused as refused:
        raise errors.Invalid([("/rrule", str(refused))]) from None
    if at is not None and meetings[-1].starts_at <= at:
        raise errors.Invalid([("/rrule", "The last session of this series would already be over.")])


def days_of(series: SessionSeries) -> frozenset[date]:
    """The days of the rule, past ones included."""
    return frozenset(one.on for one in calendar.occurrences(series))


def rewrite(series_id: UUID, columns: Mapping[str, Any], expected: int | None) -> SessionSeries:
    """The version is compared inside the UPDATE: of two writers who read the same one, the second gets 412."""
    rewritten = db.session().scalar(
        sa.update(SessionSeries)
        .where(SessionSeries.id == series_id, sa.true() if expected is None else SessionSeries.version == expected)
        .values(**columns, version=SessionSeries.version + 1)
        .returning(SessionSeries)
        .execution_options(populate_existing=True)
    )
    if rewritten is None:
        raise errors.PreconditionFailed
    return rewritten

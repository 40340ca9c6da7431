"""A change of "this and later": the series ends before that day, and another one goes on with its members.

The coming sessions are handed over, not made anew: they keep their ids, and with these what patients said and what the
clinic recorded. So one that gets another hour has moved, and is not cancelled here and scheduled there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors
from api.patients import versions
from api.sessions import calendar, capacity, carrying, doubles, recurrence, series
from api.sessions.models import CareSession, SeriesMember, SessionSeries

A_DAY = timedelta(days=1)


class SplitInThePast(errors.Conflict):
    title = "That part of the series has begun"
    detail = "A series can be changed from a session on that has not begun."
    title_es = "Esa parte de la serie ya comenzó"
    detail_es = "Una serie se puede cambiar a partir de una sesión que aún no haya comenzado."


@dataclass(frozen=True)
class Since:
    """Where "this and later" begins: with a session of the series, or with its first one on or after a local day."""

    session_id: UUID | None = None
    on: date | None = None


def change(
    *,
    series_id: UUID,
    details: Mapping[str, Any],
    since: Since,
    expected: int | None,
    override: doubles.Override | None = None,
    at: datetime,
) -> series.Changed:
    """Let a new series with these details go on from ``since``; returns it. ``expected`` is the version of the old one.

    Details whose first day lies earlier describe the series as a whole: what is left of their rule goes on. Where
    nothing would stay behind, the series itself is changed. Raises what ``series.change`` raises, ``SplitInThePast``,
    and ``errors.BadRequest`` for a ``since`` that is no part of the series.
    """
    series.one(series_id=series_id)
    series.check_place(details)
    old = series.locked(series_id)
    if expected not in (None, old.version):
        raise errors.PreconditionFailed
    series.check_kind(old, details)
    day = _first_day(old, since, at)
    if day <= old.first_starts_local.date():
        return series.change(series_id=series_id, details=details, expected=expected, override=override, at=at)
    held, before = capacity.of(old), series.days_of(old)
    concerned = tuple(versions.touch(carrying.concerned(series_id, at)))
    _end(old, day, expected)
    new = _go_on(old, details, day, at)
    capacity.check_held(new, before=held, at=at)
    changes = calendar.reconcile(new, at=at, before=before)
    return series.Changed(new, carrying.carry_out(changes, concerned, override=override, at=at))


def _first_day(old: SessionSeries, since: Since, at: datetime) -> date:
    if since.session_id is not None:
        return _day_of(old, since.session_id, at)
    assert since.on is not None, "a part of a series begins with a session or on a day"
    later = (one for one in calendar.occurrences(old) if one.on >= since.on)
    if (first := next(later, None)) is None:
        raise errors.BadRequest("The series has no session on that day or later.")
    if first.starts_at <= at:
        raise SplitInThePast
    return first.on


def _day_of(old: SessionSeries, session_id: UUID, at: datetime) -> date:
    session = db.session().get(CareSession, session_id)
    if session is None or session.series_id != old.id or session.occurs_on is None:
        raise errors.BadRequest("The session is not one of this series.")
    if session.starts_at <= at:
        raise SplitInThePast
    return session.occurs_on


def _end(old: SessionSeries, day: date, expected: int | None) -> None:
    """Bound the old rule; once all of its sessions are made, it is not extended any more."""
    old = series.rewrite(old.id, {"rrule": recurrence.ended(old.rrule, last=day - A_DAY)}, expected)
    if old.made_until is not None and calendar.occurrences(old)[-1].starts_at <= old.made_until:
        old.made_until = None


def _go_on(old: SessionSeries, details: Mapping[str, Any], day: date, at: datetime) -> SessionSeries:
    new = SessionSeries(id=db.uuid7(), version=1, split_from_id=old.id, **_rest(details, day))
    series.check_rule(new, at)
    db.session().add(new)
    db.session().flush()
    _hand_over(old, new, day)
    _take_along(old, new, at)
    return new


def _rest(details: Mapping[str, Any], day: date) -> dict[str, Any]:
    try:
        first, rule = recurrence.onward(details["rrule"], details["first_starts_local"], since=day)
    except recurrence.RuleRefused as refused:
        raise errors.Invalid([("/rrule", str(refused))]) from None
    return {**details, "first_starts_local": first, "rrule": rule}


def _hand_over(old: SessionSeries, new: SessionSeries, day: date) -> None:
    """Also one that began before its turn: its day is the new rule's, which shall not make it again."""
    db.session().execute(
        sa.update(CareSession)
        .where(CareSession.series_id == old.id, CareSession.occurs_on >= day)
        .values(series_id=new.id, version=CareSession.version + 1)
        .execution_options(synchronize_session="fetch")
    )


def _take_along(old: SessionSeries, new: SessionSeries, at: datetime) -> None:
    """The members belong to both: to what is left of the old series, and to the new one as long as they did before."""
    stays = sa.select(SeriesMember).where(SeriesMember.series_id == old.id, carrying.staying(at))
    for stay in db.session().scalars(stays.order_by(SeriesMember.id)).all():
        kept = {name: getattr(stay, name) for name in ("patient_id", "joined_at", "left_at", "ended_by")}
        db.session().add(SeriesMember(id=db.uuid7(), series_id=new.id, **kept))
    db.session().flush()


def onward(series_id: UUID) -> list[UUID]:
    """The series and those that go on from it, in the order of their ids, which is that of their beginnings."""
    line = sa.select(SessionSeries.id).where(SessionSeries.id == series_id).cte("line", recursive=True)
    later = sa.select(SessionSeries.id).join(line, SessionSeries.split_from_id == line.c.id)
    return list(db.session().scalars(sa.select(line.union(later).c.id).order_by("id")))

"""A location closes: its sessions in person are cancelled, and restored once the closure is taken back.

A closure leaves its id on what it cancelled, so that its end restores exactly that. Everything is done by a few
statements for all sessions together, in the order of locks of every verb here: the location (held by who announces),
series, sessions, patients' versions.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from api import db, events
from api.patients import versions
from api.programs import events as programs
from api.programs.models import LocationClosure
from api.sessions import places, shut
from api.sessions.events import SessionCancelled, SessionRestored, SessionScheduled
from api.sessions.models import CareSession, SeriesMember, SessionSeries


def close(fact: programs.LocationClosed) -> None:
    """Cancel the sessions in person that have not begun and touch the closure; what is cancelled already stays so."""
    needed = sa.and_(
        CareSession.location_id == fact.location_id,
        CareSession.modality == shut.IN_PERSON,
        CareSession.status == "scheduled",
        CareSession.starts_at > fact.at,
        CareSession.starts_at < fact.ends_at,
        CareSession.ends_at > fact.starts_at,
    )
    if not (session_ids := _locked(needed)):
        return
    concerned = tuple(sorted(versions.touch(places.holders(session_ids))))
    _turn(session_ids, status="cancelled", cancelled_by=fact.closure_id)
    places.follow(session_ids)
    events.announce(SessionCancelled(concerned, tuple(session_ids), fact.at))


def open_again(fact: programs.LocationOpened) -> None:
    """Restore what this closure cancelled and has not begun. What lies under another closure is that one's from now on.

    Whoever joined a series meanwhile gets a place. Nothing is refused for a patient's other sessions: what was
    promised before the closure holds again.
    """
    cancelled = sa.and_(CareSession.cancelled_by == fact.closure_id, CareSession.starts_at > fact.at)
    if not (session_ids := _locked(cancelled)):
        return
    handed_over = _hand_over(session_ids, fact)
    if restored := [one for one in session_ids if one not in handed_over]:
        _restore(restored, fact.at)


def _restore(session_ids: list[UUID], at: datetime) -> None:
    concerned = tuple(sorted(versions.touch({*places.holders(session_ids), *_members(session_ids)})))
    _turn(session_ids, status="scheduled", cancelled_by=None)
    places.follow(session_ids)
    joined = places.book(session_ids, concerned)
    events.announce(SessionRestored(concerned, tuple(session_ids), at))
    if joined:
        events.announce(SessionScheduled(concerned, tuple(joined), at))


def _locked(which: sa.ColumnElement[bool]) -> list[UUID]:
    """The sessions, held with their series against every other change, in the order of their ids."""
    series_ids = sa.select(CareSession.series_id).where(which)
    series = sa.select(SessionSeries.id).where(SessionSeries.id.in_(series_ids)).order_by(SessionSeries.id)
    db.session().execute(series.with_for_update(key_share=True))
    sessions = sa.select(CareSession.id).where(which).order_by(CareSession.id)
    return list(db.session().scalars(sessions.with_for_update(key_share=True)))


def _turn(session_ids: Sequence[UUID], **columns: Any) -> None:
    raised = {"revision": CareSession.revision + 1, "version": CareSession.version + 1}
    _update(CareSession.id.in_(session_ids), {**columns, **raised})


def _hand_over(session_ids: Sequence[UUID], fact: programs.LocationOpened) -> set[UUID]:
    """Give what lies under another closure of its place to that one; returns it."""
    other = sa.select(LocationClosure.id).where(
        LocationClosure.location_id == CareSession.location_id,
        LocationClosure.id != fact.closure_id,
        LocationClosure.starts_at < CareSession.ends_at,
        LocationClosure.ends_at > CareSession.starts_at,
    )
    first = other.order_by(LocationClosure.starts_at, LocationClosure.id).limit(1).correlate(CareSession)
    needed = CareSession.modality == shut.IN_PERSON
    under = sa.and_(CareSession.id.in_(session_ids), needed, first.exists())
    return set(_update(under, {"cancelled_by": first.scalar_subquery(), "version": CareSession.version + 1}))


def _update(which: sa.ColumnElement[bool], values: dict[str, Any]) -> Sequence[UUID]:
    changed = sa.update(CareSession).where(which).values(values).returning(CareSession.id)
    return db.session().scalars(changed.execution_options(synchronize_session=False)).all()


def _members(session_ids: Sequence[UUID]) -> Sequence[UUID]:
    of_series = aliased(CareSession)
    found = (
        sa.select(SeriesMember.patient_id)
        .join(of_series, of_series.series_id == SeriesMember.series_id)
        .where(of_series.id.in_(session_ids), SeriesMember.left_at.is_(None))
    )
    return db.session().scalars(found.distinct()).all()

"""Who belongs to a series: joining, leaving, and the end of an enrollment that ends a membership.

Who joins or leaves a series that was split joins or leaves what goes on from it, too: to the people in it, it is one.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, events
from api.enrollments.events import PreviewableChange
from api.patients import service as patients
from api.patients import versions
from api.sessions import capacity, doubles, places, series, splitting
from api.sessions.events import MembershipEnded, SessionScheduled
from api.sessions.models import CareSession, SeriesMember, SessionSeries


class PatientNotActive(errors.Conflict):
    title = "This patient is not active"
    detail = "Only an active patient can join a series."
    title_es = "Este paciente no está activo"
    detail_es = "Solo un paciente activo puede unirse a una serie."


def join(*, series_id: UUID, patient_id: UUID, override: doubles.Override | None = None, at: datetime) -> SeriesMember:
    """Give the patient a place in every session of the series that has not ended. Joining twice is joining once.

    Raises ``errors.NotFound``, ``PatientNotActive``, ``capacity.SeriesFull``, ``doubles.DoubleBooked``.
    """
    line = _locked(series_id)
    if (stay := _current(series_id, patient_id)) is not None:
        return stay
    if patients.one(patient_id=patient_id).status != "active":
        raise PatientNotActive
    further = [one for one in line if _current(one.id, patient_id) is None]
    for one in further:
        capacity.check_room(one, patient_id=patient_id, at=at)
    begun = [_begin(one.id, patient_id, at) for one in further]
    booked = [session_id for _, session_ids in begun for session_id in session_ids]
    doubles.check(booked, patient_ids=[patient_id], override=override)
    return begun[0][0]


def leave(*, series_id: UUID, patient_id: UUID, at: datetime) -> None:
    """Take the patient's places from ``at`` on; what was before stays. Raises ``errors.NotFound`` for no member."""
    stays = [stay for one in _locked(series_id) if (stay := _current(one.id, patient_id)) is not None]
    if not stays or stays[0].series_id != series_id:
        raise errors.NotFound
    _end(stays, patient_id=patient_id, since=at, at=at)


def _locked(series_id: UUID) -> list[SessionSeries]:
    """The series and what goes on from it, in that order; all of it is held. Raises ``errors.NotFound``.

    While one is waited for, another may go on from it.
    """
    line = {series_id: series.locked(series_id)}
    while further := [one for one in splitting.onward(series_id) if one not in line]:
        line |= {one: series.locked(one) for one in further}
    return list(line.values())


def leave_program(*, patient_id: UUID, program_slug: str, enrollment_id: UUID, since: datetime, at: datetime) -> None:
    """An enrollment ended: the patient leaves the series of its program, with what starts at ``since`` or later.

    Takes no lock on the series, because here the patient's version is locked already and the other order could
    deadlock; a series that is being changed meanwhile waits for that version and then sees the stay ended.
    """
    stays = db.session().scalars(
        sa.select(SeriesMember)
        .join(SessionSeries, SessionSeries.id == SeriesMember.series_id)
        .where(
            SeriesMember.patient_id == patient_id,
            SeriesMember.left_at.is_(None),
            SessionSeries.program_slug == program_slug,
        )
        .order_by(SeriesMember.id)
    )
    if found := list(stays):
        released = _end(found, patient_id=patient_id, since=since, at=at, enrollment_id=enrollment_id)
        _preview("removed", patient_id, released)


def come_back(*, patient_id: UUID, enrollment_id: UUID, at: datetime) -> None:
    """The end of an enrollment was recorded in error: the stays that it ended begin again now, also in what goes on
    from their series since; where the place was given to somebody else meanwhile, they do not.

    Takes no lock on the series, for the same reason.
    """
    ended = sa.select(SeriesMember).where(SeriesMember.ended_by == enrollment_id)
    stays = db.session().scalars(ended).all()
    for stay in stays:
        stay.ended_by = None
    for series_id in sorted({one for stay in stays for one in splitting.onward(stay.series_id)}):
        if _current(series_id, patient_id) is None and _has_room(series_id, patient_id, at):
            _, booked = _begin(series_id, patient_id, at)
            _preview("added", patient_id, booked)


def _has_room(series_id: UUID, patient_id: UUID, at: datetime) -> bool:
    try:
        capacity.check_room(series.one(series_id=series_id), patient_id=patient_id, at=at)
    except capacity.SeriesFull:
        return False
    return True


def of_series(*, series_id: UUID) -> Sequence[SeriesMember]:
    """The current members, in the order of joining."""
    found = sa.select(SeriesMember).where(SeriesMember.series_id == series_id, SeriesMember.left_at.is_(None))
    return db.session().scalars(found.order_by(SeriesMember.joined_at, SeriesMember.id)).all()


def _begin(series_id: UUID, patient_id: UUID, at: datetime) -> tuple[SeriesMember, list[UUID]]:
    versions.touch([patient_id])
    stay = SeriesMember(id=db.uuid7(), series_id=series_id, patient_id=patient_id, joined_at=at)
    db.session().add(stay)
    db.session().flush()
    booked = places.book(_not_over(series_id, at), [patient_id])
    if booked:
        events.announce(SessionScheduled((patient_id,), tuple(booked), at))
    return stay, booked


def _end(
    stays: Sequence[SeriesMember],
    *,
    patient_id: UUID,
    since: datetime,
    at: datetime,
    enrollment_id: UUID | None = None,
) -> list[UUID]:
    version = versions.touch([patient_id])[patient_id]
    for stay in stays:
        stay.left_at, stay.ended_by = max(since, stay.joined_at), enrollment_id
    db.session().flush()
    series_ids = [stay.series_id for stay in stays]
    released = places.release(patient_id=patient_id, series_ids=series_ids, since=since, version=version)
    events.announce(MembershipEnded((patient_id,), tuple(released), at))
    return released


def _preview(action: str, patient_id: UUID, session_ids: Sequence[UUID]) -> None:
    starts = sa.select(CareSession.id, CareSession.starts_at).where(CareSession.id.in_(session_ids))
    for session_id, starts_at in db.session().execute(starts.order_by(CareSession.starts_at, CareSession.id)):
        events.announce(PreviewableChange(patient_id, "session", action, starts_at, subject_id=session_id))


def _current(series_id: UUID, patient_id: UUID) -> SeriesMember | None:
    return db.session().scalar(
        sa.select(SeriesMember).where(
            SeriesMember.series_id == series_id,
            SeriesMember.patient_id == patient_id,
            SeriesMember.left_at.is_(None),
        )
    )


def _not_over(series_id: UUID, at: datetime) -> Sequence[UUID]:
    coming = sa.select(CareSession.id).where(
        CareSession.series_id == series_id, CareSession.status == "scheduled", CareSession.ends_at > at
    )
    return db.session().scalars(coming).all()

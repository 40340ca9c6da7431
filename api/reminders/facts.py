"""What a plan depends on, read for many patients at once: four statements, however many they are."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from api import db
from api.enrollments.models import Enrollment
from api.patients import zones
from api.patients.models import Patient
from api.reminders.models import Reminder, ReminderPreferences
from api.reminders.plan import CHANGES, Appointment, Change, Facts, Key, Placement, Said, Wishes
from api.reminders.quiet import QuietHours
from api.sessions.models import Attendance, CareSession

# How far back something said still stands in the way of something else: an evening and the longest quiet hours after
# it are well within.
REMEMBERED = timedelta(days=2)
QUIET_BEGIN, QUIET_END = time(21), time(8)


@dataclass(frozen=True, slots=True)
class Known:
    """One patient's facts, the rows of the ledger that they come from, and how to speak to the patient."""

    facts: Facts
    rows: tuple[Any, ...]
    zone: ZoneInfo
    language: str


def key(row: Any) -> Key:
    """The key of a row of the ledger."""
    return Key(row.session_id, row.revision, row.kind, row.lead)


def load(
    patient_ids: Collection[UUID],
    *,
    at: datetime,
    until: datetime | None = None,
    news: Iterable[Change] = (),
    lease: UUID | None = None,
) -> dict[UUID, Known]:
    """Facts of each patient whom the caller may see. With `until`, only of appointments that begin before it, and of
    what was said.

    `news` are changes that have just happened. Rows under another's lease count as said, since they are being said.
    """
    rows = _grouped(_rows(patient_ids, at=at, until=until, lease=lease))
    held = _grouped(_attended(patient_ids, at=at, until=until))
    placements = _placements(patient_ids, at=at)
    news = tuple(news)
    return {
        person.id: _known(person, held[person.id], rows[person.id], placements.get(person.id, []), news, at)
        for person in _people(patient_ids)
    }


def spoken_for(ids: Collection[UUID]) -> dict[UUID, list[Any]]:
    """The rows that became one with each of these, which speak for them."""
    row = Reminder.__table__.c
    merged = sa.select(*row).where(row.replaced_by.in_(ids), row.state == "held", row.reason == "merged")
    by_speaker: dict[UUID, list[Any]] = defaultdict(list)
    for found in db.session().execute(merged):
        by_speaker[found.replaced_by].append(found)
    return by_speaker


def wishes(row: Any, zone: ZoneInfo) -> Wishes:
    """A patient's own wishes, or the clinic's defaults (domain.md §4.7) for whoever has none (`row` without values)."""
    if row.quiet_begin is None:
        return Wishes(QuietHours(QUIET_BEGIN, QUIET_END, zone))
    return Wishes(
        QuietHours(row.quiet_begin, row.quiet_end, zone),
        leads=tuple(row.leads),
        first_leads=tuple(row.first_leads),
        channels=tuple(row.channels),
        paused_until=row.paused_until,
    )


def _known(
    person: Any, held: list[Any], rows: list[Any], placements: list[Placement], news: tuple[Change, ...], at: datetime
) -> Known:
    zone = ZoneInfo(person.time_zone or zones.clinic())
    facts = Facts(
        account_active=person.status == "active",
        wishes=wishes(person, zone),
        appointments=_appointments(held, rows, at),
        placements=tuple(placements),
        changes=_changes(news, rows),
        said=_said(rows),
        given_up=frozenset(key(row) for row in rows if row.state == "not_sent"),
    )
    return Known(facts, tuple(rows), zone, person.language or "en")


def _appointments(held: list[Any], rows: list[Any], at: datetime) -> tuple[Appointment, ...]:
    """What the ledger first heard of a revision is when the patient's appointment became known as it now stands."""
    heard: dict[tuple[UUID, int], datetime] = {}
    for row in rows:
        revision = row.session_id, row.revision
        heard[revision] = min(row.created_at, heard.get(revision, row.created_at))
    return tuple(
        Appointment(
            session_id=one.session_id,
            starts_at=one.starts_at,
            zone=ZoneInfo(one.time_zone),
            revision=one.revision,
            known_at=heard.get((one.session_id, one.revision), at),
            cancelled=one.status == "cancelled",
            attending=one.reply != "not_attending",
        )
        for one in held
    )


def _changes(news: tuple[Change, ...], rows: list[Any]) -> tuple[Change, ...]:
    """What is news now, and what was and has not been said. Who never heard of a cancellation need not hear that it
    was taken back."""
    unsaid = [
        Change(row.session_id, row.revision, row.kind, row.created_at)
        for row in rows
        if row.kind in CHANGES and row.state in ("planned", "held") and not (row.in_flight or row.covered)
    ]
    cancellations = {row.session_id for row in rows if row.kind == "cancelled" and (_was_said(row) or row.covered)}
    heard = [one for one in news if one.kind != "restored" or one.session_id in cancellations]
    return tuple({(one.session_id, one.revision, one.kind): one for one in (*heard, *unsaid)}.values())


def _said(rows: list[Any]) -> tuple[Said, ...]:
    of: dict[UUID, set[tuple[UUID, int]]] = defaultdict(set)
    for row in rows:
        if row.covered:
            of[row.replaced_by].add((row.session_id, row.revision))
    return tuple(Said(key(row), row.due_at, frozenset(of[row.id])) for row in rows if _was_said(row))


def _was_said(row: Any) -> bool:
    return bool(row.in_flight or row.state == "sent")


def _people(patient_ids: Collection[UUID]) -> Iterable[Any]:
    chosen = ReminderPreferences.__table__.c
    return db.session().execute(
        sa.select(
            Patient.id, Patient.status, Patient.time_zone, Patient.language,
            chosen.quiet_begin, chosen.quiet_end, chosen.leads, chosen.first_leads, chosen.channels,
            chosen.paused_until,
        )
        .outerjoin(ReminderPreferences, ReminderPreferences.patient_id == Patient.id)
        .where(Patient.id.in_(patient_ids))
    )  # fmt: skip


def _attended(patient_ids: Collection[UUID], *, at: datetime, until: datetime | None) -> Iterable[Any]:
    held = (
        sa.select(
            Attendance.patient_id, Attendance.session_id, Attendance.starts_at, Attendance.reply,
            CareSession.time_zone, CareSession.revision, CareSession.status,
        )
        .join(CareSession, CareSession.id == Attendance.session_id)
        .where(Attendance.patient_id.in_(patient_ids), Attendance.status == "booked", Attendance.starts_at > at)
        .order_by(Attendance.starts_at, Attendance.session_id)
    )  # fmt: skip
    return db.session().execute(held if until is None else held.where(Attendance.starts_at < until))


def _rows(patient_ids: Collection[UUID], *, at: datetime, until: datetime | None, lease: UUID | None) -> Iterable[Any]:
    """Rows about what lies ahead, and about what was lately said; `in_flight` under another's lease, `covered` when
    what was said, or is being said, spoke for it."""
    table = Reminder.__table__
    row, speaker = table.c, table.alias("speaker")
    in_flight = _in_flight(row, lease)
    covered = sa.and_(
        row.state == "held", row.reason == "merged", sa.or_(speaker.c.state == "sent", _in_flight(speaker.c, lease))
    )
    found = (
        sa.select(*row, in_flight.label("in_flight"), sa.func.coalesce(covered, False).label("covered"))
        .select_from(table.outerjoin(speaker, speaker.c.id == row.replaced_by))
        .where(row.patient_id.in_(patient_ids), sa.or_(row.starts_at > at, row.due_at > at - REMEMBERED))
    )
    if until is not None:
        found = found.where(sa.or_(row.starts_at < until, row.due_at <= at))
    return db.session().execute(found)


def _in_flight(row: Any, lease: UUID | None) -> sa.ColumnElement[bool]:
    """Under another's lease, also one that has ended: whether a dead worker's message went out, the next one learns."""
    return sa.and_(row.state == "planned", row.lease.is_not(None), row.lease.is_distinct_from(lease))


def _placements(patient_ids: Collection[UUID], *, at: datetime) -> dict[UUID, list[Placement]]:
    """Enrollments that last beyond `at`, also one that lies ahead, each with its first session."""
    lasting = sa.select(
        Enrollment.patient_id,
        Enrollment.starts_at,
        Enrollment.ended_at,
        (Enrollment.status == "paused").label("paused"),
        _first_session().label("first_session_id"),
    ).where(
        Enrollment.patient_id.in_(patient_ids),
        Enrollment.status != "entered_in_error",
        sa.or_(Enrollment.ended_at.is_(None), Enrollment.ended_at > at),
    )
    found = _grouped(db.session().execute(lasting))
    return {
        patient_id: [Placement(row.starts_at, row.ended_at, row.paused, row.first_session_id) for row in rows]
        for patient_id, rows in found.items()
    }


def _first_session() -> sa.ScalarSelect[UUID]:
    return (
        sa.select(Attendance.session_id)
        .join(CareSession, CareSession.id == Attendance.session_id)
        .where(
            Attendance.patient_id == Enrollment.patient_id,
            Attendance.starts_at >= Enrollment.starts_at,
            sa.or_(Enrollment.ended_at.is_(None), Attendance.starts_at < Enrollment.ended_at),
            Attendance.status == "booked",
            Attendance.reply.is_distinct_from("not_attending"),
            CareSession.status == "scheduled",
        )
        .order_by(Attendance.starts_at, Attendance.session_id)
        .limit(1)
        .correlate(Enrollment)
        .scalar_subquery()
    )


def _grouped(rows: Iterable[Any]) -> dict[UUID, list[Any]]:
    by_patient: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        by_patient[row.patient_id].append(row)
    return by_patient

"""What a plan depends on, of many patients at once: a handful of statements, however many they are."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from api.patients import zones
from api.reminders import asking, sources
from api.reminders.merge import DIGEST_LEADS
from api.reminders.quiet import QuietHours
from api.reminders.situation import CHANGES, About, Appointment, Asked, Change, Facts, Key, Placement, Said, Wishes
from api.sessions import localtime

QUIET_BEGIN, QUIET_END = time(21), time(8)


@dataclass(frozen=True, slots=True)
class Known:
    """One patient's facts, the rows of the ledger that they come from, and how to speak to the patient."""

    facts: Facts
    rows: tuple[Any, ...]
    keys: tuple[Key, ...]
    zone: ZoneInfo
    language: str


def key(row: Any) -> Key:
    """The key of a row of the ledger."""
    return Key(row.session_id, row.revision, row.kind, row.lead, row.instrument, row.opens_on)


def load(
    patient_ids: Collection[UUID],
    *,
    at: datetime,
    until: datetime | None = None,
    news: Iterable[Change] = (),
    lease: UUID | None = None,
    asked: Collection[UUID] | None = None,
) -> dict[UUID, Known]:
    """Facts of each patient whom the caller may see. With `until`, only of appointments that begin before it, and of
    what was said. With `asked`, only check-ins of these patients that are open now.

    `news` are changes that have just happened. Rows under another's lease count as said, since they are being said.
    """
    rows = sources.grouped(sources.rows(patient_ids, at=at, until=until, lease=lease))
    held = sources.grouped(sources.attended(patient_ids, at=at, until=until))
    placements = sources.placements(patient_ids, at=at)
    if asked is None:
        windows = asking.windows(patient_ids, at=at, until=at + asking.AHEAD)
    else:
        windows = asking.windows(asked, at=at, until=at)
    news = tuple(news)
    return {
        one.id: _known(one, held[one.id], rows[one.id], placements.get(one.id, []), windows.get(one.id, ()), news, at)
        for one in sources.people(patient_ids)
    }


def wishes(row: Any, zone: ZoneInfo) -> Wishes:
    """A patient's own wishes, or the clinic's defaults (domain.md §4.7) for whoever has none (`row` without values)."""
    if row.quiet_begin is None:
        return Wishes(QuietHours(QUIET_BEGIN, QUIET_END, zone))
    return Wishes(
        QuietHours(row.quiet_begin, row.quiet_end, zone),
        leads=tuple(row.leads),
        first_leads=tuple(row.first_leads),
        channels=tuple(row.channels),
        kinds=tuple(row.kinds),
        digest=row.digest,
        paused_until=row.paused_until,
    )


def _known(
    person: Any,
    held: list[Any],
    rows: list[Any],
    placements: list[Placement],
    windows: tuple[Asked, ...],
    news: tuple[Change, ...],
    at: datetime,
) -> Known:
    zone = ZoneInfo(person.time_zone or zones.clinic())
    keys = tuple(key(row) for row in rows)
    firsts = {one.first_session_id for one in placements}
    coming = [one for one in held if one.starts_at > at]
    facts = Facts(
        account_active=person.status == "active",
        wishes=wishes(person, zone),
        appointments=_appointments(coming, rows, at),
        placements=_placements(placements, coming),
        changes=_changes(news, rows),
        check_ins=windows,
        said=_said(rows, zone),
        given_up=frozenset(known for known, row in zip(keys, rows, strict=True) if row.state == "not_sent"),
        begun=_appointments([one for one in held if _has_begun(one, firsts, zone, at)], [], at),
    )
    return Known(facts, tuple(rows), keys, zone, person.language or "en")


def _has_begun(one: Any, firsts: set[UUID | None], zone: ZoneInfo, at: datetime) -> bool:
    """Whether it was one of several of the patient's running day."""
    stood = one.status == "scheduled" and not one.stays_away and one.session_id not in firsts
    return stood and one.starts_at <= at and localtime.day_of(one.starts_at, zone) == localtime.day_of(at, zone)


def _appointments(held: list[Any], rows: list[Any], at: datetime) -> tuple[Appointment, ...]:
    """What the ledger first heard of a revision is when the patient's appointment became known as it now stands."""
    heard: dict[tuple[UUID, int], datetime] = {}
    for row in rows:
        revision, created_at = (row.session_id, row.revision), row.created_at
        if created_at < heard.get(revision, at):
            heard[revision] = created_at
    return tuple(
        Appointment(
            session_id=one.session_id,
            starts_at=one.starts_at,
            zone=ZoneInfo(one.time_zone),
            revision=one.revision,
            known_at=heard.get((one.session_id, one.revision), at),
            cancelled=one.status == "cancelled",
            attending=not one.stays_away,
        )
        for one in held
    )


def _placements(placements: list[Placement], held: list[Any]) -> tuple[Placement, ...]:
    """Without first sessions that are over: members of a group who differ in the past only share a plan."""
    coming = {one.session_id for one in held}
    return tuple(one if one.first_session_id in coming else replace(one, first_session_id=None) for one in placements)


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
    changes = {(one.session_id, one.revision, one.kind): one for one in (*heard, *unsaid)}
    changed = {one.session_id for one in changes.values()}
    of_them = [row for row in rows if row.session_id in changed]
    return tuple(replace(one, before=_before(one, of_them)) for one in changes.values())


def _before(change: Change, rows: list[Any]) -> datetime | None:
    """The soonest coming start that the ledger knew before the change."""
    known = (row.starts_at for row in rows if row.session_id == change.session_id and row.revision < change.revision)
    return min((one for one in known if one > change.at), default=None)


def _said(rows: list[Any], zone: ZoneInfo) -> tuple[Said, ...]:
    of: dict[UUID, set[About]] = defaultdict(set)
    digests: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        if row.covered:
            of[row.replaced_by].add(key(row).about)
        if row.covered and row.reason == "digest":
            digests[row.replaced_by].append(row)
    return tuple(_as_said(row, of[row.id], digests[row.id], zone) for row in rows if _was_said(row))


def _as_said(row: Any, of: set[About], digest: list[Any], zone: ZoneInfo) -> Said:
    """The one that speaks for a day is of that day too, if it is a reminder of it."""
    days = {localtime.day_of(one.starts_at, zone) for one in digest}
    own = row.lead in DIGEST_LEADS and bool(days) and localtime.day_of(row.starts_at, zone) in days
    told = [*digest, row] if own else digest
    return Said(key(row), row.due_at, frozenset(of), frozenset(key(one).about for one in told), silent=row.silent)


def _was_said(row: Any) -> bool:
    return bool(row.in_flight or row.state == "sent")

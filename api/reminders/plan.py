"""The plan: what will be said to one patient and when, what is held back, and why. Pure: the time is passed in.

Defaults and their evidence: domain.md §4.7. A lead of whole days goes by the wall clock of the session's zone, a
lead of hours by the hours that pass; a wall time that does not occur moves forward, one that occurs twice is its
first occurrence.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from api.reminders import quiet
from api.sessions import localtime

EVENING = time(18)
DAYS_BEFORE = {"hours_72": 3, "hours_24": 1}
HOURS_BEFORE = {"hours_2": 2}
USUAL_LEADS = ("evening_before", "hours_2")
FIRST_LEADS = ("hours_72", "hours_24", "hours_2")
CHANNELS = ("push", "sms", "email")

# A reminder that could not be said within this time of being due is not said any more.
PATIENCE = timedelta(minutes=15)
# A change waits this long, so that several made together, or one taken back, are said as one.
SETTLING = timedelta(minutes=2)
CHANGES = ("moved", "cancelled", "restored")


class Key(NamedTuple):
    """What makes an entry the same entry: it is said at most once under its key."""

    session_id: UUID
    revision: int
    kind: str
    lead: str


@dataclass(frozen=True, slots=True)
class Appointment:
    """A patient's place in a coming session. `known_at` is when the patient got it as it now stands."""

    session_id: UUID
    starts_at: datetime
    zone: ZoneInfo
    revision: int
    known_at: datetime
    cancelled: bool = False
    attending: bool = True


@dataclass(frozen=True, slots=True)
class Placement:
    """An enrollment; `first_session_id` is its first session that stands and is not declined."""

    starts_at: datetime
    ends_at: datetime | None = None
    paused: bool = False
    first_session_id: UUID | None = None

    def covers(self, instant: datetime) -> bool:
        return self.starts_at <= instant and (self.ends_at is None or instant < self.ends_at)


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the patient wants to be reminded."""

    quiet: quiet.QuietHours
    leads: tuple[str, ...] = USUAL_LEADS
    first_leads: tuple[str, ...] = FIRST_LEADS
    channels: tuple[str, ...] = CHANNELS
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Something new about an appointment that was not said yet; it is about this revision only."""

    session_id: UUID
    revision: int
    kind: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """An entry that was said at this time, or is being said; `of` are the appointments that it spoke for, each as it
    stood in a revision."""

    key: Key
    at: datetime
    of: frozenset[tuple[UUID, int]] = frozenset()

    def speaks_for(self, key: Key) -> bool:
        return (key.session_id, key.revision) in self.of or key[:2] == self.key[:2]


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the plan depends on, besides the time. `appointments` are those that have not begun; `given_up` is what
    was due and will never be said."""

    account_active: bool
    wishes: Wishes
    appointments: tuple[Appointment, ...] = ()
    placements: tuple[Placement, ...] = ()
    changes: tuple[Change, ...] = ()
    said: tuple[Said, ...] = ()
    given_up: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to say: `planned` for `due_at`, or `held` back. After `expires_at` it is too late to say it. What it is
    about is known since `known_at`."""

    key: Key
    known_at: datetime
    starts_at: datetime
    due_at: datetime
    expires_at: datetime
    state: str
    reason: str
    replaced_by: Key | None = None

    @property
    def is_change(self) -> bool:
        return self.key.kind in CHANGES

    def held(self, reason: str, replaced_by: Key | None = None) -> "Entry":
        return replace(self, state="held", reason=reason, replaced_by=replaced_by)


def plan(facts: Facts, *, at: datetime) -> list[Entry]:
    """Every entry that is not settled with its one state and reason, before those that come close together became one
    (`merge`)."""
    settled = {one.key for one in facts.said} | facts.given_up
    wanted = ((entry, about) for entry, about in _wanted(facts) if entry.key not in settled)
    return [_timed(entry, about, facts, at) for entry, about in wanted]


def at_time(entry: Entry, due_at: datetime, reason: str, facts: Facts, *, at: datetime) -> Entry:
    """The entry for another time, held back if that is past or in a pause of the patient's."""
    timed = replace(
        entry, state="planned", due_at=due_at, reason=reason, expires_at=_expiry(entry, due_at, facts.wishes.quiet)
    )
    if at >= timed.expires_at:
        return timed.held("past")
    until = facts.wishes.paused_until
    return timed.held("paused_by_patient") if until and due_at < until else timed


def due(lead: str, starts_at: datetime, zone: ZoneInfo) -> datetime:
    """When a lead falls due, before quiet hours are looked at."""
    if lead in HOURS_BEFORE:
        return starts_at - timedelta(hours=HOURS_BEFORE[lead])
    local = localtime.wall(starts_at, zone) - timedelta(days=DAYS_BEFORE.get(lead, 1))
    return localtime.instant(datetime.combine(local, EVENING) if lead == "evening_before" else local, zone)


def _wanted(facts: Facts) -> Iterator[tuple[Entry, Appointment]]:
    by_id = {one.session_id: one for one in facts.appointments}
    for change in facts.changes:
        about = by_id.get(change.session_id)
        if about and _still_news(change, about):
            yield _entry(about, change.kind, "", change.at + SETTLING), about
    for about in facts.appointments:
        for lead in _leads(about, facts):
            yield _entry(about, "appointment", lead, due(lead, about.starts_at, about.zone)), about


def _still_news(change: Change, about: Appointment) -> bool:
    return change.revision == about.revision and (change.kind == "cancelled") == about.cancelled


def _entry(about: Appointment, kind: str, lead: str, due_at: datetime) -> Entry:
    key = Key(about.session_id, about.revision, kind, lead)
    known_at = due_at if kind in CHANGES else about.known_at
    return Entry(key, known_at, about.starts_at, due_at, about.starts_at, state="planned", reason="on_time")


def _leads(appointment: Appointment, facts: Facts) -> tuple[str, ...]:
    first = any(one.first_session_id == appointment.session_id for one in facts.placements)
    return facts.wishes.first_leads if first else facts.wishes.leads


def _timed(entry: Entry, about: Appointment, facts: Facts, at: datetime) -> Entry:
    if reason := _untrue(entry, about, facts):
        return entry.held(reason)
    due_at, reason = quiet.shift(entry.due_at, facts.wishes.quiet, known_at=entry.known_at, before=about.starts_at)
    return entry.held(reason) if due_at is None else at_time(entry, due_at, reason, facts, at=at)


def _untrue(entry: Entry, about: Appointment, facts: Facts) -> str:
    """Why the entry is not to be said at all, whatever the time; empty when it is."""
    placement = next((one for one in facts.placements if one.covers(about.starts_at)), None)
    grounds = (
        ("account_not_active", not facts.account_active),
        ("session_cancelled", about.cancelled and not entry.is_change),
        ("not_attending", not about.attending),
        ("not_enrolled", placement is None),
        ("enrollment_paused", placement is not None and placement.paused),
        ("no_channel", not facts.wishes.channels),
    )
    return next((reason for reason, holds in grounds if holds), "")


def _expiry(entry: Entry, due_at: datetime, hours: quiet.QuietHours) -> datetime:
    """A change stays worth saying until the appointment begins; nothing may slip into quiet hours."""
    ends = [entry.starts_at] if entry.is_change else [entry.starts_at, due_at + PATIENCE]
    night = hours.next_begin(due_at)
    return min([*ends, night] if night else ends)

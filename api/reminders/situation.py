"""What a plan depends on, and what it is made of: values without a clock or a database."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from api import vocabulary
from api.reminders.quiet import QuietHours

USUAL_LEADS = ("evening_before", "hours_2")
FIRST_LEADS = ("hours_72", "hours_24", "hours_2")
CHANGES = ("moved", "cancelled", "restored")
CHECK_IN = "check_in"
SILENT_CHANNEL = "push"

About = tuple[UUID | str | None, int | date | None]
"""A session as it stands in a revision, or one window of a check-in."""


class Key(NamedTuple):
    """What makes an entry the same entry: it is said at most once under its key. A check-in's is the instrument and the
    patient's day on which its window opens."""

    session_id: UUID | None
    revision: int
    kind: str
    lead: str
    instrument: str | None = None
    opens_on: date | None = None

    @property
    def about(self) -> About:
        return (self.session_id, self.revision) if self.session_id else (self.instrument, self.opens_on)


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
class Asked:
    """One window in which the patient is asked an instrument, open from `opens_at` until `closes_at`; `paused` with the
    enrollment that asks."""

    instrument: str
    opens_on: date
    opens_at: datetime
    closes_at: datetime
    paused: bool = False
    answered: bool = False


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
    """How the patient wants to be reminded: `channels` in the order in which they are tried, `kinds` in words of
    `vocabulary.REMINDER_TOPICS`. With a `digest`, a day of several appointments is said in one message."""

    quiet: QuietHours
    leads: tuple[str, ...] = USUAL_LEADS
    first_leads: tuple[str, ...] = FIRST_LEADS
    channels: tuple[str, ...] = vocabulary.REMINDER_CHANNELS
    kinds: tuple[str, ...] = vocabulary.REMINDER_TOPICS
    digest: bool = True
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Something new about an appointment that was not said yet; it is about this revision only. `before` is when the
    appointment was to begin as it stood, if that still lay ahead."""

    session_id: UUID
    revision: int
    kind: str
    at: datetime
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """An entry that was said at this time, or is being said, or will be; `of` is what else it spoke for, `digest` that
    of which it was the one message of the day."""

    key: Key
    at: datetime
    of: frozenset[About] = frozenset()
    digest: frozenset[About] = frozenset()
    silent: bool = False

    def speaks_for(self, key: Key) -> bool:
        return key.about in self.of or key.about == self.key.about


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the plan depends on, besides the time. `appointments` are those that have not begun, `begun` those that
    have, on the patient's running day; `check_ins` are windows that have not closed; `given_up` is what was due and
    will never be said."""

    account_active: bool
    wishes: Wishes
    appointments: tuple[Appointment, ...] = ()
    placements: tuple[Placement, ...] = ()
    changes: tuple[Change, ...] = ()
    check_ins: tuple[Asked, ...] = ()
    said: tuple[Said, ...] = ()
    given_up: frozenset[Key] = frozenset()
    begun: tuple[Appointment, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to say: `planned` for `due_at`, or `held` back. After `expires_at` it is too late to say it. What it is
    about is known since `known_at`, begins at `starts_at` by the clocks of `zone`, and for a check-in ends then.
    `day` is the day of several appointments that one message tells of."""

    key: Key
    known_at: datetime
    starts_at: datetime
    zone: ZoneInfo
    due_at: datetime
    expires_at: datetime
    state: str = "planned"
    reason: str = "on_time"
    silent: bool = False
    day: date | None = None
    replaced_by: Key | None = None

    @property
    def is_change(self) -> bool:
        return self.key.kind in CHANGES

    @property
    def is_check_in(self) -> bool:
        return self.key.kind == CHECK_IN

    def held(self, reason: str, replaced_by: Key | None = None) -> "Entry":
        return replace(self, state="held", reason=reason, replaced_by=replaced_by)

    def said(self) -> Said:
        """The entry as it will have been said."""
        return Said(self.key, self.due_at, silent=self.silent)

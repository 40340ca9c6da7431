"""The plan: what will be said to one patient and when, what is held back, and why. Pure: the time is passed in.

Defaults and their evidence: domain.md §4.7. A lead of whole days goes by the wall clock of the session's zone, a
lead of hours by the hours that pass; a wall time that does not occur moves forward, one that occurs twice is its
first occurrence. A check-in is reminded of once in its window, in the evening of the day on which it opens.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo

from api.reminders import grounds, quiet
from api.reminders.situation import (
    CHECK_IN,
    SILENT_CHANNEL,
    Appointment,
    Asked,
    Change,
    Entry,
    Facts,
    Key,
)
from api.sessions import localtime

EVENING = time(18)
DAYS_BEFORE = {"hours_72": 3, "hours_24": 1}
HOURS_BEFORE = {"hours_2": 2}

# A reminder that could not be said within this time of being due is not said any more.
PATIENCE = timedelta(minutes=15)
# A change waits this long, so that several made together, or one taken back, are said as one.
SETTLING = timedelta(minutes=2)
# Who is told only after quiet hours of an appointment that begins this soon after them may be on the way already.
TOO_SOON = timedelta(hours=4)


def plan(facts: Facts, *, at: datetime) -> list[Entry]:
    """Every entry that is not settled with its one state and reason, before those that come close together became one
    (`merge`)."""
    settled = {one.key for one in facts.said} | facts.given_up
    return [_timed(entry, about, facts, at) for entry, about in _wanted(facts) if entry.key not in settled]


def comes_too_late(entry: Entry, facts: Facts) -> bool:
    """Whether a change is not said, or only when the patient may have set out already: somebody has to call."""
    if not entry.is_change or entry.silent:
        return False
    if entry.state == "planned":
        return entry.due_at >= _soonest(entry, facts)
    return entry.reason in ("past", "quiet_hours")


def at_time(entry: Entry, due_at: datetime, reason: str, facts: Facts, *, at: datetime) -> Entry:
    """The entry for another time, held back if that is past or in a pause of the patient's."""
    state, expires_at = "planned", _expiry(entry, due_at, facts.wishes.quiet)
    until = facts.wishes.paused_until
    if at >= expires_at:
        state, reason = "held", "past"
    elif until and due_at < until:
        state, reason = "held", "paused_by_patient"
    return replace(entry, state=state, reason=reason, due_at=due_at, expires_at=expires_at)


@lru_cache(maxsize=4096)
def due(lead: str, starts_at: datetime, zone: ZoneInfo) -> datetime:
    """When a lead falls due, before quiet hours are looked at."""
    if lead in HOURS_BEFORE:
        return starts_at - timedelta(hours=HOURS_BEFORE[lead])
    local = localtime.wall(starts_at, zone) - timedelta(days=DAYS_BEFORE.get(lead, 1))
    return localtime.instant(datetime.combine(local, EVENING) if lead == "evening_before" else local, zone)


@lru_cache(maxsize=4096)
def due_in_window(opens_on: date, opens_at: datetime, closes_at: datetime, zone: ZoneInfo) -> datetime:
    """When a check-in falls due: in the evening, or when it opens where it is not open then."""
    evening = localtime.instant(datetime.combine(opens_on, EVENING), zone)
    return evening if opens_at <= evening < closes_at else opens_at


def _wanted(facts: Facts) -> Iterator[tuple[Entry, Appointment | Asked]]:
    by_id = {one.session_id: one for one in facts.appointments}
    for change in facts.changes:
        about = by_id.get(change.session_id)
        if about and _still_news(change, about):
            due_at = change.at + SETTLING
            yield _entry(about, change.kind, "", due_at, known_at=due_at), about
    firsts = {one.first_session_id for one in facts.placements}
    days = _days_of_several(facts, firsts)
    for about in facts.appointments:
        day = days.get(about.session_id)
        for lead in facts.wishes.first_leads if about.session_id in firsts else facts.wishes.leads:
            due_at = due(lead, about.starts_at, about.zone)
            yield _entry(about, "appointment", lead, due_at, known_at=about.known_at, day=day), about
    for asked in facts.check_ins:
        yield _of_window(asked, facts.wishes.quiet.zone), asked


def _still_news(change: Change, about: Appointment) -> bool:
    return change.revision == about.revision and (change.kind == "cancelled") == about.cancelled


def _entry(
    about: Appointment, kind: str, lead: str, due_at: datetime, *, known_at: datetime, day: date | None = None
) -> Entry:
    key = Key(about.session_id, about.revision, kind, lead)
    return Entry(key, known_at, about.starts_at, about.zone, due_at, expires_at=about.starts_at, day=day)


def _of_window(asked: Asked, zone: ZoneInfo) -> Entry:
    """Nothing is said of a check-in before it opens: it counts as known since then."""
    key = Key(None, 1, CHECK_IN, "", asked.instrument, asked.opens_on)
    due_at = due_in_window(asked.opens_on, asked.opens_at, asked.closes_at, zone)
    return Entry(key, asked.opens_at, asked.closes_at, zone, due_at, expires_at=asked.closes_at)


def _days_of_several(facts: Facts, firsts: set[UUID | None]) -> Mapping[UUID, date]:
    """The patient's day of each appointment that shares it with others, where one message is to tell of them all. The
    first session of an enrollment keeps its own reminders (domain.md §4.7)."""
    if not facts.wishes.digest:
        return {}
    zone = facts.wishes.quiet.zone
    days = {
        one.session_id: localtime.day_of(one.starts_at, zone)
        for one in facts.appointments
        if one.session_id not in firsts and not grounds.against_appointment(one, facts)
    }
    # An appointment that has begun leaves its day one of several: its message may have told of the others.
    begun = {localtime.day_of(one.starts_at, zone) for one in facts.begun}
    shared = {day for day, count in Counter(days.values()).items() if count > 1 or day in begun}
    return {session_id: day for session_id, day in days.items() if day in shared}


def _timed(entry: Entry, about: Appointment | Asked, facts: Facts, at: datetime) -> Entry:
    if ground := grounds.against(entry, about, facts):
        return entry.held(ground)
    if entry.is_change and _cannot_wait(entry, facts):
        return at_time(replace(entry, silent=True), entry.due_at, "silent_change", facts, at=at)
    hours = facts.wishes.quiet
    due_at, reason = quiet.shift(entry.due_at, hours, known_at=entry.known_at, before=entry.starts_at)
    return entry.held(reason) if due_at is None else at_time(entry, due_at, reason, facts, at=at)


def _cannot_wait(entry: Entry, facts: Facts) -> bool:
    """Whether a change would come too late after quiet hours, and can be said without a sound."""
    night = facts.wishes.quiet.around(entry.due_at)
    if night is None or SILENT_CHANNEL not in facts.wishes.channels:
        return False
    return _soonest(entry, facts) <= night.end + TOO_SOON


def _soonest(entry: Entry, facts: Facts) -> datetime:
    """When the patient would set out for: also for the time that no longer holds."""
    about = entry.key.session_id, entry.key.revision
    befores = [one.before for one in facts.changes if one.before and (one.session_id, one.revision) == about]
    return min([entry.starts_at, *befores])


def _expiry(entry: Entry, due_at: datetime, hours: quiet.QuietHours) -> datetime:
    """A change stays worth saying until the appointment begins; nothing that rings may slip into quiet hours."""
    if entry.silent:
        return entry.starts_at
    ends = [entry.starts_at] if entry.is_change else [entry.starts_at, due_at + PATIENCE]
    night = hours.next_begin(due_at)
    return min([*ends, night] if night else ends)

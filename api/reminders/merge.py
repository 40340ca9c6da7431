"""What would reach a patient within two hours of another message, or twice in one evening, becomes one; so does what
would be said of a day with several appointments.

What is still to be said takes the other's words along. What was said already cannot: where it did not speak for the
appointment, the other one moves to the first instant that is clear of it. A reminder gives way to news, a check-in to
everything, and nothing to a check-in. What comes without a sound stands apart: it may not have been seen.
"""

import heapq
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from api.reminders.plan import at_time, plan
from api.reminders.situation import CHECK_IN, Entry, Facts, Said
from api.sessions import localtime

APART = timedelta(hours=2)
EVENING_FROM_HOUR = 17
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
# A digest is said with the first of these leads of its day.
DIGEST_LEADS = ("hours_24", "evening_before")


def merged_plan(facts: Facts, *, at: datetime) -> list[Entry]:
    """The whole plan, each entry in its final state.

    The earlier one stays. A change is news: it gives way to another change only, and a reminder near it gives way
    to the change, unless its own appointment would have begun by then. An entry that is said leaves every other one
    where it is, so that the plan holds until something happens.
    """
    entries = plan(facts, at=at)
    heard = [one for one in facts.said if not one.silent]
    silent = _Merging(facts, at).run(one for one in entries if one.silent)
    changes = _Merging(facts, at).run(one for one in entries if one.is_change and not one.silent)
    reminders = _Merging(facts, at, _coming(changes), [one for one in heard if one.key.kind != CHECK_IN]).run(
        one for one in entries if not (one.is_change or one.is_check_in)
    )
    check_ins = [one for one in entries if one.is_check_in]
    until = max((one.starts_at for one in check_ins), default=at)
    before = [one for one in _coming(changes + reminders) if one.at < until]
    return silent + changes + reminders + _Merging(facts, at, before, heard).run(check_ins)


def evening(instant: datetime, zone: ZoneInfo) -> date | None:
    """The day whose evening (17:00 to midnight on the patient's clock) holds `instant`."""
    local = localtime.wall(instant, zone)
    return local.date() if local.hour >= EVENING_FROM_HOUR else None


def clash(one: datetime, other: datetime, zone: ZoneInfo) -> bool:
    """Whether two messages at these times would be one too many."""
    apart = abs(one - other)
    return apart <= APART or (apart < DAY and evening(one, zone) == evening(other, zone) is not None)


def _coming(entries: Iterable[Entry]) -> list[Said]:
    return [one.said() for one in entries if one.state == "planned"]


class _Merging:
    """Entries in order of time, each against those before it, against planned `news`, and against what was `said`."""

    def __init__(self, facts: Facts, at: datetime, news: Sequence[Said] = (), said: Sequence[Said] = ()) -> None:
        self._facts, self._at, self._news, self._said = facts, at, news, said
        self._zone = facts.wishes.quiet.zone
        self._last: list[Said] = []
        self._digests: dict[date, Said] = {}

    def run(self, entries: Iterable[Entry]) -> list[Entry]:
        result = []
        waiting = [(_order(one), one) for one in entries]
        heapq.heapify(waiting)
        while waiting:
            _, entry = heapq.heappop(waiting)
            placed = self._placed(entry)
            if placed.due_at > entry.due_at:
                heapq.heappush(waiting, (_order(placed), placed))
            else:
                result.append(placed)
        return result

    def _placed(self, entry: Entry) -> Entry:
        """The entry as it stays, or for a later time."""
        if entry.state == "planned":
            if digest := self._digest(entry):
                return entry.held("digest", digest.key)
            if speaker := self._speaker(entry):
                self._begin_digest(entry, speaker)
                return entry.held("merged", speaker.key)
        if moved := self._moved(entry):
            return moved
        if entry.state == "planned":
            # Comparing with the last one is enough: in order of time, it is the nearest.
            self._last = [entry.said()]
            self._begin_digest(entry, self._last[0])
        return entry

    def _digest(self, entry: Entry) -> Said | None:
        """The one message of the entry's day, planned or said."""
        if coming := entry.day and self._digests.get(entry.day):
            return coming if coming.at < entry.starts_at else None
        return self._said_digest(entry)

    def _said_digest(self, entry: Entry) -> Said | None:
        wanted = self._facts.wishes.digest
        return next((one for one in self._said if wanted and entry.key.about in one.digest), None)

    def _begin_digest(self, entry: Entry, speaker: Said) -> None:
        if entry.day and entry.key.lead in DIGEST_LEADS:
            self._digests.setdefault(entry.day, speaker)

    def _speaker(self, entry: Entry) -> Said | None:
        spoke = [one for one in self._said if one.speaks_for(entry.key)]
        coming = [one for one in (*self._news, *self._last) if not _too_early(one, entry)]
        return next((one for one in (*coming, *spoke) if self._close(one, entry, entry.due_at)), None)

    def _moved(self, entry: Entry) -> Entry | None:
        """The entry at the first instant clear of what was said; None if it is so where it is, or can nowhere be.

        What is past is moved too, since it was before, by what was said in its time; what was past when it became known
        is not.
        """
        past = entry.reason == "past" and entry.expires_at > entry.known_at
        if not (past or entry.state == "planned"):
            return None
        other = self._in_the_way(entry, entry.due_at)
        if other is None or (past and other.at >= entry.expires_at):
            return None
        if self._said_digest(entry) or self._was_told(entry):
            return None
        clear = self._clear(entry)
        return at_time(entry, clear, "after_another", self._facts, at=self._at) if clear < entry.starts_at else None

    def _was_told(self, entry: Entry) -> bool:
        return any(one.speaks_for(entry.key) and self._close(one, entry, entry.due_at) for one in self._said)

    def _clear(self, entry: Entry) -> datetime:
        due_at = entry.due_at
        while due_at < entry.starts_at:
            if night := self._facts.wishes.quiet.around(due_at):
                due_at = night.end
            elif other := self._in_the_way(entry, due_at):
                due_at = _end_of_clash(other.at, due_at, self._zone)
            else:
                break
        return due_at

    def _in_the_way(self, entry: Entry, due_at: datetime) -> Said | None:
        """What is near and does not speak for the entry: it was said, or comes before the entry's check-in opens."""
        said = (one for one in self._said if not one.speaks_for(entry.key))
        early = (one for one in (*self._news, *self._last) if _too_early(one, entry))
        close = (one for one in (*said, *early) if self._close(one, entry, due_at))
        return min(close, key=lambda one: one.at, default=None)

    def _close(self, one: Said, entry: Entry, due_at: datetime) -> bool:
        return one.at < entry.starts_at and clash(one.at, due_at, self._zone)


def _too_early(one: Said, entry: Entry) -> bool:
    return entry.is_check_in and one.at < entry.known_at


def _end_of_clash(said: datetime, due_at: datetime, zone: ZoneInfo) -> datetime:
    """A time after `due_at`, before which nothing is clear of what was `said`."""
    if abs(due_at - said) <= APART:
        return said + APART + MINUTE
    return localtime.day(localtime.day_of(due_at, zone), zone)[1]


def _order(entry: Entry) -> tuple[datetime, datetime, str, str, str]:
    return entry.due_at, entry.starts_at, str(entry.key.about[0]), entry.key.lead, entry.key.kind

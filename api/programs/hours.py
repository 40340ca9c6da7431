"""When a place is open: weekly wall-clock hours in its own zone, less its closures.

Several places together are open while any of them is. Nothing is said of places without weekly hours:
not stated is not closed.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import chain
from zoneinfo import ZoneInfo

from api.programs.edition import Closure, Location

Stretch = tuple[datetime, datetime]

# How far ahead an opening is looked for; a place closed for longer has none to announce.
HORIZON = timedelta(days=400)
_MIDNIGHT = time(0)


@dataclass(frozen=True, slots=True)
class Opening:
    """Whether places are open at an instant. `closes_at` while open, `opens_at` while closed; None is unknown
    or farther away than the horizon."""

    open_now: bool
    closes_at: datetime | None = None
    opens_at: datetime | None = None


def opening(locations: Sequence[Location], *, at: datetime) -> Opening | None:
    """Whether any of `locations` is open at `at`; None where none of them states its hours."""
    if not any(location.hours for location in locations):
        return None
    first = next(stretches(locations, start=at), None)
    if first is None:
        return Opening(open_now=False)
    begins, ends = first
    if begins > at:
        return Opening(open_now=False, opens_at=begins)
    return Opening(open_now=True, closes_at=ends if ends < at + HORIZON - timedelta(days=2) else None)


def after_open_time(locations: Sequence[Location], *, start: datetime, minutes: int) -> datetime | None:
    """The instant at which `minutes` of open time have passed since `start`; None without stated hours."""
    left = timedelta(minutes=minutes)
    for begins, ends in stretches(locations, start=start):
        begins = max(begins, start)
        if ends - begins >= left:
            return begins + left
        left -= ends - begins
    return None


def stretches(locations: Iterable[Location], *, start: datetime) -> Iterator[Stretch]:
    """Times in which any of `locations` is open, in order and merged, those that end after `start`, in UTC."""
    merged: Stretch | None = None
    for begins, ends in heapq.merge(*(_of_one(location, start) for location in locations)):
        if ends <= start:
            continue
        if merged and begins <= merged[1]:
            merged = merged[0], max(merged[1], ends)
            continue
        if merged:
            yield merged
        merged = begins, ends
    if merged:
        yield merged


def _of_one(location: Location, start: datetime) -> Iterator[Stretch]:
    zone = ZoneInfo(location.time_zone)
    first = start.astimezone(zone).date() - timedelta(days=1)
    days = (first + timedelta(days=ahead) for ahead in range(HORIZON.days))
    return chain.from_iterable(_of_day(location, day, zone) for day in days)


def _of_day(location: Location, day: date, zone: ZoneInfo) -> Iterator[Stretch]:
    for weekly in sorted(location.hours, key=lambda one: one.opens):
        if weekly.weekday == day.isoweekday():
            last = day + timedelta(days=1) if weekly.closes == _MIDNIGHT else day
            yield from _less(location.closures, _instant(day, weekly.opens, zone), _instant(last, weekly.closes, zone))


def _instant(day: date, wall: time, zone: ZoneInfo) -> datetime:
    """The wall time's first occurrence; one that the clocks skip is moved forward."""
    return datetime.combine(day, wall, tzinfo=zone).astimezone(UTC)


def _less(closures: Sequence[Closure], begins: datetime, ends: datetime) -> Iterator[Stretch]:
    """What closures leave of an open stretch."""
    for closure in sorted(closures, key=lambda one: one.starts_at):
        if closure.ends_at <= begins or closure.starts_at >= ends:
            continue
        if closure.starts_at > begins:
            yield begins, closure.starts_at
        begins = closure.ends_at
    if begins < ends:
        yield begins, ends

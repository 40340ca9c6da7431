"""A week of treatment: what was planned for one patient, and how much of it they had. One function for both sides.

The patient reads minutes and never a floor; staff read `below` too. What is measured is kind on purpose: nobody can
miss what the clinic cancelled or excused them from, and a week that the stay does not fill, or in which it was paused,
is judged by nobody.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from api.sessions.models import CHECK_IN_LEAD

WEEK = timedelta(weeks=1)
MOST_WEEKS = 12
# ASAM Criteria: fewer hours "for one or two weeks" while stepping down still are the level's care.
GRACE = timedelta(weeks=2)
# Hours a week under which an adult's care is no longer the level's (ASAM 2.1: 9 to 19 in both editions). What the
# book's fourth edition asks of other levels is for the clinic to say (`WEEKLY_FLOOR_HOURS`).
KNOWN_FLOORS = {"2.1": 9}
_floors: Mapping[str, int] = KNOWN_FLOORS


@dataclass(frozen=True, slots=True)
class Planned:
    """One place in one session as it stands; `arrived_at` is the patient's own word, `minutes` the clinic's."""

    starts_at: datetime
    ends_at: datetime
    cancelled: bool = False
    mark: str | None = None
    minutes: int | None = None
    arrived_at: datetime | None = None
    makes_up: bool = False


@dataclass(frozen=True, slots=True)
class Stay:
    """A stay in a program. `pauses` are from and until, None while it lasts; `came_down` and `went_down` say that it
    began, or ended, by stepping down. `floor` is in minutes a week, None where the level has none."""

    starts_at: datetime
    ended_at: datetime | None = None
    floor: int | None = None
    pauses: tuple[tuple[datetime, datetime | None], ...] = ()
    came_down: bool = False
    went_down: bool = False

    def holds(self, instant: datetime) -> bool:
        """Whether the patient was treated in it then: not before, after, or in a pause."""
        inside = self.starts_at <= instant and (self.ended_at is None or instant < self.ended_at)
        return inside and not any(begun <= instant and (over is None or instant < over) for begun, over in self.pauses)


@dataclass(frozen=True, slots=True)
class Week:
    """Minutes of one week, Monday to Sunday. `excused`: of sessions from which staff excused the patient, which are not
    among the `scheduled`. `attested`: only the patient said so; `unrecorded`: over, and the clinic has not recorded
    anything. `below` is None where the level has no floor or the week is not judged."""

    starts_on: date
    scheduled: int
    excused: int
    attended: int
    attested: int
    unrecorded: int
    partial: bool
    stepping: bool
    below: bool | None


def use_floors(hours: Mapping[str, int]) -> None:
    """Hold levels of care (ASAM codes) to these hours a week, beside those that are known."""
    global _floors
    _floors = {**KNOWN_FLOORS, **hours}


def floor_of(code: str | None) -> int | None:
    """Minutes a week below which a level's care is no longer its own; None where the level has no such floor."""
    hours = _floors.get(code or "")
    return hours * 60 if hours else None


def levels_with_floor() -> frozenset[str]:
    """ASAM codes of the levels that have a floor."""
    return frozenset(_floors)


def monday_of(instant: datetime, zone: ZoneInfo) -> date:
    """The Monday of the week in which the instant lies."""
    day = instant.astimezone(zone).date()
    return day - timedelta(days=day.weekday())


def begins(monday: date, zone: ZoneInfo) -> datetime:
    """The first moment of a week."""
    return datetime.combine(monday, time(), zone)


def weeks_of(stay: Stay, *, zone: ZoneInfo, at: datetime, most: int = MOST_WEEKS) -> list[date]:
    """The Mondays of the stay's weeks up to now, the newest first."""
    last = monday_of(_last(stay, at), zone)
    first = monday_of(stay.starts_at, zone)
    count = min((last - first) // WEEK + 1, most)
    return [last - WEEK * number for number in range(count)]


def rows(
    stay: Stay, places: Iterable[Planned], *, mondays: Iterable[date], zone: ZoneInfo, at: datetime
) -> Iterator[Week]:
    """What each of the weeks came to."""
    by_week: dict[date, list[Planned]] = {}
    for one in places:
        if not one.cancelled and stay.holds(one.starts_at):
            by_week.setdefault(monday_of(one.starts_at, zone), []).append(one)
    for monday in mondays:
        yield _row(stay, by_week.get(monday, []), monday, zone, at)


def _row(stay: Stay, places: list[Planned], monday: date, zone: ZoneInfo, at: datetime) -> Week:
    due = [one for one in places if one.mark != "excused"]
    scheduled = _length(due)
    # What makes up for a missed session gives its minutes, and asks for none beside those that were missed.
    asked = _length(one for one in due if not one.makes_up)
    attended = sum(one.minutes or 0 for one in places if one.mark == "present")
    over = [one for one in places if one.mark is None and one.ends_at <= at]
    partial, stepping = _partial(stay, monday, zone, at), _stepping(stay, monday, zone)
    judged = stay.floor is not None and not partial and not stepping
    return Week(
        starts_on=monday,
        scheduled=scheduled,
        excused=_length(places) - scheduled,
        attended=attended,
        attested=sum(_attested(one, at) for one in places),
        unrecorded=_length(over),
        partial=partial,
        stepping=stepping,
        below=attended < min(stay.floor, asked) if judged and stay.floor is not None else None,
    )


def _partial(stay: Stay, monday: date, zone: ZoneInfo, at: datetime) -> bool:
    """Whether the stay does not fill the week: it began or ended on a day inside it, was paused, or goes on."""
    following = monday + WEEK
    began = stay.starts_at.astimezone(zone).date() > monday
    ended = stay.ended_at is not None and (stay.ended_at.astimezone(zone).date() < following - timedelta(days=1))
    going_on = at < begins(following, zone)
    start, end = begins(monday, zone), begins(following, zone)
    paused = any(begun < end and (over is None or over > start) for begun, over in stay.pauses)
    return began or ended or going_on or paused


def _stepping(stay: Stay, monday: date, zone: ZoneInfo) -> bool:
    """Whether the week lies in the two weeks after stepping down to this level, or before stepping down from it."""
    began, ended = stay.starts_at.astimezone(zone).date(), (stay.ended_at or stay.starts_at).astimezone(zone).date()
    after = stay.came_down and monday < began + GRACE
    before = stay.went_down and monday + WEEK > ended - GRACE
    return after or before


def _attested(one: Planned, at: datetime) -> int:
    """Minutes that rest on the patient's own word: from the arrival on, as far as the session has come."""
    if one.mark is not None or one.arrived_at is None:
        return 0
    if not one.starts_at - CHECK_IN_LEAD <= one.arrived_at <= one.ends_at:
        return 0
    return max(0, _minutes(min(one.ends_at, at) - max(one.starts_at, one.arrived_at)))


def _last(stay: Stay, at: datetime) -> datetime:
    """The last moment of the stay so far."""
    return at if stay.ended_at is None else min(at, stay.ended_at - timedelta(microseconds=1))


def _length(places: Iterable[Planned]) -> int:
    return sum(_minutes(one.ends_at - one.starts_at) for one in places)


def _minutes(span: timedelta) -> int:
    return span // timedelta(minutes=1)

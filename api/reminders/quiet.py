"""Quiet hours: a stretch of every day, by the patient's own clock, in which nothing is said."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from api.sessions import localtime

# What is said before quiet hours begin is said this long before, so that a busy worker still gets it out in time.
LAST_CALL = timedelta(minutes=15)
LONGEST = timedelta(hours=20)
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One night's quiet in UTC, end exclusive."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Wall times in `zone`, over midnight when `begin` is the later one; equal times mean no quiet at all.

    They may last `LONGEST`: what remains of the day is then always long enough to speak in, also when clocks change.
    """

    begin: time
    end: time
    zone: ZoneInfo

    def around(self, instant: datetime) -> Stretch | None:
        """The stretch that holds `instant`, if any does."""
        return next((one for one in self._near(instant) if one.begin <= instant < one.end), None)

    def next_begin(self, instant: datetime) -> datetime | None:
        """When quiet next begins after `instant`; None without quiet hours."""
        return min((one.begin for one in self._near(instant) if one.begin > instant), default=None)

    def _near(self, instant: datetime) -> Iterator[Stretch]:
        if self.begin == self.end:
            return
        today = localtime.day_of(instant, self.zone)
        for day in (today - DAY, today, today + DAY):
            yield _stretch(self.begin, self.end, self.zone, day)


# Members of a group share their nights: a plan for thirty asks for the same ones thousands of times.
@lru_cache(maxsize=4096)
def _stretch(begin: time, end: time, zone: ZoneInfo, day: date) -> Stretch:
    last = day if end > begin else day + DAY
    return Stretch(min(_both(day, begin, zone)), max(_both(last, end, zone)))


def _both(day: date, wall: time, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """Both readings of a wall time (PEP 495): they differ only where the clocks change, and there the stretch takes in
    both, so that no reading of the patient's clock calls a message one at night."""
    naive = datetime.combine(day, wall)
    return localtime.instant(naive, zone), naive.replace(tzinfo=zone, fold=1).astimezone(UTC)


def length(begin: time, end: time) -> timedelta:
    """How long quiet hours last on a day on which the clocks do not change."""
    minutes = (end.hour - begin.hour) * 60 + end.minute - begin.minute
    return timedelta(minutes=minutes % (24 * 60))


def shift(due: datetime, quiet: QuietHours, *, known_at: datetime, before: datetime) -> tuple[datetime | None, str]:
    """When to say what is `due`, and the reason: earlier rather than later, and never in quiet hours.

    Only what became known after quiet had begun waits for its end, and only if that comes `before` the
    appointment; otherwise there is no time left to say it.
    """
    if (night := quiet.around(due)) is None:
        return due, "on_time"
    if night.begin - LAST_CALL >= known_at:
        return night.begin - LAST_CALL, "before_quiet_hours"
    if night.end < before:
        return night.end, "after_quiet_hours"
    return None, "quiet_hours"

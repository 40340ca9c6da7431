"""Weekly series: a rule in local wall time becomes occurrences in UTC.

The rule is the part of RFC 5545 §3.3.10 that a clinic's week needs: ``FREQ=WEEKLY``, or ``FREQ=DAILY`` limited to
weekdays, with ``INTERVAL``, ``BYDAY``, ``WKST`` and exactly one of ``COUNT`` and ``UNTIL``. It is expanded on the naive
wall clock, and only then does each occurrence get its zone: a group at nine stays at nine when the clocks change.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import takewhile
from typing import NamedTuple

from dateutil import rrule

from api.sessions import localtime

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MAX_OCCURRENCES = 1000
MAX_INTERVAL_WEEKS = 52
MAX_SPAN = timedelta(days=5 * 366)
_PARTS = ("FREQ", "INTERVAL", "BYDAY", "WKST", "COUNT", "UNTIL")


class RuleRefused(ValueError):
    """The rule is not one that this clinic's series may follow; the message is a sentence for the caller."""


class Occurrence(NamedTuple):
    """One meeting of a series. ``on`` is its day by the rule: it stays its name when the meeting itself is moved."""

    on: date
    starts_at: datetime


@dataclass(frozen=True)
class Rule:
    """A parsed RRULE. ``until`` is the last local day (a date) or the last instant (aware), both inclusive."""

    interval: int
    weekdays: tuple[int, ...]
    week_start: int
    count: int | None
    until: date | None


def parse(text: str) -> Rule:
    """Read an RRULE value; raises ``RuleRefused`` for whatever is not a bounded weekly rule."""
    parts = _split(text)
    _check_frequency(parts)
    rule = Rule(
        interval=_number(parts.get("INTERVAL", "1"), "INTERVAL", MAX_INTERVAL_WEEKS),
        weekdays=_weekdays(parts),
        week_start=_weekday(parts.get("WKST", "MO")),
        count=_number(parts["COUNT"], "COUNT", MAX_OCCURRENCES) if "COUNT" in parts else None,
        until=_until(parts["UNTIL"]) if "UNTIL" in parts else None,
    )
    _check_bounds(rule)
    return rule


def expand(rule: Rule, first: datetime, zone: tzinfo) -> list[Occurrence]:
    """Every occurrence of a series whose first meeting starts at the naive local time ``first``.

    Raises ``RuleRefused`` when ``first`` is not a day of the rule (RFC 5545 calls the result undefined), and when the
    series runs longer than ``MAX_SPAN`` or beyond ``MAX_OCCURRENCES``.
    """
    if rule.weekdays and first.weekday() not in rule.weekdays:
        raise RuleRefused("The first day is not one of the days in BYDAY.")
    found = list(takewhile(lambda occurrence: not _ended(rule.until, occurrence), _walk(rule, first, zone)))
    if not found:
        raise RuleRefused("UNTIL lies before the first session.")
    if len(found) > MAX_OCCURRENCES or found[-1].on > first.date() + MAX_SPAN:
        raise RuleRefused(f"A series holds at most {MAX_OCCURRENCES} sessions within five years.")
    return _distinct(found)


def ended(text: str, *, last: date) -> str:
    """The rule with ``last`` as the last local day on which it may meet."""
    kept = [f"{name}={value}" for name, value in _split(text).items() if name not in ("COUNT", "UNTIL")]
    return ";".join([*kept, f"UNTIL={last:%Y%m%d}"])


def onward(text: str, first: datetime, *, since: date) -> tuple[datetime, str]:
    """The rest of a series from ``since`` on: its first meeting, and the rule with what is left of its COUNT.

    A first meeting that lies there already is left alone. Raises ``RuleRefused`` if nothing is left.
    """
    rule = parse(text)
    if first.date() >= since:
        return first, text
    days = list(takewhile(lambda local: _within(rule.until, local), _days(rule, first)))
    rest = [local for local in days if local.date() >= since]
    if not rest:
        raise RuleRefused("Nothing of the rule is left from that day on.")
    if rule.count is None:
        return rest[0], text
    kept = [f"{name}={value}" for name, value in _split(text).items() if name != "COUNT"]
    return rest[0], ";".join([*kept, f"COUNT={len(rest)}"])


def _within(until: date | None, local: datetime) -> bool:
    """Up to a day after an UNTIL, whose zone decides later; only a first meeting is looked for."""
    if until is None:
        return True
    last = until.date() if isinstance(until, datetime) else until
    return local.date() <= last + timedelta(days=1)


def _walk(rule: Rule, first: datetime, zone: tzinfo) -> Iterator[Occurrence]:
    return (Occurrence(local.date(), localtime.instant(local, zone)) for local in _days(rule, first))


def _days(rule: Rule, first: datetime) -> Iterator[datetime]:
    return iter(
        rrule.rrule(
            rrule.WEEKLY,
            dtstart=first,
            interval=rule.interval,
            byweekday=rule.weekdays or None,
            wkst=rule.week_start,
            count=rule.count or MAX_OCCURRENCES + 1,
        )
    )


def _ended(until: date | None, occurrence: Occurrence) -> bool:
    if isinstance(until, datetime):
        return occurrence.starts_at > until
    return until is not None and occurrence.on > until


def _distinct(found: list[Occurrence]) -> list[Occurrence]:
    """One occurrence per instant: where a zone skipped a whole day, that day's meeting falls onto the next one's."""
    return list({occurrence.starts_at: occurrence for occurrence in found}.values())


def _split(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.strip().upper().split(";")]
    names = [name for name, _, _ in pairs]
    if len(set(names)) != len(names):
        raise RuleRefused("Each part of the rule may stand once.")
    if unknown := [name for name in names if name not in _PARTS]:
        raise RuleRefused(f"Only {', '.join(_PARTS)} may stand in the rule, not {unknown[0][:20] or 'an empty part'}.")
    return {name: value for name, _, value in pairs}


def _check_frequency(parts: dict[str, str]) -> None:
    """A DAILY rule limited to weekdays is the WEEKLY rule on those days, and is expanded as that."""
    if parts.get("FREQ") not in ("WEEKLY", "DAILY"):
        raise RuleRefused("FREQ must be WEEKLY, or DAILY with BYDAY.")
    if parts["FREQ"] == "DAILY" and (not parts.get("BYDAY") or parts.get("INTERVAL", "1") != "1"):
        raise RuleRefused("A DAILY rule needs BYDAY and no INTERVAL.")


def _weekdays(parts: dict[str, str]) -> tuple[int, ...]:
    if "BYDAY" not in parts:
        return ()
    return tuple(sorted({_weekday(name) for name in parts["BYDAY"].split(",")}))


def _weekday(name: str) -> int:
    if name not in WEEKDAYS:
        raise RuleRefused(f"A day is one of {', '.join(WEEKDAYS)}, without a number.")
    return WEEKDAYS.index(name)


def _number(text: str, part: str, highest: int) -> int:
    digits = text.isascii() and text.isdecimal() and len(text) <= len(str(highest))
    if not digits or not 1 <= int(text) <= highest:
        raise RuleRefused(f"{part} must be a whole number from 1 to {highest}.")
    return int(text)


def _until(text: str) -> date:
    """RFC 5545 wants UTC beside a zoned start; a bare date is accepted too and means that whole local day."""
    if re.fullmatch(r"[0-9]{8}", text):
        return _read(text, "%Y%m%d").date()
    if re.fullmatch(r"[0-9]{8}T[0-9]{6}Z", text):
        return _read(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    raise RuleRefused("UNTIL must be a date (YYYYMMDD) or a UTC instant (YYYYMMDDTHHMMSSZ).")


def _read(text: str, layout: str) -> datetime:
    try:
        return datetime.strptime(text, layout)  # noqa: DTZ007 (a local day, or UTC by its Z)
    except ValueError:
        raise RuleRefused("UNTIL is not a real date.") from None


def _check_bounds(rule: Rule) -> None:
    if (rule.count is None) == (rule.until is None):
        raise RuleRefused("A rule ends by COUNT or by UNTIL, one of them.")

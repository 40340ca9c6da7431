"""Local wall time and UTC: where a day and a week begin for a person, and which instant a wall clock names."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAYS_A_WEEK = 7


def instant(local: datetime, zone: tzinfo) -> datetime:
    """The UTC instant that a naive wall time names in a zone.

    RFC 5545 §3.3.5: a time that does not occur is read with the offset before the gap, so it moves forward by the
    gap's length; a time that occurs twice is its first occurrence. PEP 495's ``fold=0`` means both.
    """
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def wall(at: datetime, zone: tzinfo) -> datetime:
    """What a clock on the wall shows at an instant, naive."""
    return at.astimezone(zone).replace(tzinfo=None)


def day_of(at: datetime, zone: tzinfo) -> date:
    """The calendar day that an instant falls on for a person in the zone."""
    return at.astimezone(zone).date()


def day(on: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """UTC bounds of a local day, end exclusive: 23 or 25 hours apart when the clocks change."""
    return _midnight(on, zone), _midnight(on + timedelta(days=1), zone)


def monday_of(on: date) -> date:
    """The first day of the ISO 8601 week that a date lies in."""
    return on - timedelta(days=on.weekday())


def week(at: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """UTC bounds, end exclusive, of the Monday-to-Sunday week that an instant falls in for a person in the zone."""
    monday = monday_of(day_of(at, zone))
    return _midnight(monday, zone), _midnight(monday + timedelta(days=DAYS_A_WEEK), zone)


def _midnight(on: date, zone: tzinfo) -> datetime:
    return instant(datetime.combine(on, time.min), zone)

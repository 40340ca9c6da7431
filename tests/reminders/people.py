"""Synthetic facts for the plan's tests: one patient in New York, told in local wall times."""

from datetime import UTC, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

from api.reminders.quiet import QuietHours
from api.reminders.situation import Appointment, Facts, Placement, Wishes

NEW_YORK = ZoneInfo("America/New_York")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NIGHT = QuietHours(time(21), time(8), NEW_YORK)


def local(text: str, zone: ZoneInfo = NEW_YORK) -> datetime:
    """The UTC instant of an ISO wall time in a zone."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def appointment(starts: str, *, number: int = 1, **other) -> Appointment:
    zone = other.pop("zone", NEW_YORK)
    values = {"revision": 1, "known_at": LONG_AGO, **other}
    return Appointment(UUID(int=number), local(starts, zone), zone, **values)


def facts(*appointments: Appointment, **other) -> Facts:
    values = {
        "account_active": True,
        "wishes": Wishes(NIGHT),
        "placements": (Placement(LONG_AGO),),
        **other,
    }
    return Facts(appointments=appointments, **values)

"""What this slice announces: a location that closes for a while, and one that does not after all."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.events import Event


@dataclass(frozen=True)
class LocationFact(Event):
    """A closure of a location from ``starts_at`` until just before ``ends_at``. ``at`` is the present of the
    transaction; the tables already say what holds, and the location's plans are held (see ``locations.hold``)."""

    location_id: UUID
    closure_id: UUID
    starts_at: datetime
    ends_at: datetime
    at: datetime


@dataclass(frozen=True)
class LocationClosed(LocationFact):
    """The location is closed then, whatever its weekly hours say."""


@dataclass(frozen=True)
class LocationOpened(LocationFact):
    """The closure was taken back. Another one may still stand over the same time."""

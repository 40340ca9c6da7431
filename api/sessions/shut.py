"""Whether the place of a session is closed at its time.

Only who meets in person needs the place. A hybrid session at a closed location stays: whether it goes on by telehealth
alone is for the clinic to decide, and to write down.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from api import errors
from api.programs import locations

IN_PERSON = "in_person"


class PlaceClosed(errors.Conflict):
    title = "The location is closed then"
    detail = "The location is closed at that time. Choose another time, another location, or telehealth."
    title_es = "El lugar está cerrado a esa hora"
    detail_es = "El lugar está cerrado a esa hora. Elija otra hora, otro lugar o una sesión a distancia."


class Closures:
    """The closures that would cancel a session with these details, should it meet at their time."""

    def __init__(self, details: Mapping[str, Any], *, at: datetime) -> None:
        location_id: UUID | None = details.get("location_id") if details.get("modality") == IN_PERSON else None
        self._standing = locations.closures(location_id=location_id, since=at) if location_id else ()

    def over(self, starts_at: datetime, ends_at: datetime) -> UUID | None:
        """The first closure that touches this time; None when the place is open, or nobody needs it."""
        touching = (one.id for one in self._standing if one.starts_at < ends_at and one.ends_at > starts_at)
        return next(touching, None)

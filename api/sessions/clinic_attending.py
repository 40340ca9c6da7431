"""The clinic's door to what a room shows, for who checks in there."""

from typing import Any
from uuid import UUID

from api import clock, errors
from api.blueprint import Door
from api.programs import locations
from api.sessions import room_codes
from schemas.clinic_sessions import RoomCodeAnswer

door = Door("attending", kind="clinic", tag="Schedule")


@door.get(
    "/locations/<uuid:location_id>/room-code",
    operation="getRoomCode",
    scope="schedule:read",
    summary="The code to show at a location now",
    refusals=[errors.NotFound],
)
@door.answers(RoomCodeAnswer)
def get_room_code(location_id: UUID) -> dict[str, Any]:
    """Changes every five minutes; ask again at `valid_until`. Every location has one, whether it asks for it or not."""
    location = locations.row(location_id)
    room_code, valid_until = room_codes.current(location.id, at=clock.now())
    return {"room_code": room_code, "valid_until": valid_until}

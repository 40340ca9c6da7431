"""The clinic's door to its locations: describe them, close them for a while, open them again."""

from typing import Any
from uuid import UUID

from api import answering, clock
from api.blueprint import Door
from api.programs import locations, presentation, reading
from api.programs.models import LocationClosure
from schemas.locations import ClinicLocationAnswer, ClosureAsk, ClosureTextsAnswer, LocationAsk

door = Door("locations", kind="clinic", tag="Locations")


def _location(location_id: UUID) -> dict[str, Any]:
    kept = locations.row(location_id)
    answering.set_version(kept.version)
    place = reading.edition().location(location_id)
    assert place is not None, "the row was just read"
    return {
        **{key: getattr(kept, key) for key in ("id", "version", "name", "time_zone", "phone", "programs")},
        "answers_clinic_line": kept.answers_clinic_line,
        "asks_room_code": kept.asks_room_code,
        "address": presentation.address(place.details),
        "hours": [presentation.weekly(hours) for hours in place.hours],
        "closures": place.closures,
    }


@door.post(
    "/locations",
    operation="addLocation",
    scope="catalogue:write",
    summary="Add a location",
    idempotent=True,
    replay=_location,
)
@door.asks(LocationAsk)
@door.answers(ClinicLocationAnswer, status=201)
def add_location(asked: dict[str, Any]) -> dict[str, Any]:
    """A place of the clinic, with its weekly hours in its own zone."""
    location = locations.add(described=asked)
    answering.made(location.id, location=f"/v1/clinic/locations/{location.id}")
    return _location(location.id)


@door.get(
    "/locations/<uuid:location_id>",
    operation="getLocationToEdit",
    scope="catalogue:read",
    summary="A location to edit",
    etag=True,
)
@door.answers(ClinicLocationAnswer)
def get_location_to_edit(location_id: UUID) -> dict[str, Any]:
    """A location as it is kept; its `ETag` goes into `If-Match`."""
    return _location(location_id)


@door.put(
    "/locations/<uuid:location_id>",
    operation="changeLocation",
    scope="catalogue:write",
    summary="Change a location",
    if_match=True,
)
@door.asks(LocationAsk)
@door.answers(ClinicLocationAnswer)
def change_location(asked: dict[str, Any], location_id: UUID) -> dict[str, Any]:
    """Replaces the whole description, weekly hours included; closures stay."""
    locations.change(location_id=location_id, described=asked, expected=answering.expected_version())
    return _location(location_id)


@door.post(
    "/locations/<uuid:location_id>/closures",
    operation="addClosure",
    scope="catalogue:write",
    summary="Close a location for a while",
    idempotent=True,
    replay=locations.closure,
)
@door.asks(ClosureAsk)
@door.answers(ClosureTextsAnswer, status=201)
def add_closure(asked: dict[str, Any], location_id: UUID) -> LocationClosure:
    """A holiday or the like: closed from one instant until another, whatever the weekly hours say. Sessions in person
    that have not begun and touch that time are cancelled by it, and so are those that are made for it later. Telehealth
    and hybrid ones stay: whether a hybrid one goes on by telehealth alone is for the clinic to decide."""
    closure = locations.close(location_id=location_id, **asked, at=clock.now())
    answering.made(closure.id)
    return closure


@door.delete(
    "/locations/<uuid:location_id>/closures/<uuid:closure_id>",
    operation="deleteClosure",
    scope="catalogue:write",
    summary="Take a closure back",
)
@door.answers(None, status=204)
def delete_closure(location_id: UUID, closure_id: UUID) -> None:
    """The weekly hours hold again, and the coming sessions that this closure cancelled take place after all; not those
    that were cancelled on their own, nor those at a time for which another closure stands."""
    locations.open_again(location_id=location_id, closure_id=closure_id, at=clock.now())

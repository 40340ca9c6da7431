"""Anyone's door to the locations: where the clinic is, and when it is open."""

from typing import Any
from uuid import UUID

import orjson
from flask import Response

from api import clock, errors, language
from api.blueprint import Door
from api.programs import presentation, serving, shelf
from api.programs.shelf import Rendered
from schemas.locations import LocationAnswer, LocationsAnswer, LocationsQuery

door = Door("locations", kind="public", tag="Locations", open_to_anyone=True)


@door.get("/locations", operation="listLocations", summary="The clinic's locations", hot=True, etag=True)
@door.query(LocationsQuery)
@door.answers(LocationsAnswer)
def list_locations(asked: dict[str, Any]) -> Response:
    """Where the clinic is, when it is open in its own zone, and when it is closed although it usually is open."""
    spoken, at = language.accepted(), clock.now()
    edition = shelf.stock().edition
    found, more = serving.cut(edition.locations, lambda one: str(one.id), asked, bound_to=("locations",))
    answer = {"items": [presentation.location(one, spoken, at=at) for one in found], "next_page_token": more}
    return serving.answer(Rendered.of(orjson.dumps(presentation.known(answer))), spoken)


@door.get("/locations/<uuid:location_id>", operation="getLocation", summary="One location", hot=True, etag=True)
@door.answers(LocationAnswer)
def get_location(location_id: UUID) -> Response:
    """A location with its hours, closures and zone."""
    spoken = language.accepted()
    if (found := shelf.stock().edition.location(location_id)) is None:
        raise errors.NotFound(headers=serving.GONE)
    body = orjson.dumps(presentation.location(found, spoken, at=clock.now()))
    return serving.answer(Rendered.of(body), spoken)

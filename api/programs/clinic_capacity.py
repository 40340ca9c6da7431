"""The clinic's door to capacity: say where new patients can start, and see what readers are told."""

from typing import Any
from uuid import UUID

from api import answering, clock
from api.blueprint import Door
from api.programs import capacity, service, serving
from api.programs.availability import Availability
from schemas.capacity import ClinicCapacitiesAnswer, ClinicCapacityAnswer, ClinicCapacityAsk, ClinicCapacityQuery

door = Door("capacity", kind="clinic", tag="Capacity")


@door.put(
    "/programs/<slug>/capacity/<uuid:location_id>",
    operation="putCapacity",
    scope="capacity:write",
    summary="Say whether new patients can start",
    refusals=[service.NotOfferedHere, capacity.NotOfferedThere],
)
@door.asks(ClinicCapacityAsk)
@door.answers(ClinicCapacityAnswer)
def put_capacity(asked: dict[str, Any], slug: str, location_id: UUID) -> dict[str, Any]:
    """Replaces what was said of this program at this location, notes included; saying the same again confirms it anew.
    After a while without that, readers are asked to call. It needs no `If-Match`: the last word holds."""
    by = answering.caller().acting_user or ""
    said = capacity.confirm(program=slug, location_id=location_id, **asked, by=by, at=clock.now())
    return _item(said)


@door.get("/capacity", operation="listStatedCapacity", scope="catalogue:read", summary="What is said of capacity")
@door.query(ClinicCapacityQuery)
@door.answers(ClinicCapacitiesAnswer)
def list_stated_capacity(asked: dict[str, Any]) -> dict[str, Any]:
    """Every program that is offered at each location that has it: what was last confirmed, by whom, and what readers
    are told now. Without `stated`, nobody has said anything yet."""
    page, more = serving.cut(capacity.shown(at=clock.now()), _key, asked, bound_to=("stated capacity",))
    return {"items": [_item(one) for one in page], "next_page_token": more}


def _key(one: Availability) -> str:
    return f"{one.program.slug} {one.location.id}"


def _item(one: Availability) -> dict[str, Any]:
    said = one.stated
    return {
        "program": one.program.slug,
        "location_id": one.location.id,
        "location_name": one.location.details["name"],
        "time_zone": one.location.time_zone,
        "state": one.state,
        "closed_until": one.closed_until,
        **({key: getattr(said, key) for key in ("notes", "confirmed_at", "confirmed_by")} if said else {}),
        "stated": said and said.state,
    }

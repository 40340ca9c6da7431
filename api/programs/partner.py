"""The partners' door to the programs: where somebody whom they would refer could start."""

from typing import Any

from api import answering, clock
from api.blueprint import Door
from api.programs import about, capacity, serving
from api.programs.availability import Availability
from schemas.capacity import CapacitiesAnswer, CapacityQuery

door = Door("programs", kind="partner", tag="Capacity")


@door.get(
    "/capacity", operation="listCapacity", scope="capacity:read", summary="Where new patients can start", etag=True
)
@door.query(CapacityQuery)
@door.answers(CapacitiesAnswer)
def list_capacity(asked: dict[str, Any]) -> dict[str, Any]:
    """Per program that is offered and location that has it: whether new patients can start, and when the clinic last
    confirmed it. `call_us` is what nobody has confirmed for too long; `closed` while the location is. It reserves
    nothing: placement is by assessment. The `ETag` changes with the answer, also where only the clock changes it."""
    shown = capacity.shown(program=asked["program"], at=clock.now())
    page, more = serving.cut(shown, _key, asked, bound_to=("capacity", answering.caller().client_id, asked["program"]))
    answer = {"items": [_item(one) for one in page], "next_page_token": more}
    answering.set_tag(answer)
    return answer


def _key(one: Availability) -> str:
    return f"{one.program.slug} {one.location.id}"


def _item(one: Availability) -> dict[str, Any]:
    return {
        "program": one.program.slug,
        "program_name": one.program.name("en"),
        "location_id": one.location.id,
        "location_name": one.location.details["name"],
        "time_zone": one.location.time_zone,
        "phone": one.location.details["phone"] or about.clinic().phone,
        "state": one.state,
        "notes": one.notes,
        "confirmed_at": one.stated and one.stated.confirmed_at,
        "closed_until": one.closed_until,
    }

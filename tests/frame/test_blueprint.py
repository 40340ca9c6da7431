"""A door registers no route that forgot whom it is for."""

import pytest

from api.blueprint import Door, RouteWithoutScope


@pytest.mark.parametrize(
    "scope", [None, "", " ", "me:read ", "me:read  me:write", "me:read me:read", "alerts:read", "me:read alerts:read"]
)
def test_a_route_behind_tokens_names_scopes_of_its_callers(scope: str | None) -> None:
    door = Door("things", kind="patient", tag="Me")
    with pytest.raises(RouteWithoutScope):
        door.get("/things", operation="listThings", summary="Things", scope=scope)


def test_a_public_route_names_none_and_its_door_says_that_it_is_public() -> None:
    door = Door("things", kind="public", tag="Things", open_to_anyone=True)
    with pytest.raises(RouteWithoutScope):
        door.get("/things", operation="listThings", summary="Things", scope="catalogue:read")
    with pytest.raises(RouteWithoutScope):
        Door("things", kind="public", tag="Things")

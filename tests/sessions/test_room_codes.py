"""A code that the room shows makes an arrival a confirmed one; without it, nothing that was said is lost."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sessions import room_codes
from tests.knocking import Knocker
from tests.sessions.conftest import Schedule, check_in, mine

Travel = Callable[[str], Any]
Sql = Callable[..., list[Any]]
PLACE = {
    "name": "Example Street",
    "address": {
        "street": "1 Example Street", "city": "Exampleton", "region": "MA", "postal_code": "00000", "country": "US",
    },
    "time_zone": "America/New_York",
    "hours": [],
    "programs": [],
    "answers_clinic_line": False,
    "asks_room_code": True,
}  # fmt: skip
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def location_id(clinic: Knocker) -> str:
    made = clinic.post("/v1/clinic/locations", json=PLACE)
    assert made.json["asks_room_code"] is True
    location_id: str = made.json["id"]
    return location_id


@pytest.fixture
def session_id(schedule: Schedule, patient: Knocker, location_id: str) -> str:
    """Today's session at the location: 14:00 to 17:00 UTC."""
    schedule.begin(patient, location_id=location_id)
    return mine(patient)[0]["id"]


def shown(clinic: Knocker, location_id: str) -> dict[str, Any]:
    answer = clinic.get(f"/v1/clinic/locations/{location_id}/room-code")
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json
    return told


def confirmed(answer: Any) -> bool:
    assert answer.status_code == 200, answer.json
    return bool(answer.json["arrival"]["confirmed"])


def test_the_location_says_that_it_asks(visitor: Knocker, location_id: str) -> None:
    assert visitor.get(f"/v1/locations/{location_id}").json["asks_room_code"] is True


def test_a_code_is_shown_until_it_changes(clinic: Knocker, location_id: str, travel: Travel) -> None:
    travel("2026-11-23T13:52:10Z")
    first = shown(clinic, location_id)
    assert first["valid_until"] == "2026-11-23T13:55:00Z"
    travel("2026-11-23T13:54:59Z")
    assert shown(clinic, location_id) == first
    travel("2026-11-23T13:55:00Z")
    assert shown(clinic, location_id)["room_code"] != first["room_code"]


def test_there_is_no_code_for_no_location(clinic: Knocker) -> None:
    assert clinic.get(f"/v1/clinic/locations/{uuid.uuid4()}/room-code").status_code == 404


@pytest.mark.parametrize(
    ("typed_at", "right"),
    [("2026-11-23T13:52:00Z", True), ("2026-11-23T13:59:59Z", True), ("2026-11-23T14:00:00Z", False)],
)
def test_the_code_of_the_moment_and_the_one_before_confirm(
    clinic: Knocker, location_id: str, session_id: str, patient: Knocker, travel: Travel, typed_at: str, right: bool
) -> None:
    travel("2026-11-23T13:52:00Z")
    code = shown(clinic, location_id)["room_code"]
    travel(typed_at)
    answer = check_in(patient, session_id, room_code=code)
    assert confirmed(answer) is right
    assert answer.json == mine(patient)[0]
    assert answer.json["presence"] == {"status": "attested", "rests_on": "patient"}


@pytest.mark.parametrize("more", [{}, {"room_code": "nothing"}, {"room_code": "１２３４５６"}])
def test_without_the_right_code_the_arrival_is_kept_unconfirmed(
    session_id: str, patient: Knocker, travel: Travel, more: dict[str, str]
) -> None:
    travel("2026-11-23T13:52:00Z")
    assert confirmed(check_in(patient, session_id, **more)) is False
    assert mine(patient)[0]["arrival"]["placement"] == "in_window"


def test_the_right_code_may_follow_and_the_arrival_keeps_its_time(
    clinic: Knocker, location_id: str, session_id: str, patient: Knocker, travel: Travel, owner_sql: Sql,
    heard: list[Any],
) -> None:  # fmt: skip
    travel("2026-11-23T13:52:00Z")
    tap = str(uuid.uuid4())
    check_in(patient, session_id, id=tap, room_code="000000")
    travel("2026-11-23T13:58:00Z")
    code = shown(clinic, location_id)["room_code"]
    for _ in range(2):
        answer = check_in(patient, session_id, id=tap, room_code=code)
        assert confirmed(answer)
        assert answer.json["arrival"]["arrived_at"] == "2026-11-23T13:52:00Z"
    assert owner_sql("SELECT confirmed FROM session_arrivals ORDER BY 1") == [(False,), (True,)]
    assert [type(fact).__name__ for fact in heard] == ["Arrived"]


def test_what_was_confirmed_stays_so(
    clinic: Knocker, location_id: str, session_id: str, patient: Knocker, travel: Travel
) -> None:
    travel("2026-11-23T13:52:00Z")
    check_in(patient, session_id, room_code=shown(clinic, location_id)["room_code"])
    assert confirmed(check_in(patient, session_id, room_code="000000"))


def test_an_offline_arrival_is_held_to_the_code_of_its_own_time(
    clinic: Knocker, location_id: str, session_id: str, patient: Knocker, travel: Travel
) -> None:
    travel("2026-11-23T13:52:00Z")
    then = shown(clinic, location_id)["room_code"]
    travel("2026-11-23T21:00:00Z")
    now = shown(clinic, location_id)["room_code"]
    offline = {"occurred_at": "2026-11-23T13:52:30Z", "sent_at": "2026-11-23T21:00:00Z"}
    assert confirmed(check_in(patient, session_id, room_code=now, **offline)) is False
    assert confirmed(check_in(patient, session_id, room_code=then, **offline)) is True


def test_a_session_without_a_location_has_nothing_to_confirm(
    schedule: Schedule, patient: Knocker, travel: Travel
) -> None:
    schedule.begin(patient)
    travel("2026-11-23T13:52:00Z")
    assert confirmed(check_in(patient, mine(patient)[0]["id"], room_code="123456")) is False


def test_each_location_has_its_own(clinic: Knocker, location_id: str, travel: Travel) -> None:
    travel("2026-11-23T13:52:00Z")
    other = clinic.post("/v1/clinic/locations", json={**PLACE, "name": "Elm Street"}, key="other").json["id"]
    both = [
        [room_codes.current(uuid.UUID(one), at=NOON + n * room_codes.STEP) for n in range(3)]
        for one in (location_id, other)
    ]
    assert both[0] != both[1]


@pytest.mark.usefixtures("app")
@given(st.uuids(), st.integers(0, 10_000))
def test_a_code_is_six_digits_good_for_its_step_and_the_next(one: uuid.UUID, minutes: int) -> None:
    at = NOON + timedelta(minutes=minutes)
    code, until = room_codes.current(one, at=at)
    assert len(code) == 6 and code.isdecimal()
    assert at < until <= at + room_codes.STEP
    assert room_codes.right(one, code, at=at) and room_codes.right(one, code, at=at + room_codes.STEP)

"""What patients read back: the list and their numbers over time, and never a band."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from api import clock
from tests.checkins.giving import LOW, MONDAY, MOOD, NOT_SAFE, SAFE, given, phq9, told
from tests.knocking import Knocker


@pytest.fixture(autouse=True)
def monday(travel: Callable[[str], Any]) -> None:
    travel(MONDAY)


def days_ago(patient: Knocker, days: int, instrument: str = "daily", answers: Any = (SAFE, MOOD)) -> dict[str, Any]:
    return given(patient, instrument, answers, occurred_at=told(clock.now() - timedelta(days=days)))


def trends(patient: Knocker, query: str = "") -> Any:
    return patient.get(f"/v1/me/check-ins/trends{query}")


def lines(patient: Knocker, query: str = "") -> dict[str, list[int]]:
    return {
        line["measure"]: [point["value"] for point in line["points"]] for line in trends(patient, query).json["series"]
    }


def test_the_list_is_the_newest_first_with_help_beside_it(patient: Knocker) -> None:
    ids = [days_ago(patient, days)["id"] for days in (3, 1, 2)]
    answer = patient.get("/v1/me/check-ins").json
    assert [one["id"] for one in answer["items"]] == [ids[1], ids[2], ids[0]]
    assert answer["help"]["resources"][0]["number"] == "911"


def test_the_list_holds_nobody_else_s(patient: Knocker, other_patient: Knocker) -> None:
    days_ago(patient, 1)
    assert other_patient.get("/v1/me/check-ins").json["items"] == []


def test_the_list_can_be_of_one_instrument_and_is_walked_in_pages(patient: Knocker) -> None:
    for days in range(3):
        days_ago(patient, days)
    days_ago(patient, 1, "phq-9", LOW)
    first = patient.get("/v1/me/check-ins?instrument=daily&page_size=2").json
    second = patient.get(f"/v1/me/check-ins?instrument=daily&page_size=2&page_token={first['next_page_token']}").json
    found = [one["instrument"] for one in first["items"] + second["items"]]
    assert found == ["daily"] * 3
    foreign = patient.get(f"/v1/me/check-ins?page_token={first['next_page_token']}")
    assert foreign.status_code == 400


def test_numbers_over_time_are_lines_the_oldest_point_first(patient: Knocker) -> None:
    for days, mood in ((3, 2), (2, 5), (1, 7)):
        days_ago(patient, days, answers=[{"item": "mood", "number": mood}])
    days_ago(patient, 1, "phq-9", phq9(2, 2, 2, 2, 2, 0, 0, 0, 0))
    assert lines(patient) == {"mood": [2, 5, 7], "total": [10]}
    assert lines(patient, "?instrument=phq-9") == {"total": [10]}


def test_a_phq_9_without_a_number_is_no_point(patient: Knocker) -> None:
    days_ago(patient, 1, "phq-9", phq9(3, 3, 3))
    assert lines(patient) == {}


def test_days_with_a_check_in_are_counted_and_days_without_take_nothing_away(patient: Knocker) -> None:
    for days in (30, 2, 2, 1):
        days_ago(patient, days)
    assert trends(patient).json["check_in_days"] == 3


def test_only_the_span_that_was_asked_for_is_shown(patient: Knocker) -> None:
    for days in (200, 10):
        days_ago(patient, days)
    assert lines(patient) == {"mood": [6]}
    assert lines(patient, "?since=2026-01-01T00:00:00Z") == {"mood": [6, 6]}


@pytest.mark.parametrize(
    "span",
    ["since=2026-11-23T15:00:00Z&until=2026-11-01T00:00:00Z", "since=2020-01-01T00:00:00Z"],
    ids=["backward", "years"],
)
def test_a_span_that_is_none_or_too_long_is_refused(patient: Knocker, span: str) -> None:
    assert trends(patient, f"?{span}").status_code == 400


def test_no_band_stands_anywhere_that_a_patient_reads(patient: Knocker, visitor: Knocker) -> None:
    kept = days_ago(patient, 1, "phq-9", phq9(3, 3, 3, 3, 3, 3, 3, 0, 0))
    addresses = [f"/v1/me/check-ins/{kept['id']}", "/v1/me/check-ins", "/v1/me/check-ins/trends"]
    read = [patient.get(address).get_data(as_text=True) for address in addresses]
    read.append(visitor.get("/v1/instruments/phq-9").get_data(as_text=True))
    assert not [text for text in read if "severe" in text or "moderate" in text or "band" in text]


def test_help_is_first_for_the_answer_that_asked_for_it_only(patient: Knocker) -> None:
    calm, urgent = days_ago(patient, 2), days_ago(patient, 1, answers=[NOT_SAFE])
    first = [patient.get(f"/v1/me/check-ins/{kept['id']}").json["help_first"] for kept in (calm, urgent)]
    assert first == [False, True]

"""A location closes for a day: its sessions are cancelled, and restored once it opens again; exactly those."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from api import db
from api.sessions import worker
from tests.knocking import Knocker
from tests.programs.test_locations import DESCRIBED
from tests.sessions.conftest import GROUP, Schedule, mine, reply

Travel = Callable[[str], Any]
Sql = Callable[..., list[Any]]
WEDNESDAY = ("2026-11-25T05:00:00Z", "2026-11-26T05:00:00Z")
FAR = "2030-01-01T00:00:00Z"


class House:
    """The clinic's hands on one of its locations."""

    def __init__(self, clinic: Knocker) -> None:
        self.clinic = clinic
        self.id = clinic.post("/v1/clinic/locations", json=DESCRIBED).json["id"]

    def close(self, starts_at: str, ends_at: str) -> str:
        body = {"starts_at": starts_at, "ends_at": ends_at, "reason": {"en": "Snow", "es": "Nieve"}}
        made = self.clinic.post(f"/v1/clinic/locations/{self.id}/closures", json=body)
        assert made.status_code == 201, made.json
        found: str = made.json["id"]
        return found

    def open_again(self, closure: str) -> None:
        assert self.clinic.delete(f"/v1/clinic/locations/{self.id}/closures/{closure}").status_code == 204


@pytest.fixture
def house(clinic: Knocker) -> House:
    return House(clinic)


def statuses(schedule: Schedule) -> list[str]:
    return [one["status"] for one in schedule.sessions()]


def names(heard: list[Any]) -> list[str]:
    return [type(fact).__name__ for fact in heard if hasattr(fact, "session_ids")]


def test_a_closure_cancels_what_would_meet_there_and_its_end_restores_it(
    schedule: Schedule, house: House, patient: Knocker, heard: list[Any]
) -> None:
    schedule.begin(patient, location_id=house.id)
    reply(patient, mine(patient)[1], "attending")
    heard.clear()
    closure = house.close(*WEDNESDAY)
    assert [one["status"] for one in mine(patient)][:3] == ["scheduled", "cancelled", "scheduled"]
    assert schedule.sessions()[1]["cancelled_by"] == closure
    house.open_again(closure)
    back = mine(patient)[1]
    assert (back["status"], back["reply"]["reply"]) == ("scheduled", "attending")
    assert "cancelled_by" not in schedule.sessions()[1]
    assert names(heard) == ["SessionCancelled", "SessionRestored"]
    assert heard[-1].patient_ids == (patient.id,)


def test_each_turn_is_a_new_revision_of_the_session(schedule: Schedule, house: House, owner_sql: Sql) -> None:
    schedule.begin(location_id=house.id)
    house.open_again(house.close(*WEDNESDAY))
    assert owner_sql("SELECT revision FROM care_sessions ORDER BY starts_at LIMIT 2") == [(1,), (3,)]


@pytest.mark.parametrize("modality", ["telehealth", "hybrid"])
def test_who_does_not_need_the_place_meets_all_the_same(schedule: Schedule, house: House, modality: str) -> None:
    schedule.begin(location_id=house.id, modality=modality)
    house.close(*WEDNESDAY)
    assert set(statuses(schedule)) == {"scheduled"}


def test_another_location_stays_open(schedule: Schedule, house: House, clinic: Knocker) -> None:
    schedule.begin(location_id=House(clinic).id)
    house.close(*WEDNESDAY)
    assert set(statuses(schedule)) == {"scheduled"}


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "cancelled"),
    [
        ("2026-11-25T13:00:00Z", "2026-11-25T14:00:00Z", False),
        ("2026-11-25T17:00:00Z", "2026-11-25T18:00:00Z", False),
        ("2026-11-25T13:00:00Z", "2026-11-25T14:00:01Z", True),
        ("2026-11-25T16:59:59Z", "2026-11-25T18:00:00Z", True),
    ],
)
def test_a_session_is_cancelled_by_what_touches_it(
    schedule: Schedule, house: House, starts_at: str, ends_at: str, cancelled: bool
) -> None:
    schedule.begin(location_id=house.id)
    house.close(starts_at, ends_at)
    assert ("cancelled" in statuses(schedule)) is cancelled


def test_what_has_begun_goes_on_and_what_was_stays(schedule: Schedule, house: House, travel: Travel) -> None:
    schedule.begin(location_id=house.id)
    travel("2026-11-25T14:00:00Z")
    house.close("2026-11-23T05:00:00Z", "2026-11-28T05:00:00Z")
    assert statuses(schedule)[:4] == ["scheduled", "scheduled", "cancelled", "scheduled"]


def test_what_was_cancelled_on_its_own_stays_cancelled(schedule: Schedule, house: House) -> None:
    schedule.begin(location_id=house.id)
    schedule.change(schedule.sessions()[1], status="cancelled")
    house.open_again(house.close(*WEDNESDAY))
    assert statuses(schedule)[:3] == ["scheduled", "cancelled", "scheduled"]


def test_what_lies_under_another_closure_is_restored_by_the_end_of_that_one(schedule: Schedule, house: House) -> None:
    schedule.begin(location_id=house.id)
    first, second = house.close(*WEDNESDAY), house.close("2026-11-25T05:00:00Z", "2026-11-28T05:00:00Z")
    house.open_again(first)
    assert [one.get("cancelled_by") for one in schedule.sessions()][:4] == [None, second, second, None]
    house.open_again(second)
    assert set(statuses(schedule)) == {"scheduled"}


def test_what_began_under_a_closure_is_not_restored_afterwards(
    schedule: Schedule, house: House, travel: Travel
) -> None:
    schedule.begin(location_id=house.id)
    closure = house.close(*WEDNESDAY)
    travel("2026-11-25T14:00:00Z")
    house.open_again(closure)
    assert statuses(schedule)[:2] == ["scheduled", "cancelled"]


def test_what_left_its_rule_meanwhile_is_not_restored(schedule: Schedule, house: House) -> None:
    series = schedule.begin(location_id=house.id)
    closure = house.close(*WEDNESDAY)
    schedule.rewrite(series, rrule="FREQ=WEEKLY;BYDAY=MO,FR;COUNT=4")
    house.open_again(closure)
    assert [one["status"] for one in schedule.sessions() if one["starts_at"][:10] == "2026-11-25"] == ["cancelled"]


def test_who_joined_meanwhile_has_a_place_once_it_is_restored(
    schedule: Schedule, house: House, patient: Knocker, other_patient: Knocker, heard: list[Any]
) -> None:
    series = schedule.begin(patient, location_id=house.id)
    closure = house.close(*WEDNESDAY)
    schedule.join(series["id"], other_patient)
    assert len(mine(other_patient)) == 11
    heard.clear()
    house.open_again(closure)
    assert len(mine(other_patient)) == 12
    assert names(heard) == ["SessionRestored", "SessionScheduled"]


def test_a_series_made_into_a_closure_has_its_session_cancelled_from_the_start(
    schedule: Schedule, house: House, patient: Knocker
) -> None:
    closure = house.close(*WEDNESDAY)
    schedule.begin(patient, location_id=house.id)
    assert statuses(schedule)[:3] == ["scheduled", "cancelled", "scheduled"]
    assert len(mine(patient)) == 11
    house.open_again(closure)
    assert len(mine(patient)) == 12


def test_an_extension_makes_cancelled_what_falls_into_a_closure_and_restores_nothing(
    schedule: Schedule, house: House, patient: Knocker, travel: Travel
) -> None:
    schedule.begin(patient, location_id=house.id, rrule="FREQ=WEEKLY;BYDAY=MO;UNTIL=20270630")
    house.close("2026-12-21T05:00:00Z", "2026-12-22T05:00:00Z")
    house.close("2027-03-01T05:00:00Z", "2027-03-02T05:00:00Z")
    travel("2026-12-14T12:00:00Z")
    worker.run()
    window = "from=2026-11-01T00:00:00Z&to=2027-10-01T00:00:00Z&page_size=100"
    found = schedule.clinic.get(f"/v1/clinic/sessions?{window}").json["items"]
    cancelled = [one["starts_at"][:10] for one in found if one["status"] == "cancelled"]
    assert cancelled == ["2026-12-21", "2027-03-01"]


def test_a_change_of_the_series_neither_restores_nor_announces_what_is_closed(
    schedule: Schedule, house: House, patient: Knocker, heard: list[Any]
) -> None:
    series = schedule.begin(patient, location_id=house.id)
    house.close(*WEDNESDAY)
    heard.clear()
    schedule.rewrite(series, starts_local="10:00", room="7")
    assert mine(patient)[1]["status"] == "cancelled"
    assert mine(patient)[1]["starts_at"] == "2026-11-25T15:00:00Z"
    assert {len(fact.session_ids) for fact in heard} == {11}
    assert names(heard) == ["SessionMoved", "SessionDetailsChanged"]


def test_a_series_that_moves_into_a_closure_and_out_of_it_follows(schedule: Schedule, house: House) -> None:
    house.close("2026-11-25T20:00:00Z", "2026-11-25T22:00:00Z")
    series = schedule.begin(location_id=house.id)
    into = schedule.rewrite(series, starts_local="15:00").json
    assert into["lost"] == []
    assert statuses(schedule)[:3] == ["scheduled", "cancelled", "scheduled"]
    assert schedule.rewrite(into, modality="telehealth", starts_local="15:00").status_code == 200
    assert set(statuses(schedule)) == {"scheduled"}


def test_one_session_goes_elsewhere_before_the_closure_ends(schedule: Schedule, house: House) -> None:
    schedule.begin(location_id=house.id)
    closure = house.close(*WEDNESDAY)
    cancelled = schedule.sessions()[1]
    refused = schedule.change(cancelled, status="scheduled")
    assert refused.json["type"].endswith("/problems/place-closed")
    link = "https://video.example.org/1"
    kept = schedule.change(cancelled, status="scheduled", modality="telehealth", join_url=link)
    assert (kept.status_code, kept.json["join_url"]) == (200, link)
    assert "cancelled_by" not in kept.json
    house.open_again(closure)
    assert schedule.sessions()[1]["modality"] == "telehealth"


def test_what_the_clinic_cancels_for_good_meanwhile_is_not_restored_and_told_once(
    schedule: Schedule, house: House, patient: Knocker, heard: list[Any]
) -> None:
    series = schedule.begin(patient, location_id=house.id)
    closure = house.close(*WEDNESDAY)
    heard.clear()
    kept = schedule.change(schedule.sessions()[1], status="cancelled", for_good=True)
    assert (kept.status_code, kept.json["changes"]) == (200, [])
    assert "cancelled_by" not in kept.json and kept.json["exception"]
    house.open_again(closure)
    schedule.rewrite(series, room="7")
    assert statuses(schedule)[:3] == ["scheduled", "cancelled", "scheduled"]
    assert [one["status"] for one in mine(patient)][:3] == ["scheduled", "cancelled", "scheduled"]
    assert names(heard) == ["SessionDetailsChanged"] and schedule.sessions()[1]["id"] not in map(
        str, heard[-1].session_ids
    )


def test_a_change_of_what_a_closure_cancelled_leaves_it_to_the_closure(schedule: Schedule, house: House) -> None:
    schedule.begin(location_id=house.id)
    closure = house.close(*WEDNESDAY)
    assert schedule.change(schedule.sessions()[1], status="cancelled", room="7").json["cancelled_by"] == closure
    house.open_again(closure)
    assert set(statuses(schedule)) == {"scheduled"}


def test_what_was_cancelled_for_good_can_be_restored_by_the_clinic(schedule: Schedule, house: House) -> None:
    schedule.begin(location_id=house.id)
    house.open_again(house.close(*WEDNESDAY))
    assert schedule.change(schedule.sessions()[1], status="cancelled", for_good=True).status_code == 200
    assert schedule.change(schedule.sessions()[1], status="scheduled").status_code == 200
    assert set(statuses(schedule)) == {"scheduled"}


def test_only_what_is_cancelled_is_so_for_good(schedule: Schedule, house: House) -> None:
    schedule.begin(location_id=house.id)
    refused = schedule.change(schedule.sessions()[1], status="scheduled", for_good=True)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/for_good")


def test_nothing_is_moved_into_a_closure(schedule: Schedule, house: House) -> None:
    schedule.begin(location_id=house.id)
    house.close("2026-11-28T05:00:00Z", "2026-11-29T05:00:00Z")
    refused = schedule.change(schedule.sessions()[1], starts_at="2026-11-28T15:00:00Z")
    assert refused.json["type"].endswith("/problems/place-closed")


def test_a_restored_session_is_there_even_beside_another_one(
    schedule: Schedule, house: House, patient: Knocker
) -> None:
    schedule.begin(patient, location_id=house.id)
    closure = house.close(*WEDNESDAY)
    schedule.begin(patient, first_on="2026-11-25", rrule="FREQ=WEEKLY;COUNT=1")
    house.open_again(closure)
    assert set(statuses(schedule)) == {"scheduled"}


def test_a_plan_and_a_closure_at_once_agree(schedule: Schedule, house: House, clinic: Knocker) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = [
            threads.submit(clinic.post, "/v1/clinic/session-series", json={**GROUP, "location_id": house.id})
            for _ in range(7)
        ]
        closure = threads.submit(house.close, *WEDNESDAY).result()
    assert {one.result().status_code for one in made} == {201}
    wednesday = [one for one in schedule.sessions() if one["starts_at"][:10] == "2026-11-25"]
    assert [one.get("cancelled_by") for one in wednesday] == [closure] * 7


def test_forty_sessions_with_four_hundred_places_are_cancelled_and_restored(
    schedule: Schedule, house: House, owner_sql: Sql, heard: list[Any]
) -> None:
    patients = [db.uuid7() for _ in range(40)]
    for patient_id in patients:
        owner_sql(
            "INSERT INTO patients (id, external_id, status, version) VALUES (%s, %s, 'active', 1)",
            patient_id,
            f"EHR-{patient_id}",
        )
        owner_sql("INSERT INTO patient_versions (patient_id, version) VALUES (%s, 1)", patient_id)
    for number in range(40):
        series = schedule.begin(location_id=house.id, rrule="FREQ=WEEKLY;COUNT=1")
        for patient_id in (patients[number:] + patients)[:10]:
            owner_sql(
                "INSERT INTO attendances (patient_id, session_id, starts_at, ends_at, status, version)"
                " SELECT %s, id, starts_at, ends_at, 'booked', 1 FROM care_sessions WHERE series_id = %s",
                patient_id,
                series["id"],
            )
    heard.clear()
    closure = house.close("2026-11-23T13:00:00Z", "2026-11-24T05:00:00Z")
    house.open_again(closure)
    assert [(len(fact.session_ids), len(fact.patient_ids)) for fact in heard if hasattr(fact, "session_ids")] == [
        (40, 40),
        (40, 40),
    ]
    assert owner_sql("SELECT min(version) > 1 FROM attendances") == [(True,)]

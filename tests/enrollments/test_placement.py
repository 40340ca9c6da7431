"""A patient is placed in a program that the clinic offers; the decision is the clinic's alone."""

from collections.abc import Callable

import pytest

from tests.enrollments.deciding import decide, on_record, place
from tests.knocking import Knocker


def test_a_placement_is_read_as_it_was_decided(clinic: Knocker, patient: Knocker) -> None:
    placed = place(clinic, patient, starts_at="2026-11-02T10:00:00-05:00")
    assert placed["program"] == "iop"
    assert placed["patient_id"] == str(patient.id)
    assert placed["starts_at"] == "2026-11-02T15:00:00Z"
    assert [fact["kind"] for fact in placed["facts"]] == ["started"]
    assert on_record(clinic, patient) == [placed]


def test_a_placement_without_a_date_begins_now(
    clinic: Knocker, patient: Knocker, travel: Callable[[str], object]
) -> None:
    travel("2026-11-23T15:00:00Z")
    assert place(clinic, patient)["starts_at"] == "2026-11-23T15:00:00Z"


@pytest.mark.parametrize("level", ["php", "detox", "inpatient"])
def test_nobody_is_placed_in_a_level_that_the_article_only_names(clinic: Knocker, patient: Knocker, level: str) -> None:
    refused = clinic.post(
        f"/v1/clinic/patients/{patient.external_id}/enrollments", json={"program": level, "focus": ["mental_health"]}
    )
    assert refused.status_code == 409
    assert refused.json["type"].endswith("/problems/not-offered-here")
    assert on_record(clinic, patient) == []


def test_a_program_that_does_not_exist_is_said_to_be_unknown(clinic: Knocker, patient: Knocker) -> None:
    refused = clinic.post(
        f"/v1/clinic/patients/{patient.external_id}/enrollments", json={"program": "spa", "focus": ["mental_health"]}
    )
    assert refused.status_code == 422
    assert refused.json["type"].endswith("/problems/unknown-program")


def test_a_patient_is_in_one_program_at_a_time(clinic: Knocker, patient: Knocker) -> None:
    place(clinic, patient, starts_at="2026-11-02T15:00:00Z")
    for starts_at in ("2026-11-01T15:00:00Z", "2026-11-09T15:00:00Z"):
        second = clinic.post(
            f"/v1/clinic/patients/{patient.external_id}/enrollments",
            json={"program": "op", "focus": ["substance_use"], "starts_at": starts_at},
        )
        assert second.status_code == 409
        assert second.json["type"].endswith("/problems/already-enrolled")


def test_who_comes_back_is_placed_again(clinic: Knocker, patient: Knocker) -> None:
    first = place(clinic, patient, starts_at="2026-11-02T15:00:00Z")
    decide(clinic, first, "discharge", reason="personal", effective_at="2026-11-09T15:00:00Z")
    place(clinic, patient, "op", starts_at="2026-11-16T15:00:00Z")
    assert [one["status"] for one in on_record(clinic, patient)] == ["ended", "active"]


def test_a_placement_may_begin_ahead_of_time_but_not_by_more_than_a_year(
    clinic: Knocker, patient: Knocker, travel: Callable[[str], object]
) -> None:
    travel("2026-11-23T15:00:00Z")
    far = clinic.post(
        f"/v1/clinic/patients/{patient.external_id}/enrollments",
        json={"program": "iop", "focus": ["substance_use"], "starts_at": "2027-11-24T15:00:00Z"},
    )
    assert far.status_code == 422
    assert far.json["errors"][0]["pointer"] == "/starts_at"
    assert place(clinic, patient, starts_at="2026-11-30T15:00:00Z")["status"] == "planned"
    travel("2026-11-30T15:00:00Z")
    assert on_record(clinic, patient)[0]["status"] == "active"


def test_the_same_key_places_once(clinic: Knocker, patient: Knocker) -> None:
    address = f"/v1/clinic/patients/{patient.external_id}/enrollments"
    asked = {"program": "iop", "focus": ["substance_use"]}
    first = clinic.post(address, key="placing-1", json=asked)
    again = clinic.post(address, key="placing-1", json=asked)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.json) == (201, first.json)
    assert clinic.post(address, key="", json=asked).json["type"].endswith("/problems/idempotency-key-missing")


@pytest.mark.parametrize("status", ["deceased", "merged"])
def test_who_has_died_or_was_merged_is_not_placed(clinic: Knocker, patient: Knocker, status: str) -> None:
    clinic.put(f"/v1/clinic/patients/{patient.external_id}/status", json={"status": status})
    refused = clinic.post(
        f"/v1/clinic/patients/{patient.external_id}/enrollments", json={"program": "iop", "focus": ["substance_use"]}
    )
    assert refused.status_code == 409
    assert refused.json["type"].endswith("/problems/patient-not-placeable")


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"focus": []}, "/focus"),
        ({"focus": ["astrology"]}, "/focus/0"),
        ({"program": "IOP!"}, "/program"),
        ({"starts_at": "tomorrow"}, "/starts_at"),
        ({"weeks": 8}, "/weeks"),
    ],
)
def test_a_placement_that_does_not_fit_names_the_place(
    clinic: Knocker, patient: Knocker, wrong: dict[str, object], pointer: str
) -> None:
    refused = clinic.post(
        f"/v1/clinic/patients/{patient.external_id}/enrollments",
        json={"program": "iop", "focus": ["substance_use"], **wrong},
    )
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


def test_a_patient_whom_nobody_knows_is_not_found(clinic: Knocker) -> None:
    address = "/v1/clinic/patients/nobody/enrollments"
    assert clinic.get(address).status_code == 404
    assert clinic.post(address, json={"program": "iop", "focus": ["substance_use"]}).status_code == 404

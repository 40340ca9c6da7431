"""Where I am, asked again and again: nothing is sent until it would say something else."""

from collections.abc import Callable

import pytest

from api.enrollments import mine, timeline
from tests.enrollments.deciding import decide, place
from tests.knocking import Knocker

MONDAY = "2026-11-02T15:00:00Z"
LEVEL, TIMELINE = "/v1/me/enrollment", "/v1/me/enrollments"
Travel = Callable[[str], object]


def polled(patient: Knocker, path: str, tag: str) -> int:
    return patient.get(path, headers={"If-None-Match": tag}).status_code


@pytest.mark.parametrize("path", [LEVEL, TIMELINE])
def test_what_is_known_is_neither_sent_nor_built(
    clinic: Knocker, patient: Knocker, travel: Travel, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    travel(MONDAY)
    place(clinic, patient, starts_at=MONDAY)
    tag = patient.get(path).headers["ETag"]
    monkeypatch.delattr(mine, "level")
    monkeypatch.delattr(timeline, "page")
    known = patient.get(path, headers={"If-None-Match": f"W/{tag}"})
    assert (known.status_code, known.data, known.headers["ETag"]) == (304, b"", tag)


@pytest.mark.parametrize("path", [LEVEL, TIMELINE])
def test_what_the_clinic_decides_is_sent(clinic: Knocker, patient: Knocker, travel: Travel, path: str) -> None:
    travel(MONDAY)
    stay = place(clinic, patient, starts_at=MONDAY)
    tag = patient.get(path).headers["ETag"]
    assert decide(clinic, stay, "pause", reason="medical").status_code == 200
    assert polled(patient, path, tag) == 200


@pytest.mark.parametrize("path", [LEVEL, TIMELINE])
def test_a_stay_that_begins_by_the_clock_is_sent(clinic: Knocker, patient: Knocker, travel: Travel, path: str) -> None:
    travel(MONDAY)
    place(clinic, patient, starts_at="2026-11-03T15:00:00Z")
    tag = patient.get(path).headers["ETag"]
    travel("2026-11-03T14:59:59Z")
    assert polled(patient, path, tag) == 304
    travel("2026-11-03T15:00:00Z")
    assert polled(patient, path, tag) == 200


@pytest.mark.parametrize("path", [LEVEL, TIMELINE])
def test_another_language_and_another_page_are_other_answers(patient: Knocker, path: str) -> None:
    tag = patient.get(path).headers["ETag"]
    assert patient.get(path, headers={"If-None-Match": tag, "Accept-Language": "es"}).status_code == 200
    assert polled(patient, path, tag) == 304
    if path == TIMELINE:
        assert polled(patient, f"{path}?page_size=1", tag) == 200


def test_what_one_patient_knows_is_nothing_to_another_who_holds_the_phone(
    patient: Knocker, other_patient: Knocker
) -> None:
    tag = patient.get(TIMELINE).headers["ETag"]
    assert polled(other_patient, TIMELINE, tag) == 200

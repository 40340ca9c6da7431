"""Two sessions missed in a row are a task for a person at the clinic, and no message to the patient."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.knocking import Knocker
from tests.sessions.conftest import Schedule, mine


@pytest.fixture
def sessions(schedule: Schedule, patient: Knocker, travel: Callable[[str], Any]) -> list[str]:
    """Sessions that have all ended, in order."""
    schedule.begin(patient)
    found = [one["id"] for one in mine(patient)]
    travel("2026-12-31T12:00:00Z")
    return found


class Marks:
    """What the clinic records of one patient's sessions, and the task that comes of it."""

    def __init__(self, schedule: Schedule, patient: Knocker, sessions: list[str]) -> None:
        self.schedule, self.patient, self.sessions = schedule, patient, sessions

    def mark(self, number: int, mark: str) -> None:
        assert self.schedule.mark(self.sessions[number], self.patient, mark).status_code == 200

    def of(self, *marks: str) -> None:
        for number, mark in enumerate(marks):
            self.mark(number, mark)

    def tasks(self, status: str = "open") -> list[tuple[int, int]]:
        found = self.schedule.clinic.get(f"/v1/clinic/tasks?cause=outreach&status={status}").json["items"]
        return [(self.sessions.index(one["subject_id"]), one["times"]) for one in found]


@pytest.fixture
def marks(schedule: Schedule, patient: Knocker, sessions: list[str]) -> Marks:
    return Marks(schedule, patient, sessions)


@pytest.mark.parametrize(
    ("recorded", "task"),
    [
        (("absent",), []),
        (("absent", "absent"), [(1, 1)]),
        (("absent", "present", "absent"), []),
        (("absent", "excused", "absent"), [(2, 1)]),
        (("absent", "absent", "absent"), [(2, 2)]),
        (("absent", "absent", "excused"), [(1, 1)]),
        (("absent", "absent", "present"), []),
        (("excused", "excused"), []),
    ],
)
def test_two_missed_in_a_row_open_a_task(marks: Marks, recorded: tuple[str, ...], task: list[tuple[int, int]]) -> None:
    marks.of(*recorded)
    assert marks.tasks() == task


def test_the_row_is_that_of_the_starts_and_not_of_the_recording(marks: Marks) -> None:
    marks.mark(2, "absent")
    marks.mark(0, "absent")
    assert marks.tasks() == [(0, 1)]
    marks.mark(1, "present")
    assert marks.tasks() == []
    assert marks.tasks("cause_gone") == [(0, 1)]


@pytest.mark.parametrize("mark", ["present", "excused"])
def test_a_corrected_mark_closes_the_task(marks: Marks, mark: str) -> None:
    marks.of("absent", "absent")
    marks.mark(0, mark)
    assert marks.tasks() == []


def test_recording_the_same_again_counts_nothing(marks: Marks) -> None:
    marks.of(
        "absent",
        "absent",
    )
    marks.mark(1, "absent")
    assert marks.tasks() == [(1, 1)]


def test_what_staff_has_dealt_with_is_not_opened_by_an_older_mark(marks: Marks, clinic: Knocker) -> None:
    marks.mark(1, "absent")
    marks.mark(2, "absent")
    [task] = clinic.get("/v1/clinic/tasks?cause=outreach").json["items"]
    clinic.post(f"/v1/clinic/tasks/{task['id']}/completion", key="", json={"outcome": "Spoke with them"})
    marks.mark(0, "absent")
    assert marks.tasks() == []
    marks.mark(3, "absent")
    assert marks.tasks() == [(3, 1)]


def test_one_patients_misses_are_not_anothers(
    marks: Marks, schedule: Schedule, new_patient: Callable[..., Knocker], owner_sql: Callable[..., list[Any]]
) -> None:
    marks.of("absent")
    owner_sql(
        "INSERT INTO attendances (patient_id, session_id, starts_at, ends_at, status, version)"
        " SELECT %s, session_id, starts_at, ends_at, status, 1 FROM attendances WHERE session_id = %s",
        other := new_patient().id,
        marks.sessions[1],
    )
    path = f"/v1/clinic/sessions/{marks.sessions[1]}/attendance/{other}"
    assert schedule.clinic.put(path, json={"mark": "absent"}).status_code == 200
    assert marks.tasks() == []


def test_a_patient_who_missed_two_is_sent_nothing_about_it(marks: Marks, owner_sql: Callable[..., list[Any]]) -> None:
    before = owner_sql("SELECT id FROM reminders ORDER BY id")
    marks.of("absent", "absent")
    assert owner_sql("SELECT id FROM reminders ORDER BY id") == before

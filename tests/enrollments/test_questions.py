"""What the slices above ask: who is in which program, at which instant."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID

import pytest

from api import db
from api.enrollments import service as enrollments
from tests.enrollments.deciding import decide, place, step_down
from tests.knocking import Knocker


def day(number: int) -> datetime:
    return datetime(2026, 11, number, 15, tzinfo=UTC)


@pytest.fixture
def moved(clinic: Knocker, patient: Knocker) -> UUID:
    """From IOP on the 2nd to OP on the 9th, paused on the 11th, discharged on the 16th."""
    assert patient.id is not None
    iop = place(clinic, patient, starts_at=day(2).isoformat())
    op = step_down(clinic, iop, effective_at=day(9).isoformat()).json["next_enrollment"]
    decide(clinic, op, "pause", reason="medical", effective_at=day(11).isoformat())
    decide(clinic, op, "discharge", reason="completed", effective_at=day(16).isoformat())
    return patient.id


@pytest.mark.parametrize(("number", "slug"), [(1, None), (2, "iop"), (8, "iop"), (9, "op"), (15, "op"), (16, None)])
def test_one_level_holds_at_each_instant(moved: UUID, number: int, slug: str | None) -> None:
    with db.transaction(db.WORKER):
        found = enrollments.current(patient_id=moved, at=day(number))
    assert (found.program_slug if found else None) == slug


def test_many_patients_are_asked_about_at_once(
    clinic: Knocker, moved: UUID, other_patient: Knocker, new_patient: Callable[..., Knocker]
) -> None:
    place(clinic, other_patient, starts_at=day(1).isoformat())
    nobody = new_patient().id
    with db.transaction(db.WORKER):
        found = enrollments.current_of([moved, other_patient.id, nobody], day(9))
    assert {patient: one.program_slug for patient, one in found.items()} == {moved: "op", other_patient.id: "iop"}


def test_a_history_leaves_out_what_was_entered_in_error(clinic: Knocker, patient: Knocker) -> None:
    decide(clinic, place(clinic, patient, "op", starts_at=day(1).isoformat()), "correct")
    place(clinic, patient, starts_at=day(2).isoformat())
    with db.transaction(db.WORKER):
        (only,) = enrollments.history(patient_id=patient.id)
        assert enrollments.current(patient_id=patient.id, at=day(1)) is None
    assert only.program_slug == "iop"
    assert only.covers(day(2)) and not only.covers(day(1))

"""Of what is announced on the way, only what is otherwise in the end is a change."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from api.enrollments.changes import in_the_end
from api.enrollments.events import PreviewableChange

PATIENT, SESSION = UUID(int=1), UUID(int=2)
TEN = datetime(2026, 11, 24, 10, tzinfo=UTC)
LATER = TEN + timedelta(hours=1)


def reminder(action: str, at: datetime = TEN) -> PreviewableChange:
    return PreviewableChange(PATIENT, "reminder", action, at, subject_id=SESSION, what="hours_2")


def check_in(action: str, at: datetime = TEN) -> PreviewableChange:
    return PreviewableChange(PATIENT, "check_in", action, at, what="daily")


@pytest.mark.parametrize(
    ("announced", "left"),
    [
        ([reminder("held")], [reminder("held")]),
        ([reminder("added"), reminder("moved", LATER)], [reminder("added", LATER)]),
        ([reminder("moved", LATER), reminder("held", LATER)], [reminder("held", LATER)]),
        ([reminder("released"), reminder("moved", LATER)], [reminder("released", LATER)]),
        ([reminder("held"), reminder("released")], []),
        ([reminder("held"), reminder("released", LATER)], [reminder("moved", LATER)]),
        ([reminder("released"), reminder("held")], []),
        ([reminder("added"), reminder("held")], []),
        ([reminder("moved"), reminder("moved", LATER)], [reminder("moved", LATER)]),
        ([check_in("removed"), check_in("added")], []),
        ([check_in("removed"), check_in("added", LATER)], [check_in("removed"), check_in("added", LATER)]),
    ],
)
def test_what_is_otherwise_in_the_end(announced: list[PreviewableChange], left: list[PreviewableChange]) -> None:
    assert in_the_end(announced) == left


def test_changes_stand_by_kind_and_time() -> None:
    announced = [reminder("held", LATER), check_in("removed", LATER), check_in("removed", TEN)]
    assert in_the_end(announced) == [check_in("removed", TEN), check_in("removed", LATER), reminder("held", LATER)]

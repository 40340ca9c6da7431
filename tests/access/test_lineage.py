"""Which use of a refresh token is the phone's own, and which is a copy's."""

from datetime import UTC, datetime, timedelta

import pytest

from api.access import lineage

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(hours=24)


def judged(*, used: timedelta | None = None, retired: bool = False, same_key: bool = True) -> str:
    link = lineage.Link(None if used is None else AT - used, retired, AT)
    return lineage.judge(link, same_key=same_key)


def test_the_first_use_rotates() -> None:
    assert judged() == "rotate"


@pytest.mark.parametrize(
    ("used", "verdict"),
    [
        (timedelta(0), "again"),
        (DAY, "again"),
        (DAY + timedelta(microseconds=1), "late"),
        (timedelta(days=90), "late"),
        (-timedelta(seconds=1), "again"),
    ],
)
def test_a_lost_answer_may_be_asked_for_again_for_a_day(used: timedelta, verdict: str) -> None:
    assert judged(used=used) == verdict


@pytest.mark.parametrize("used", [None, timedelta(0), timedelta(days=2)])
def test_a_retired_token_and_one_from_another_key_were_copied(used: timedelta | None) -> None:
    assert judged(used=used, retired=True) == "reused"
    assert judged(used=used, same_key=False) == "reused"
    assert judged(used=used, retired=True, same_key=False) == "reused"

"""Cursors are opaque, bound to caller and filter, and steady while rows are put in."""

import pytest
import sqlalchemy as sa

from api import db, pages
from api.app import Continuum
from api.patients import service as patients
from api.patients.models import Patient

BOUND = ("caller", "filter")


def walk(size: int, bound_to: tuple[str, ...] = BOUND, between: object = None) -> list[str]:
    found, token = [], None
    while True:
        rows, token = pages.page(
            sa.select(Patient.external_id),
            keys=[Patient.external_id, Patient.id],
            asked=size,
            page_token=token,
            bound_to=bound_to,
        )
        found += rows
        if token is None:
            return found


def test_walking_the_pages_gives_each_row_once(app: Continuum) -> None:
    from api import clock

    with db.transaction(db.SYSTEM):
        for number in range(25):
            patients.upsert(external_id=f"EHR-{number:02}", at=clock.now())
        expected = [f"EHR-{number:02}" for number in range(25)]
        for size in (1, 7, 25, 100, 1000, 0):
            assert walk(size) == expected


@pytest.mark.parametrize("bound_to", [("other", "filter"), ("caller", "other"), ("caller",), ("callerfilter",)])
def test_a_cursor_of_another_caller_or_filter_is_refused(app: Continuum, bound_to: tuple[str, ...]) -> None:
    token = pages.token(["2026-11-23", 1], bound_to=BOUND)
    assert pages.key(token, bound_to=BOUND) == ["2026-11-23", 1]
    with pytest.raises(pages.InvalidCursor):
        pages.key(token, bound_to=bound_to)


@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-2], lambda t: "A" + t[1:], lambda t: "", lambda t: "€", lambda t: t + "AAAA"]
)
def test_a_tampered_cursor_is_refused(app: Continuum, spoil: object) -> None:
    token = pages.token([1], bound_to=BOUND)
    with pytest.raises(pages.InvalidCursor):
        pages.key(spoil(token), bound_to=BOUND)  # type: ignore[operator]

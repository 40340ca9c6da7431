"""What readers are told is a function of the catalogue and an instant, and changes at no other instant than it says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import vocabulary
from api.programs import availability
from api.programs.edition import Capacity, Closure, Location
from tests.programs.catalogue_of import edition

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
GOOD_FOR = timedelta(hours=72)
PLACES = [UUID(int=number) for number in (11, 12)]


def closure(starts, ends):
    """Hours counted from noon."""
    return Closure(UUID(int=1), NOON + timedelta(hours=starts), NOON + timedelta(hours=ends))


def location(id=PLACES[0], *closures, programs=("iop",)):
    details = {"name": "Example Street", "programs": programs, "phone": None}
    return Location(id, details, "America/New_York", closures=tuple(closure(*one) for one in closures))


def stated(hours=0, state="open", place=PLACES[0]):
    return Capacity("iop", place, state, "Mondays", NOON + timedelta(hours=hours), "u-17")


def catalogue(*locations, capacities=()):
    return replace(edition(), locations=locations, capacities=tuple(capacities))


def told(of, hours):
    found = availability.everywhere(of, at=NOON + timedelta(hours=hours), good_for=GOOD_FOR)
    return [(one.state, one.notes, one.closed_until) for one in found]


@pytest.mark.parametrize(
    ("closures", "until"),
    [
        ([], None),
        ([(-2, 0)], None),
        ([(0, 1)], 1),
        ([(1, 2)], None),
        ([(-1, 1), (1, 3)], 3),
        ([(-1, 1), (2, 3)], 1),
        ([(-5, 9), (-4, 2)], 9),
        ([(2, 6), (-1, 3), (5, 8)], 8),
        ([(-9, -3), (-3, -1)], None),
    ],
)
def test_closures_that_follow_each_other_are_one(closures, until):
    found = availability.closed_until(location(PLACES[0], *closures), at=NOON)
    assert found == (until and NOON + timedelta(hours=until))


@pytest.mark.parametrize("state", vocabulary.CAPACITIES)
@pytest.mark.parametrize(("hours", "fresh"), [(0, True), (71, True), (72, False), (1000, False)])
def test_what_was_stated_holds_for_a_while(state, hours, fresh):
    found = told(catalogue(location(), capacities=[stated(state=state)]), hours)
    assert found == [(state, "Mondays", None) if fresh else ("call_us", None, None)]


def test_what_is_stated_of_one_place_says_nothing_of_another():
    both = catalogue(location(), location(PLACES[1]), capacities=[stated(place=PLACES[1])])
    assert [state for state, _, _ in told(both, 0)] == ["call_us", "open"]


def test_programs_that_are_not_offered_have_no_places():
    assert told(catalogue(location(programs=("php", "detox", "inpatient"))), 0) == []


HOURS = st.integers(-100, 100)
SPANS = st.tuples(HOURS, HOURS).filter(lambda span: span[0] < span[1])


@given(st.lists(SPANS, max_size=4), st.lists(HOURS, max_size=1), HOURS, HOURS)
def test_nothing_changes_between_the_instants_that_change_it(spans, confirmed, one, other):
    of = catalogue(location(PLACES[0], *spans), capacities=[stated(hours) for hours in confirmed])
    first, last = sorted((one, other))
    crossed = [
        at
        for at in availability.changes(of, good_for=GOOD_FOR)
        if NOON + timedelta(hours=first) < at <= NOON + timedelta(hours=last)
    ]
    assert crossed or told(of, first) == told(of, last)

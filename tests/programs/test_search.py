"""What people type finds the program they mean, whatever they call it."""

import pytest

from api.programs import search
from tests.programs.catalogue_of import edition


def found(asked):
    return {one.slug for one in edition().programs if search.matches(one, asked)}


@pytest.mark.parametrize(
    "asked", ["half day", "Half-Day", "half day treatment", "HALF  DAY programs", "medio día", "medio dia"]
)
def test_half_day_is_a_name_of_iop(asked):
    assert found(asked) == {"iop"}


@pytest.mark.parametrize("asked", ["iop", "IOP", "IOPs", "intensive outpatient", "intensivo"])
def test_iop_is_found_by_its_own_names(asked):
    assert found(asked) == {"iop"}


def test_outpatient_finds_both_programs():
    assert found("outpatient") == {"iop", "op"}


@pytest.mark.parametrize("asked", ["drug rehab", "Drug Rehab Programs", "rehabilitación", "addiction treatment"])
def test_umbrella_terms_find_what_is_offered(asked):
    assert found(asked) == {"iop", "op"}


def test_the_term_of_the_clinics_website_finds_iop():
    assert found("Substance Abuse Treatment Program") == {"iop"}


@pytest.mark.parametrize(
    ("asked", "slug"),
    [("php", "php"), ("partial hosp", "php"), ("detox", "detox"), ("withdrawal", "detox"), ("inpatient", "inpatient")],
)
def test_levels_shown_for_orientation_are_found_too(asked, slug):
    assert found(asked) == {slug}


@pytest.mark.parametrize("asked", ["chess", "half moon", "%", "_", "half' or 1=1"])
def test_what_nobody_calls_a_program_finds_none(asked):
    assert found(asked) == set()


@pytest.mark.parametrize("asked", ["", "   ", "--"])
def test_a_search_for_nothing_leaves_nothing_out(asked):
    assert found(asked) == {"iop", "op", "php", "detox", "inpatient"}

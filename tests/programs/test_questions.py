"""What other slices ask about programs."""

import pytest

from api.programs import service as programs

pytestmark = pytest.mark.usefixtures("catalogue")


def test_no_program_can_be_placed_in_before_the_clinic_offers_it(as_worker):
    with as_worker():
        assert programs.offered("iop").name("es") == "Programa ambulatorio intensivo"
        for slug in ("php", "detox", "inpatient"):
            with pytest.raises(programs.NotOfferedHere):
                programs.offered(slug)
        with pytest.raises(programs.UnknownProgram):
            programs.offered("aftercare")


def test_what_typically_follows_is_the_next_step(as_worker):
    with as_worker():
        following = {
            slug: [one.slug for one in programs.typically_next(slug)] for slug in ("detox", "php", "iop", "op")
        }
    assert following == {"detox": ["iop"], "php": ["iop"], "iop": ["op"], "op": []}

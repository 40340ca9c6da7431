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


def test_the_expected_week_of_a_program_is_known_in_minutes(as_worker):
    with as_worker():
        iop, php = programs.minutes_per_week("iop"), programs.minutes_per_week("php")
        following = [one.slug for one in programs.typically_next("iop")]
    assert ((iop["min"], iop["max"]), php, following) == ((540, 900), None, ["op"])

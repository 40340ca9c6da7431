"""What other slices ask about programs."""

import pytest

from api.programs import reading, shelf
from api.programs import service as programs


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


def test_a_transaction_reads_the_catalogue_once_however_often_it_asks(as_worker, monkeypatch):
    asked = []
    read = reading.edition_unless
    monkeypatch.setattr(reading, "edition_unless", lambda known: asked.append(known) or read(known))
    with as_worker():
        programs.one("iop"), programs.offered("op"), programs.typically_next("iop")
    assert len(asked) == 1
    with as_worker():
        programs.one("iop")
    assert len(asked) == 2


def test_what_this_process_keeps_already_is_not_read_again(as_worker):
    kept = shelf.stock().edition
    with as_worker():
        assert programs.catalogue() is kept


def test_the_next_transaction_sees_what_was_published_meanwhile(as_worker, clinic):
    shelf.stock()
    with as_worker():
        before = programs.one("op").revision
    found = clinic.get("/v1/clinic/programs/op")
    clinic.put("/v1/clinic/programs/op", json=found.json["content"], if_match=found.headers["ETag"])
    with as_worker():
        assert programs.one("op").revision == before + 1

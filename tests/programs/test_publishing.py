"""The clinic publishes; readers see the old revision or the new one, never a mix."""

import threading
import time

import pytest

from api import db
from api.programs import shelf
from api.programs.catalogue import load, shipped
from tests.conftest import sweep


@pytest.fixture
def revision(clinic):
    """What the clinic last published of a program, and the tag to name it by."""

    def read(slug):
        found = clinic.get(f"/v1/clinic/programs/{slug}")
        return found.json["content"], found.headers["ETag"]

    return read


@pytest.fixture
def publish(clinic, revision):
    def put(slug, **changes):
        content, tag = revision(slug)
        done = clinic.put(f"/v1/clinic/programs/{slug}", json=content | changes, if_match=tag)
        shelf.forget()
        return done

    return put


def test_the_clinic_reads_the_whole_revision_in_both_languages(revision):
    content, tag = revision("iop")
    assert (content, tag) == (shipped()["iop"], '"1"')


def test_what_is_published_is_what_everybody_reads(publish, visitor):
    assert publish("iop", frequency={"min": 4, "max": 4, "unit": "days_per_week"}).status_code == 200
    iop = visitor.get("/v1/programs/iop").json
    assert (iop["frequency"]["text"], iop["hours_per_week"]["text"]) == ("4 days a week", "about 12 hours a week")
    assert iop["revision"] == 2
    compared = visitor.get("/v1/program-comparison?programs=iop,op").json
    assert "about 8 to 11 hours a week more" in str(compared)


def test_a_revision_carries_its_review_and_who_published_it(publish, visitor, owner_sql):
    done = publish("op", reviewed_by="Dr. Robin Example", reviewed_on="2026-11-01", change_summary="Reviewed.")
    assert (done.json["published_by"], done.json["content"]["reviewed_on"]) == ("u-17", "2026-11-01")
    assert visitor.get("/v1/programs/op").json["reviewed_by"] == "Dr. Robin Example"
    kept = owner_sql("SELECT number, published_by FROM program_revisions JOIN programs ON programs.id = program_id "
                     "WHERE slug = 'op' ORDER BY number")  # fmt: skip
    assert kept == [(1, "catalogue"), (2, "u-17")]


def test_what_a_revision_leaves_out_is_not_known_any_more(clinic, revision, visitor):
    content, tag = revision("op")
    del content["frequency"], content["residential"]
    clinic.put("/v1/clinic/programs/op", json=content, if_match=tag)
    shelf.forget()
    assert not {"frequency", "hours_per_week", "residential"} & set(visitor.get("/v1/programs/op").json)


def test_the_clinic_says_that_it_offers_php(publish, visitor):
    assert publish("php", offered_here=True, residential=False).status_code == 200
    php = visitor.get("/v1/programs/php").json
    assert (php["offered_here"], php["residential"]) == (True, False)
    assert "orientation_note" not in php


def test_what_somebody_else_has_changed_meanwhile_is_refused(clinic, revision, publish):
    content, tag = revision("iop")
    publish("iop", change_summary="First.")
    refused = clinic.put("/v1/clinic/programs/iop", json=content, if_match=tag)
    assert (refused.status_code, refused.json["retry"]) == (412, "after_refresh")


def test_a_change_must_name_what_it_changes(clinic, revision):
    content, _ = revision("iop")
    assert clinic.put("/v1/clinic/programs/iop", json=content).status_code == 428


def test_a_program_that_is_not_there_cannot_be_published(clinic, revision):
    content, tag = revision("iop")
    assert clinic.put("/v1/clinic/programs/aftercare", json=content, if_match=tag).status_code == 404
    assert clinic.get("/v1/clinic/programs/aftercare").status_code == 404


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"steps_to": ["nowhere"]}, "/steps_to"),
        ({"steps_to": ["iop"]}, "/steps_to"),
        ({"frequency": {"min": 5, "max": 3, "unit": "days_per_week"}}, "/frequency/max"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_a_revision_that_does_not_fit_changes_nothing(publish, visitor, changes, pointer):
    refused = publish("iop", **changes)
    assert refused.status_code == 422
    assert [one["pointer"] for one in refused.json["errors"]] == [pointer]
    assert visitor.get("/v1/programs/iop").json["revision"] == 1


def test_an_order_of_intensity_that_contradicts_itself_is_refused(publish):
    intensity = shipped()["php"]["intensity"] | {"less_than": ["op"]}
    refused = publish("php", intensity=intensity)
    assert refused.json["errors"][0]["pointer"] == "/intensity/less_than"


def test_of_two_writers_with_the_same_reading_one_is_refused(clinic, revision, owner_sql):
    content, tag = revision("iop")
    answers = []

    def put():
        answers.append(clinic.put("/v1/clinic/programs/iop", json=content, if_match=tag).status_code)

    writers = [threading.Thread(target=put) for _ in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(answers) == [200, 412, 412, 412, 412, 412]
    assert owner_sql("SELECT count(*) FROM program_revisions WHERE number = 2") == [(1,)]


def test_readers_see_the_old_or_the_new_and_never_a_mix(clinic, revision, visitor):
    done, mixed, seen = threading.Event(), [], set()

    def read():
        while not done.is_set():
            shelf.forget()
            iop = visitor.get("/v1/programs/iop").json
            days, summary = iop["frequency"]["max"], iop["summary"]
            seen.add(iop["revision"])
            if summary != f"{days} days.":
                mixed.append((days, summary))

    def put(days):
        content, tag = revision("iop")
        changed = {"frequency": {"min": 1, "max": days, "unit": "days_per_week"},
                   "summary": {"en": f"{days} days.", "es": f"{days} días."}}  # fmt: skip
        assert clinic.put("/v1/clinic/programs/iop", json=content | changed, if_match=tag).status_code == 200

    put(5)
    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for days in (1, 7, 2, 6, 3):
        put(days)
    done.set()
    for reader in readers:
        reader.join()
    assert (mixed, len(seen) > 1) == ([], True)


def test_another_process_sees_a_revision_within_seconds(clinic, revision, visitor, monkeypatch):
    visitor.get("/v1/programs/iop")
    content, tag = revision("iop")
    clinic.put("/v1/clinic/programs/iop", json=content, if_match=tag)
    assert visitor.get("/v1/programs/iop").json["revision"] == 1
    later = time.monotonic() + 5.1
    monkeypatch.setattr("api.programs.shelf.time.monotonic", lambda: later)
    assert visitor.get("/v1/programs/iop").json["revision"] == 2


def test_loading_the_catalogue_again_never_overwrites_what_the_clinic_published(publish, visitor, travel):
    publish("iop", change_summary="Ours.")
    with db.transaction(db.SYSTEM):
        load(at=travel("2026-12-01T12:00:00Z"))
    shelf.forget()
    assert visitor.get("/v1/programs/iop").json["revision"] == 2


def test_a_test_that_publishes_leaves_the_catalogue_as_it_was(publish, visitor, superuser, owner_sql):
    as_shipped = visitor.get("/v1/programs/php").json
    (before,) = owner_sql("SELECT version FROM catalogue_version")
    publish("php", offered_here=True)
    sweep(superuser)
    assert visitor.get("/v1/programs/php").json == as_shipped
    assert owner_sql("SELECT count(*) FROM program_revisions WHERE number > 1") == [(0,)]
    assert owner_sql("SELECT offered_here, version FROM programs WHERE slug = 'php'") == [(None, 1)]
    assert owner_sql("SELECT version FROM catalogue_version") > [before]


def test_a_patient_cannot_publish(patient, revision):
    content, tag = revision("iop")
    assert patient.put("/v1/clinic/programs/iop", json=content, if_match=tag).status_code == 401


@pytest.mark.parametrize(
    "tag", [" ", '"', '""', '"x"', 'W/"1"', '"1', "1", '"' + "9" * 30 + '"', '"9223372036854775808"']
)
def test_a_tag_that_is_none_of_ours_changes_nothing(clinic, revision, tag):
    content, _ = revision("iop")
    assert clinic.put("/v1/clinic/programs/iop", json=content, if_match=tag).status_code == 412

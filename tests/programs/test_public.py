"""The programs as the clinic's website and anyone else reads them."""

import time

import pytest

from api import errors
from schemas.program_comparison import ComparisonAnswer
from schemas.programs import ProgramAnswer, ProgramsAnswer

SPANISH = {"Accept-Language": "es"}
LINKED = {"Accept": "application/ld+json"}


def slugs(response):
    assert response.status_code == 200
    return [one["slug"] for one in response.json["items"]]


def test_anyone_reads_the_programs_those_offered_first(visitor):
    found = visitor.get("/v1/programs")
    assert slugs(found) == ["iop", "op", "php", "inpatient", "detox"]
    assert set(ProgramsAnswer().load(found.json)) == {"items"}


def test_half_day_finds_iop(visitor):
    assert slugs(visitor.get("/v1/programs?q=half+day")) == ["iop"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=drug+rehab", ["iop", "op"]),
        ("level=2.1", ["iop"]),
        ("level=outpatient", ["op"]),
        ("track=evening", ["iop"]),
        ("setting=telehealth", []),
        ("q=outpatient&track=day", ["iop"]),
        ("q=", ["iop", "op", "php", "inpatient", "detox"]),
    ],
)
def test_a_filter_finds_what_is_stated_and_nothing_else(visitor, query, found):
    assert slugs(visitor.get(f"/v1/programs?{query}")) == found


def test_umbrella_terms_find_programs_but_no_page_shows_them(visitor):
    found = visitor.get("/v1/programs?q=drug+rehab")
    assert "rehab" not in found.text.lower()
    assert "abuse" not in visitor.get("/v1/programs").text.lower()


@pytest.mark.parametrize("query", ["colour=red", "q=a&q=b", "track=night", "page_size=-1", "page_token=none", "q=%00"])
def test_a_query_that_is_not_understood_is_refused(visitor, query):
    refused = visitor.get(f"/v1/programs?{query}")
    assert refused.status_code == 400
    assert refused.content_type == "application/problem+json"


def test_pages_walk_through_every_program_once(visitor):
    walked, token = [], ""
    for _ in range(3):
        page = visitor.get(f"/v1/programs?page_size=2{token}").json
        walked += [one["slug"] for one in page["items"]]
        token = f"&page_token={page.get('next_page_token')}"
    assert walked == ["iop", "op", "php", "inpatient", "detox"]
    assert "next_page_token" not in page


def test_a_page_token_belongs_to_its_search(visitor):
    token = visitor.get("/v1/programs?page_size=1").json["next_page_token"]
    refused = visitor.get(f"/v1/programs?q=outpatient&page_token={token}")
    assert refused.json["type"].endswith("/problems/invalid-cursor")


def test_iop_is_described_in_ranges_steps_and_words(visitor):
    iop = visitor.get("/v1/programs/iop")
    assert ProgramAnswer().load(iop.json)
    assert iop.json["hours_per_week"] == {
        "min": 9, "max": 15, "unit": "hours_per_week", "qualifier": "about", "derived": True,
        "text": "about 9 to 15 hours a week",
    }  # fmt: skip
    assert [one["slug"] for one in iop.json["steps_to"]] == ["op"]
    assert iop.json["asam"] == {"edition": "4", "code": "2.1", "label": "Intensive Outpatient", "confirmed": False}
    assert "Half Day Treatment" in iop.json["aliases"]


def test_it_reads_in_spanish_for_who_asks(visitor):
    spanish = visitor.get("/v1/programs/iop", headers=SPANISH)
    assert spanish.headers["Content-Language"] == "es"
    assert spanish.json["name"] == "Programa ambulatorio intensivo"
    assert spanish.json["translation_reviewed"] is False
    assert visitor.get("/v1/programs/iop", headers={"Accept-Language": "fr, *;q=0.1"}).json["language"] == "en"


@pytest.mark.parametrize("slug", ["aftercare", "IOP", "iop%00", "%2e%2e", "x" * 150])
def test_a_program_that_is_not_in_the_catalogue_is_not_found(visitor, slug):
    assert visitor.get(f"/v1/programs/{slug}").status_code == 404


def test_that_there_is_no_such_program_may_be_remembered_for_a_minute(visitor):
    assert visitor.get("/v1/programs/aftercare").headers["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize(
    "path",
    ["/v1/programs", "/v1/programs/iop", "/v1/program-comparison?programs=iop,op", "/v1/locations", "/v1/app-config"],
)
def test_the_catalogue_is_cacheable_by_anyone_and_answers_304(visitor, path):
    first = visitor.get(path)
    assert first.headers["Cache-Control"] == "public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400"
    assert {"Accept", "Accept-Language"} <= {one.strip() for one in first.headers["Vary"].split(",")}
    assert first.headers["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in first.headers
    again = visitor.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    for name in ("ETag", "Cache-Control", "Vary"):
        assert again.headers[name] == first.headers[name]


def test_each_language_and_type_has_a_tag_of_its_own(visitor):
    tags = {visitor.get("/v1/programs/iop", headers=headers).headers["ETag"] for headers in ({}, SPANISH, LINKED)}
    assert len(tags) == 3
    spanish = visitor.get("/v1/programs/iop", headers=SPANISH).headers["ETag"]
    assert visitor.get("/v1/programs/iop", headers={"If-None-Match": spanish}).status_code == 200


def test_head_answers_like_get_without_the_body(visitor):
    got, asked = visitor.get("/v1/programs/iop"), visitor.request("HEAD", "/v1/programs/iop")
    assert asked.headers["ETag"] == got.headers["ETag"]
    assert asked.data == b""


def test_a_program_is_schema_org_for_who_asks_for_linked_data(visitor):
    linked = visitor.get("/v1/programs/iop", headers=LINKED)
    assert linked.content_type == "application/ld+json"
    assert (linked.json["@context"], linked.json["@type"]) == ("https://schema.org", "MedicalClinic")
    service = linked.json["availableService"]
    assert (service["@type"], service["alternateName"]) == ("MedicalTherapy", ["IOP", "Half Day Treatment"])
    assert service["@id"].endswith("/v1/programs/iop")


def test_linked_data_does_not_claim_that_the_clinic_offers_what_it_only_names(visitor):
    assert visitor.get("/v1/programs/php", headers=LINKED).json["@type"] == "MedicalTherapy"
    everything = visitor.get("/v1/programs", headers=LINKED).json
    offered = [one["@id"].rsplit("/", 1)[-1] for one in everything["availableService"]]
    assert offered == ["iop", "op"]


@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/json, application/ld+json;q=0.5", "nonsense", ""])
def test_everybody_else_gets_json(visitor, accept):
    assert visitor.get("/v1/programs/iop", headers={"Accept": accept}).content_type == "application/json"


def test_iop_and_op_stand_side_by_side(visitor):
    found = visitor.get("/v1/program-comparison?programs=iop,op")
    assert ComparisonAnswer().load(found.json)
    rows = {row["key"]: row for row in found.json["rows"]}
    assert {"intensity", "structure", "supervision"} <= set(rows)
    assert rows["hours_per_week"]["difference"] == "IOP takes about 5 to 14 hours a week more than OP."
    assert "assessment" in found.json["placement_note"]


def test_the_columns_stand_in_the_order_asked_for(visitor):
    found = visitor.get("/v1/program-comparison?programs=php,op,iop,detox").json
    assert [one["slug"] for one in found["programs"]] == ["php", "op", "iop", "detox"]
    hours = next(row for row in found["rows"] if row["key"] == "hours_per_week")
    assert [cell["text"] for cell in hours["cells"]][::3] == ["Not stated", "Not stated"]


@pytest.mark.parametrize(
    "asked", ["iop", "iop,iop", "iop,nowhere", "iop,op,php,detox,inpatient", "", "iop,", "iop,op,op", "iop,%00"]
)
def test_only_two_to_four_different_programs_compare(visitor, asked):
    refused = visitor.get(f"/v1/program-comparison?programs={asked}")
    assert (refused.status_code, refused.json["retry"]) == (400, "never")


def test_a_comparison_without_programs_is_refused(visitor):
    assert visitor.get("/v1/program-comparison").status_code == 400


def test_reading_needs_no_database_while_the_catalogue_is_fresh(visitor, monkeypatch):
    visitor.get("/v1/programs/iop")
    monkeypatch.setattr("api.db.running", lambda caller: pytest.fail("the database was asked"))
    assert visitor.get("/v1/programs/iop").status_code == 200
    assert slugs(visitor.get("/v1/programs?q=detox")) == ["detox"]


def test_what_is_older_than_five_seconds_is_not_served_without_asking(visitor, monkeypatch):
    visitor.get("/v1/programs/iop")
    later = time.monotonic() + 5.1
    monkeypatch.setattr("api.programs.shelf.time.monotonic", lambda: later)
    monkeypatch.setattr("api.programs.reading.edition_unless", out_of_reach)
    refused = visitor.get("/v1/programs/iop")
    assert (refused.status_code, refused.json["retry"]) == (503, "later")
    assert int(refused.headers["Retry-After"]) > 0


def out_of_reach(known):
    raise errors.Unavailable


def test_a_token_makes_no_difference_to_what_is_public(visitor, patient):
    assert patient.get("/v1/programs/iop").data == visitor.get("/v1/programs/iop").data

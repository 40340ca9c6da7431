"""Where the clinic is and when it is open, as the clinic keeps it and anyone reads it."""

import uuid
from datetime import UTC, datetime

import pytest

from api.programs import hours, shelf
from schemas.crisis import AppConfigAnswer
from schemas.locations import LocationAnswer

WORKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
DESCRIBED = {
    "name": "Example Street",
    "address": {
        "street": "1 Example Street",
        "city": "Exampleton",
        "region": "MA",
        "postal_code": "00000",
        "country": "US",
    },
    "time_zone": "America/New_York",
    "phone": "+1 555 0100",
    "hours": [{"weekday": day, "opens": "09:00", "closes": "17:00"} for day in WORKDAYS],
    "programs": ["iop"],
    "answers_clinic_line": True,
}
HOLIDAY = {
    "starts_at": "2026-11-26T05:00:00Z",
    "ends_at": "2026-11-27T05:00:00Z",
    "reason": {"en": "Holiday", "es": "Día festivo"},
}
THURSDAY_TEN = datetime(2026, 11, 26, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def today(travel):
    return travel("2026-11-23T15:00:00Z")


@pytest.fixture
def location(clinic):
    """A location that the clinic has added, as answered to it."""
    made = clinic.post("/v1/clinic/locations", json=DESCRIBED)
    assert made.status_code == 201
    shelf.forget()
    return made


@pytest.fixture
def path(location):
    return f"/v1/clinic/locations/{location.json['id']}"


@pytest.fixture
def closure(clinic, path):
    made = clinic.post(f"{path}/closures", json=HOLIDAY)
    assert made.status_code == 201
    shelf.forget()
    return made.json


def test_without_a_configured_location_there_is_none(visitor):
    assert visitor.get("/v1/locations").json == {"items": []}


def test_a_location_has_hours_closures_and_a_zone(visitor, location, closure):
    shown = visitor.get(f"/v1/locations/{location.json['id']}").json
    assert LocationAnswer().load(shown)
    assert (shown["time_zone"], shown["phone"]) == ("America/New_York", "+1 555 0100")
    assert shown["hours"] == DESCRIBED["hours"]
    assert shown["closures"] == [HOLIDAY | {"id": closure["id"], "reason": "Holiday"}]
    assert visitor.get("/v1/locations").json["items"] == [shown]


def test_closures_give_their_reason_in_the_readers_language(visitor, location, closure):
    spanish = visitor.get(f"/v1/locations/{location.json['id']}", headers={"Accept-Language": "es"})
    assert spanish.json["closures"][0]["reason"] == "Día festivo"


def test_a_closure_that_is_long_over_is_not_shown_any_more(visitor, location, closure, travel):
    travel("2026-12-20T15:00:00Z")
    assert visitor.get(f"/v1/locations/{location.json['id']}").json["closures"] == []


def test_a_program_names_the_locations_that_offer_it(visitor, location):
    assert visitor.get("/v1/programs/iop").json["locations"] == [{"id": location.json["id"], "name": "Example Street"}]
    assert visitor.get("/v1/programs/op").json["locations"] == []


def test_linked_data_has_address_and_opening_hours(visitor, location):
    linked = visitor.get("/v1/programs/iop", headers={"Accept": "application/ld+json"}).json
    place = linked["location"][0]
    assert place["address"]["addressLocality"] == "Exampleton"
    assert place["openingHoursSpecification"][0]["dayOfWeek"] == "https://schema.org/Monday"


def test_closing_and_opening_again_change_what_the_clinic_reads(clinic, location, path):
    tags = [location.headers["ETag"]]
    closed = clinic.post(f"{path}/closures", json=HOLIDAY).json
    tags.append(clinic.get(path).headers["ETag"])
    clinic.delete(f"{path}/closures/{closed['id']}")
    tags.append(clinic.get(path).headers["ETag"])
    assert tags == ['"1"', '"2"', '"3"']
    assert clinic.get(path, headers={"If-None-Match": tags[1]}).status_code == 200
    assert [clinic.put(path, json=DESCRIBED, if_match=tag).status_code for tag in tags] == [412, 412, 200]


def test_a_closure_that_is_not_there_changes_nothing(clinic, location, path):
    assert clinic.delete(f"{path}/closures/{uuid.uuid4()}").status_code == 404
    assert clinic.get(path).headers["ETag"] == location.headers["ETag"]


@pytest.mark.parametrize("wanted", ["0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4eff", "1", "%00"])
def test_a_location_that_is_not_there_is_not_found(visitor, wanted):
    assert visitor.get(f"/v1/locations/{wanted}").status_code == 404


def test_a_location_is_described_anew_as_a_whole(clinic, visitor, location, path):
    saturday = {"weekday": "saturday", "opens": "10:00", "closes": "00:00"}
    described = {key: value for key, value in DESCRIBED.items() if key != "phone"} | {"hours": [saturday]}
    changed = clinic.put(path, json=described, if_match=location.headers["ETag"])
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    shelf.forget()
    shown = visitor.get(f"/v1/locations/{location.json['id']}").json
    assert (shown["hours"], "phone" in shown) == ([saturday], False)


def test_an_old_reading_of_a_location_is_refused(clinic, location, path):
    clinic.put(path, json=DESCRIBED, if_match=location.headers["ETag"])
    assert clinic.put(path, json=DESCRIBED, if_match=location.headers["ETag"]).status_code == 412
    assert clinic.put(path, json=DESCRIBED).status_code == 428
    assert clinic.get(path).headers["ETag"] == '"2"'


def test_the_same_key_adds_one_location(clinic, owner_sql):
    first = clinic.post("/v1/clinic/locations", json=DESCRIBED, key="add-1")
    again = clinic.post("/v1/clinic/locations", json=DESCRIBED, key="add-1")
    assert (first.json, again.headers["Idempotency-Replayed"]) == (again.json, "true")
    assert owner_sql("SELECT count(*) FROM locations") == [(1,)]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"time_zone": "Mars/Olympus"}, "/time_zone"),
        ({"hours": [{"weekday": "monday", "opens": "17:00", "closes": "09:00"}]}, "/hours/0/closes"),
        ({"hours": [{"weekday": "someday", "opens": "09:00", "closes": "17:00"}]}, "/hours/0/weekday"),
        ({"hours": DESCRIBED["hours"][:1] * 2}, "/hours"),
        ({"programs": ["nowhere"]}, "/programs"),
        ({"phone": "call us"}, "/phone"),
    ],
)
def test_a_location_that_does_not_fit_is_refused(clinic, changes, pointer):
    refused = clinic.post("/v1/clinic/locations", json=DESCRIBED | changes)
    assert (refused.status_code, [one["pointer"] for one in refused.json["errors"]]) == (422, [pointer])


def test_a_closure_can_be_taken_back_once(clinic, visitor, location, path, closure):
    assert clinic.delete(f"{path}/closures/{closure['id']}").status_code == 204
    assert clinic.delete(f"{path}/closures/{closure['id']}").status_code == 404
    shelf.forget()
    assert visitor.get(f"/v1/locations/{location.json['id']}").json["closures"] == []


def test_a_closure_must_end_after_it_begins_and_close_something(clinic, path):
    backward = HOLIDAY | {"ends_at": HOLIDAY["starts_at"]}
    assert clinic.post(f"{path}/closures", json=backward).status_code == 422
    assert clinic.post(f"/v1/clinic/locations/{uuid.uuid4()}/closures", json=HOLIDAY).status_code == 404


def test_other_slices_learn_whether_the_clinic_is_open(location, closure, as_worker):
    with as_worker():
        places = shelf.inside().locations
    holiday = hours.opening(places, at=THURSDAY_TEN)
    assert (holiday.open_now, holiday.opens_at) == (False, datetime(2026, 11, 27, 14, tzinfo=UTC))
    assert hours.opening(places, at=THURSDAY_TEN.replace(day=25)).open_now
    assert hours.after_open_time(places, start=THURSDAY_TEN, minutes=30) == datetime(2026, 11, 27, 14, 30, tzinfo=UTC)


def test_the_app_learns_crisis_help_and_the_time_before_anybody_signs_in(visitor, location):
    known = visitor.get("/v1/app-config")
    assert AppConfigAnswer().load(known.json)
    assert [one["number"] for one in known.json["crisis"]["resources"]] == ["911", "988", "988"]
    assert known.json["server_time"] == "2026-11-23T15:00:00Z"
    assert known.json["clinic"] == {"name": "Trinity Wellness Group", "time_zone": "America/New_York"}


def test_the_passing_of_time_alone_is_no_news(visitor, travel):
    tag = visitor.get("/v1/app-config").headers["ETag"]
    travel("2026-11-23T15:04:00Z")
    assert visitor.get("/v1/app-config", headers={"If-None-Match": tag}).status_code == 304

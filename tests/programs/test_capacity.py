"""Where new patients can start, as the clinic confirms it and partners and the website read it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from api import vocabulary
from api.programs import about, shelf
from schemas.capacity import CapacitiesAnswer, ClinicCapacitiesAnswer
from schemas.programs import ProgramAnswer
from tests.conftest import add_client
from tests.knocking import Knocker
from tests.programs.test_locations import DESCRIBED

NOW = "2026-11-23T15:00:00Z"
NOBODYS = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01"
TODAY = {"starts_at": "2026-11-23T15:00:00Z", "ends_at": "2026-11-24T05:00:00Z"}
STALE = timedelta(hours=72)


@pytest.fixture(autouse=True)
def today(travel):
    return travel(NOW)


@pytest.fixture
def make_partner(app, superuser):
    """Makes another organisation's system with a token of its own."""

    def make(name="North", scopes=vocabulary.PARTNER_SCOPES):
        client = add_client(superuser, kind="partner", name=name, scopes=scopes)
        token = app.extensions["tokens"].issue(kind="partner", subject=client, client_id=str(client), scopes=scopes)
        return Knocker(app, {"Authorization": f"Bearer {token}"}, id=client)

    return make


@pytest.fixture
def partner(make_partner):
    return make_partner()


@pytest.fixture
def place(clinic):
    """A location that offers IOP, by its id."""
    return add_place(clinic)


def add_place(clinic, **described):
    made = clinic.post("/v1/clinic/locations", json={**DESCRIBED, **described})
    assert made.status_code == 201
    shelf.forget()
    return made.json["id"]


def say(clinic, place, state="open", program="iop", **more):
    said = clinic.put(f"/v1/clinic/programs/{program}/capacity/{place}", json={"state": state, **more})
    shelf.forget()
    return said


def close(clinic, place, **times):
    made = clinic.post(f"/v1/clinic/locations/{place}/closures", json={**TODAY, **times})
    shelf.forget()
    return made


def read(partner, query="", **headers):
    found = partner.get(f"/v1/partner/capacity{query}", headers=headers)
    assert found.status_code == 200
    return found


def states(partner):
    return [(one["program"], one["state"]) for one in read(partner).json["items"]]


def available(visitor, language="en"):
    return visitor.get("/v1/programs/iop", headers={"Accept-Language": language}).json.get("availability")


@pytest.mark.parametrize("state", vocabulary.CAPACITIES)
def test_partners_read_what_the_clinic_says(clinic, partner, place, state):
    assert say(clinic, place, state, notes="New patients start on Mondays.").status_code == 200
    found = read(partner)
    assert CapacitiesAnswer().load(found.json)
    assert found.json["items"] == [
        {
            "program": "iop", "program_name": "Intensive Outpatient Program", "location_id": place,
            "location_name": "Example Street", "time_zone": "America/New_York", "phone": "+1 555 0100",
            "state": state, "notes": "New patients start on Mondays.", "confirmed_at": NOW,
        }
    ]  # fmt: skip


def test_where_nobody_has_said_anything_one_calls(partner, place):
    (found,) = read(partner).json["items"]
    assert found["state"] == "call_us" and not {"confirmed_at", "notes"} & set(found)


def test_what_was_confirmed_too_long_ago_reads_call_us(clinic, partner, place, today, travel):
    """To the second; when it was confirmed stays to be read, and the notes go with what they stood beside."""
    say(clinic, place, notes="New patients start on Mondays.")
    travel(today + STALE - timedelta(seconds=1))
    assert read(partner).json["items"][0]["state"] == "open"
    travel(today + STALE)
    (found,) = read(partner).json["items"]
    assert (found["state"], found["confirmed_at"]) == ("call_us", NOW) and "notes" not in found


def test_saying_it_again_confirms_it_anew_and_takes_the_notes_back(clinic, partner, place, today, travel):
    say(clinic, place, notes="New patients start on Mondays.")
    travel(today + STALE)
    assert say(clinic, place, "waitlist").json["confirmed_at"] == "2026-11-26T15:00:00Z"
    (found,) = read(partner).json["items"]
    assert found["state"] == "waitlist" and "notes" not in found


def test_how_long_it_is_good_for_is_the_clinics_to_set(clinic, partner, place, today, travel, monkeypatch, settings):
    monkeypatch.setattr(about, "_clinic", about.clinic())
    about.use(replace(settings, capacity_stale_hours=1))
    say(clinic, place)
    travel(today + timedelta(hours=1))
    assert states(partner) == [("iop", "call_us")]


def test_a_closure_shows_at_once_and_until_it_is_over(clinic, partner, place, travel):
    say(clinic, place)
    assert close(clinic, place).status_code == 201
    (found,) = read(partner).json["items"]
    assert (found["state"], found["closed_until"]) == ("closed", "2026-11-24T05:00:00Z")
    travel("2026-11-24T05:00:00Z")
    (found,) = read(partner).json["items"]
    assert found["state"] == "open" and "closed_until" not in found


def test_a_closure_that_is_taken_back_shows_no_more(clinic, partner, place):
    say(clinic, place)
    closure = close(clinic, place).json["id"]
    clinic.delete(f"/v1/clinic/locations/{place}/closures/{closure}")
    assert states(partner) == [("iop", "open")]


def test_the_tag_changes_with_what_is_said_and_with_the_clock(clinic, partner, place, today, travel):
    tags = [read(partner).headers["ETag"]]
    say(clinic, place)
    tags.append(read(partner).headers["ETag"])
    travel(today + STALE)
    tags.append(read(partner).headers["ETag"])
    close(clinic, place, starts_at="2026-11-26T16:00:00Z", ends_at="2026-11-26T17:00:00Z")
    assert read(partner).headers["ETag"] == tags[-1]
    travel("2026-11-26T16:00:00Z")
    tags.append(read(partner).headers["ETag"])
    assert len(set(tags)) == 4 and not any(one.startswith("W/") for one in tags)


def test_what_is_known_is_not_said_again(clinic, partner, place):
    say(clinic, place)
    tag = read(partner).headers["ETag"]
    again = partner.get("/v1/partner/capacity", headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert again.headers["Cache-Control"] == "no-store"
    say(clinic, place, "full")
    assert partner.get("/v1/partner/capacity", headers={"If-None-Match": tag}).status_code == 200


def test_what_is_not_offered_is_not_listed(clinic, partner):
    """PHP is in the catalogue for orientation: the clinic has not said that it offers it."""
    place = add_place(clinic, programs=["php", "iop"])
    assert states(partner) == [("iop", "call_us")]
    refused = say(clinic, place, program="php")
    assert (refused.status_code, refused.json["type"].rsplit("/", 1)[1]) == (409, "not-offered-here")


def test_a_location_that_offers_it_no_more_is_not_listed(clinic, partner, place):
    say(clinic, place)
    path = f"/v1/clinic/locations/{place}"
    version = clinic.get(path).headers["ETag"]
    changed = clinic.put(path, json={**DESCRIBED, "programs": ["op"]}, headers={"If-Match": version})
    assert changed.status_code == 200
    assert states(partner) == [("op", "call_us")]
    refused = say(clinic, place)
    assert (refused.status_code, refused.json["type"].rsplit("/", 1)[1]) == (409, "not-offered-there")


@pytest.mark.parametrize(("program", "place"), [("aftercare", None), ("iop", NOBODYS), ("aftercare", NOBODYS)])
def test_nothing_is_said_of_what_is_not_there(clinic, place, program, request):
    place = place or add_place(clinic)
    assert say(clinic, place, program=program).status_code == 404


@pytest.mark.parametrize(
    "body", [{}, {"state": "call_us"}, {"state": "closed"}, {"state": "open", "notes": ""}, {"state": "open", "of": 1}]
)
def test_what_cannot_be_said_is_refused(clinic, place, body):
    assert clinic.put(f"/v1/clinic/programs/iop/capacity/{place}", json=body).status_code == 422


def test_notes_are_bounded(clinic, place):
    assert say(clinic, place, notes="x" * 500).status_code == 200
    assert say(clinic, place, notes="x" * 501).status_code == 422


def test_pages_walk_through_all_of_it_once(clinic, partner):
    places = sorted(add_place(clinic, name=f"Street {number}", programs=["iop", "op"]) for number in range(3))
    walked, token = [], ""
    for _ in range(3):
        page = read(partner, f"?page_size=2{token}").json
        walked += [(one["program"], one["location_id"]) for one in page["items"]]
        token = f"&page_token={page.get('next_page_token')}"
    assert walked == [(program, place) for program in ("iop", "op") for place in places]
    assert "next_page_token" not in page


def test_a_page_token_is_its_partners_alone(clinic, partner, make_partner):
    for number in range(2):
        add_place(clinic, name=f"Street {number}")
    token = read(partner, "?page_size=1").json["next_page_token"]
    assert make_partner("South").get(f"/v1/partner/capacity?page_token={token}").status_code == 400
    assert partner.get(f"/v1/partner/capacity?program=iop&page_token={token}").status_code == 400


def test_one_program_may_be_asked_for(clinic, partner):
    add_place(clinic, programs=["iop", "op"])
    assert [one["program"] for one in read(partner, "?program=op").json["items"]] == ["op"]
    assert read(partner, "?program=aftercare").json["items"] == []
    assert partner.get("/v1/partner/capacity?level=op").status_code == 400


def test_a_partner_needs_the_scope_and_must_stand(make_partner, place, owner_sql):
    assert make_partner("South", ["referrals:read"]).get("/v1/partner/capacity").status_code == 403
    partner = make_partner("North")
    owner_sql("UPDATE api_clients SET status = 'suspended' WHERE name = 'North'")
    assert partner.get("/v1/partner/capacity").status_code == 401


def test_others_are_refused_and_a_strangers_asking_is_told_how(visitor, patient, clinic, place):
    for caller in (visitor, patient, clinic):
        refused = caller.get("/v1/partner/capacity")
        assert refused.status_code == 401
        assert "/.well-known/oauth-protected-resource/v1/partner" in refused.headers["WWW-Authenticate"]


def test_each_reading_spends_of_the_partners_own_quota(partner, make_partner, place):
    first, second = (read(partner).headers["RateLimit"] for _ in range(2))
    assert left(second) == left(first) - 1
    assert left(read(make_partner("South")).headers["RateLimit"]) == left(first)


def left(header):
    return int(header.split("r=")[1].split(";")[0])


def test_the_reading_is_audited_for_the_partner(partner, place, owner_sql):
    read(partner)
    found = owner_sql("SELECT caller_kind, client_id, action, outcome, patient_id FROM audit_events"
                      " WHERE operation = 'listCapacity'")  # fmt: skip
    assert found == [("partner", partner.id, "read", "done", None)]


def test_the_clinic_sees_what_it_said_and_what_readers_are_told(clinic, place, today, travel):
    say(clinic, place, notes="New patients start on Mondays.")
    travel(today + STALE)
    found = clinic.get("/v1/clinic/capacity").json
    assert ClinicCapacitiesAnswer().load(found)
    assert found["items"] == [
        {
            "program": "iop", "location_id": place, "location_name": "Example Street",
            "time_zone": "America/New_York", "state": "call_us", "stated": "open",
            "notes": "New patients start on Mondays.", "confirmed_at": NOW, "confirmed_by": "u-17",
        }
    ]  # fmt: skip


def test_the_clinic_sees_where_nothing_was_said(clinic, place):
    (found,) = clinic.get("/v1/clinic/capacity").json["items"]
    assert found["state"] == "call_us" and not {"stated", "confirmed_at", "confirmed_by"} & set(found)


def test_the_website_says_it_in_words_and_without_the_notes(clinic, visitor, place):
    say(clinic, place, "waitlist", notes="For partners.")
    program = visitor.get("/v1/programs/iop")
    assert ProgramAnswer().load(program.json) and "For partners." not in program.text
    assert program.json["availability"] == [
        {
            "location_id": place, "location_name": "Example Street", "time_zone": "America/New_York",
            "state": "waitlist", "text": "There is a waitlist here.", "confirmed_at": NOW,
        }
    ]  # fmt: skip
    assert available(visitor, "es")[0]["text"] == "Aquí hay lista de espera."


def test_the_website_and_partners_are_told_the_same(clinic, visitor, partner, place, today, travel):
    """Also where only the clock changes it, while the catalogue stays the same in memory."""
    say(clinic, place)
    close(clinic, place, starts_at="2026-11-24T15:00:00Z", ends_at="2026-11-25T15:00:00Z")
    told = []
    for at in (timedelta(), timedelta(days=1), timedelta(days=2), STALE):
        travel(today + at)
        (theirs,) = read(partner).json["items"]
        (shown,) = available(visitor)
        assert (shown["state"], shown.get("closed_until")) == (theirs["state"], theirs.get("closed_until"))
        told.append(shown["state"])
    assert told == ["open", "closed", "open", "call_us"]


def test_the_tag_of_a_program_changes_where_only_the_clock_changes_it(clinic, visitor, place, today, travel):
    say(clinic, place)
    tag = visitor.get("/v1/programs/iop").headers["ETag"]
    travel(today + STALE - timedelta(seconds=1))
    assert visitor.get("/v1/programs/iop", headers={"If-None-Match": tag}).status_code == 304
    travel(today + STALE)
    assert visitor.get("/v1/programs/iop", headers={"If-None-Match": tag}).status_code == 200


def test_the_list_of_programs_says_it_too_and_only_of_what_is_offered(clinic, visitor):
    add_place(clinic, programs=["iop", "php"])
    found = visitor.get("/v1/programs").json["items"]
    assert [one["slug"] for one in found if "availability" in one] == ["iop"]
    (asked,) = visitor.get("/v1/programs?q=half+day").json["items"]
    assert asked["availability"][0]["state"] == "call_us"


def test_a_program_without_a_location_says_nothing_of_places(visitor):
    assert available(visitor) is None


def test_a_patients_own_program_is_as_it_was(clinic, place, patient):
    assert "availability" not in patient.get("/v1/me/enrollment").text


def test_only_the_clinic_writes_it(app, clinic, partner, place, owner_sql):
    for caller in (partner, Knocker(app)):
        assert say(caller, place).status_code == 401
    assert owner_sql("SELECT 1 FROM program_capacities") == []


def test_the_clinic_needs_the_scope(app, place, superuser):
    client = add_client(superuser, kind="clinic", name="catalogue", scopes=["catalogue:write"])
    issue = app.extensions["tokens"].issue
    token = issue(kind="clinic", subject=client, client_id=str(client), scopes=["catalogue:write"])
    other = Knocker(app, {"Authorization": f"Bearer {token}", "Acting-User": '"u-17";role=manager'})
    assert say(other, place).status_code == 403

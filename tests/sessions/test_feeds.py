"""A private address for a calendar app: told once, read without a token, and gone when it is taken back."""

import hashlib
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from api import db
from api.sessions import feeds, public_calendar
from tests.knocking import Knocker
from tests.sessions.conftest import Schedule, reply

FEEDS = "/v1/me/calendar-feeds"
ASKED = {"name": "My phone's calendar"}
Sql = Callable[..., list[tuple[Any, ...]]]


def subscribe(patient: Knocker, *, key: str | None = None, **different: Any) -> dict[str, Any]:
    made = patient.post(FEEDS, key=key, json={**ASKED, **different})
    assert made.status_code == 201, made.json
    return dict(made.json)


def path(feed: dict[str, Any]) -> str:
    return str(feed["address"]).removeprefix("http://127.0.0.1:8000")


@pytest.fixture(autouse=True)
def unspent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_calendar, "quota", type(public_calendar.quota)(public_calendar.PER_MINUTE))


def test_the_address_is_told_once_with_a_warning(patient: Knocker) -> None:
    feed = subscribe(patient)
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/calendar/[A-Za-z0-9_-]{43}\.ics", feed["address"])
    assert feed["warning"] == feeds.WARNING["en"]
    (listed,) = patient.get(FEEDS).json["items"]
    assert listed == {name: feed[name] for name in ("id", "name", "titles", "created_at")}
    assert listed["titles"] == "neutral"


def test_the_warning_is_spanish_for_whom_it_should_be(patient: Knocker) -> None:
    made = patient.post(FEEDS, json=ASKED, headers={"Accept-Language": "es"})
    assert made.json["warning"] == feeds.WARNING["es"]


def test_the_same_request_again_is_told_the_same_address(patient: Knocker) -> None:
    first, again = (subscribe(patient, key="feed-key-1") for _ in range(2))
    assert first == again
    assert len(patient.get(FEEDS).json["items"]) == 1


def test_who_does_not_have_the_key_of_that_request_makes_no_address_of_it(app: Any, patient: Knocker) -> None:
    feed = subscribe(patient, key="feed-key-1")
    with db.transaction(db.Caller(kind="patient", patient_id=patient.id)):
        again = feeds.again(patient_id=patient.id, feed_id=uuid.UUID(feed["id"]), key="feed-key-2")
    assert again.secret is None


def test_nothing_is_kept_of_the_secret_but_its_hash(patient: Knocker, owner_sql: Sql) -> None:
    secret = path(subscribe(patient)).removeprefix("/calendar/").removesuffix(".ics")
    assert owner_sql("SELECT secret_hash FROM calendar_feeds") == [(hashlib.sha256(secret.encode()).digest(),)]
    dumped = owner_sql("SELECT string_agg(f::text, '') FROM calendar_feeds f")[0][0]
    assert secret not in dumped


def test_a_calendar_app_reads_without_a_token(visitor: Knocker, patient: Knocker) -> None:
    read = visitor.get(path(subscribe(patient)))
    assert read.status_code == 200
    assert read.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert read.headers["Cache-Control"] == "private, no-cache"
    assert read.headers["Referrer-Policy"] == "no-referrer"
    assert read.headers["X-Robots-Tag"] == "noindex"
    assert "Access-Control-Allow-Origin" not in read.headers
    assert visitor.request("HEAD", path(subscribe(patient))).data == b""


def test_who_knows_the_feed_gets_no_body(schedule: Schedule, visitor: Knocker, patient: Knocker) -> None:
    schedule.begin(patient)
    address = path(subscribe(patient))
    tag = visitor.get(address).headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}'):
        again = visitor.get(address, headers={"If-None-Match": known})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
        assert again.headers["Cache-Control"] == "private, no-cache"
    assert visitor.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_whatever_changes_the_feed_changes_its_tag(
    schedule: Schedule, visitor: Knocker, patient: Knocker, travel: Any
) -> None:
    schedule.begin(patient)
    address = path(subscribe(patient, titles="labels"))
    tags = [visitor.get(address).headers["ETag"]]
    schedule.change(schedule.sessions()[0], status="cancelled")
    tags.append(visitor.get(address).headers["ETag"])
    patient.put("/v1/me/preferences", json={"discreet_label": "Class"}, if_match="*")
    tags.append(visitor.get(address).headers["ETag"])
    travel("2026-11-24T00:00:00Z")
    tags.append(visitor.get(address).headers["ETag"])
    assert len(set(tags)) == 4


def test_the_same_tag_is_the_same_bytes(schedule: Schedule, visitor: Knocker, patient: Knocker, travel: Any) -> None:
    schedule.begin(patient)
    address = path(subscribe(patient))
    first = visitor.get(address)
    travel("2026-11-23T23:59:59Z")
    second = visitor.get(address)
    assert (first.headers["ETag"], first.data) == (second.headers["ETag"], second.data)


def test_an_address_that_was_taken_back_is_nobodys(visitor: Knocker, patient: Knocker) -> None:
    feed = subscribe(patient)
    tag = visitor.get(path(feed)).headers["ETag"]
    assert patient.delete(f"{FEEDS}/{feed['id']}").status_code == 204
    gone = [visitor.get(path(feed)), visitor.get(path(feed), headers={"If-None-Match": tag})]
    nobodys = visitor.get(f"/calendar/{'A' * 43}.ics")
    assert [one.status_code for one in (*gone, nobodys)] == [404, 404, 404]
    assert without_instance(gone[0]) == without_instance(nobodys)
    assert patient.delete(f"{FEEDS}/{feed['id']}").status_code == 404
    assert patient.get(FEEDS).json["items"] == []


def without_instance(answer: Any) -> dict[str, Any]:
    return {name: value for name, value in answer.json.items() if name != "instance"}


def test_taking_one_back_leaves_the_others(visitor: Knocker, patient: Knocker) -> None:
    kept, gone = subscribe(patient), subscribe(patient)
    patient.delete(f"{FEEDS}/{gone['id']}")
    assert visitor.get(path(kept)).status_code == 200


def test_an_address_that_was_taken_back_is_not_told_again(patient: Knocker) -> None:
    feed = subscribe(patient, key="feed-key-1")
    patient.delete(f"{FEEDS}/{feed['id']}")
    assert patient.post(FEEDS, key="feed-key-1", json=ASKED).status_code == 404


def test_nobody_takes_back_anothers(visitor: Knocker, patient: Knocker, other_patient: Knocker) -> None:
    feed = subscribe(patient)
    assert other_patient.delete(f"{FEEDS}/{feed['id']}").status_code == 404
    assert other_patient.get(FEEDS).json["items"] == []
    assert visitor.get(path(feed)).status_code == 200


@pytest.mark.parametrize("status", ["suspended", "deceased", "merged"])
def test_who_is_not_active_has_no_feed(visitor: Knocker, clinic: Knocker, patient: Knocker, status: str) -> None:
    address = path(subscribe(patient))
    tag = visitor.get(address).headers["ETag"]
    changed = clinic.put(f"/v1/clinic/patients/{patient.external_id}/status", json={"status": status})
    assert changed.status_code == 200
    for headers in ({}, {"If-None-Match": tag}):
        assert visitor.get(address, headers=headers).status_code == 404


def test_a_feed_tells_of_its_patients_sessions_alone(
    schedule: Schedule, visitor: Knocker, patient: Knocker, other_patient: Knocker
) -> None:
    schedule.begin(patient)
    assert visitor.get(path(subscribe(patient))).text.count("BEGIN:VEVENT") == 12
    assert visitor.get(path(subscribe(other_patient))).text.count("BEGIN:VEVENT") == 0


def test_two_feeds_tell_of_a_session_under_two_ids(schedule: Schedule, visitor: Knocker, patient: Knocker) -> None:
    schedule.begin(patient)
    uids = [set(re.findall(r"UID:(\S+)", visitor.get(path(subscribe(patient))).text)) for _ in range(2)]
    assert not uids[0] & uids[1]


def test_a_feed_gives_nothing_away(schedule: Schedule, visitor: Knocker, patient: Knocker) -> None:
    session = schedule.begin(patient, program="iop")
    reply(patient, {"id": schedule.sessions()[0]["id"], "starts_at": schedule.sessions()[0]["starts_at"]}, "attending")
    text = visitor.get(path(subscribe(patient, name="Sam's recovery"))).text
    kept = [*session.values(), *schedule.sessions()[0].values(), patient.id, patient.external_id, "Sam", "recovery"]
    neutral = {"America/New_York", "group", "2", 1, False, "scheduled", "in_person", 180}
    given_away = [one for one in map(str, (one for one in kept if one not in neutral)) if one in text]
    assert given_away == []
    assert not any(word in text for word in ("LOCATION", "DESCRIPTION", "ATTENDEE", "ORGANIZER", "METHOD", "Trinity"))


def test_there_are_so_many_addresses_and_no_more(patient: Knocker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST", 2)
    subscribe(patient)
    last = subscribe(patient)
    refused = patient.post(FEEDS, json=ASKED)
    assert refused.json["type"].endswith("/problems/too-many-calendar-feeds")
    patient.delete(f"{FEEDS}/{last['id']}")
    subscribe(patient)


def test_each_address_has_a_quota_of_its_own(
    visitor: Knocker, patient: Knocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = path(subscribe(patient)), path(subscribe(patient))
    monkeypatch.setattr(public_calendar, "quota", type(public_calendar.quota)(2))
    assert [visitor.get(one).status_code for _ in range(3)] == [200, 200, 429]
    assert "Retry-After" in visitor.get(one).headers
    assert visitor.get(other).status_code == 200


def test_no_line_of_the_log_tells_the_address(
    visitor: Knocker, patient: Knocker, capfd: pytest.CaptureFixture[str]
) -> None:
    feed = subscribe(patient)
    visitor.get(path(feed))
    visitor.get(path(feed).replace(".ics", "x.ics"))
    written = "".join(capfd.readouterr())
    assert "/calendar/<feed_secret>.ics" in written
    assert path(feed).removeprefix("/calendar/").removesuffix(".ics") not in written


def test_a_hash_that_is_nobodys_names_no_patient(app: Any, patient: Knocker) -> None:
    subscribe(patient)
    with db.transaction(db.PUBLIC) as session:
        connection = session.connection().exec_driver_sql
        assert connection("SELECT * FROM calendar_feed_of('\\x00')").all() == []
        assert connection("SELECT * FROM calendar_feeds").all() == []


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "x" * 61}, {"titles": "loud"}, {"location": "yes"}])
def test_what_is_asked_is_checked(patient: Knocker, wrong: dict[str, Any]) -> None:
    assert patient.post(FEEDS, json={**ASKED, **wrong}).status_code == 422

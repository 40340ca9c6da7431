"""A feed read by somebody else's library says what the API says, and is written as calendars want it."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
from dateutil.tz import tzical

from api.sessions import feed_text, feed_zone
from api.sessions.feed_text import Calendar, Event
from tests.knocking import Knocker
from tests.sessions.calendars import AT, by_the_api, feed_of, fill, times, utc
from tests.sessions.conftest import Schedule, mine

Sql = Callable[..., list[tuple[Any, ...]]]
SALT = bytes(range(16))
ID = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01"
NOON = 1_795_539_600  # 2026-11-24T17:00:00Z


def read(text: str) -> list[dict[str, Any]]:
    calendar = icalendar.Calendar.from_ical(text)
    return [
        {
            "uid": str(one["UID"]),
            "title": str(one["SUMMARY"]),
            "starts_at": utc(one["DTSTART"].dt),
            "ends_at": utc(one["DTEND"].dt),
            "status": str(one["STATUS"]),
            "sequence": int(one["SEQUENCE"]),
            "revised_at": one["DTSTAMP"].dt,
        }
        for one in calendar.walk("VEVENT")
    ]


def of(*events: Event, **different: Any) -> str:
    told = {
        "address": "https://api.example.org/calendar/secret.ics",
        "salt": SALT,
        "title": "Appointment",
        "name": "Appointments",
        "time_zone": "America/New_York",
        "year": 2026,
    }
    return feed_text.written(Calendar(**(told | different)), events)


def event(**different: Any) -> Event:
    usual = {
        "session_id": ID, "starts": NOON, "ends": NOON + 3600, "status": "scheduled",
        "time_zone": "America/New_York", "revision": 1, "revised": NOON - 86400,
    }  # fmt: skip
    return Event(**(usual | different))


def test_a_year_with_both_changes_of_the_clocks_is_what_the_api_says(
    patient: Knocker, visitor: Knocker, owner_sql: Sql, travel: Any
) -> None:
    travel(AT)
    fill(owner_sql, patient)
    told = read(feed_of(patient, visitor))
    assert times(told) == times(by_the_api(patient))
    assert len(told) > 110
    assert len({one["uid"] for one in told}) == len(told)


def test_the_window_is_thirty_days_back_and_a_year_ahead(
    patient: Knocker, visitor: Knocker, owner_sql: Sql, travel: Any
) -> None:
    travel(AT)
    fill(owner_sql, patient)
    starts = [one["starts_at"] for one in read(feed_of(patient, visitor))]
    assert starts == sorted(starts)
    assert "2026-09-20" < starts[0] < "2026-09-25" and "2027-10-14" < starts[-1] < "2027-10-21"


def test_a_move_and_a_cancellation_raise_the_sequence_under_the_same_id(
    schedule: Schedule, patient: Knocker, visitor: Knocker
) -> None:
    schedule.begin(patient)
    address = patient.post("/v1/me/calendar-feeds", json={"name": "Phone"}).json["address"]
    path = address.removeprefix("http://127.0.0.1:8000")
    first = read(visitor.get(path).text)[0]
    moved_to = {"starts_at": "2026-11-23T16:00:00Z"}
    assert schedule.change(schedule.sessions()[0], **moved_to).status_code == 200
    moved = read(visitor.get(path).text)[0]
    assert schedule.change(schedule.sessions()[0], status="cancelled").status_code == 200
    cancelled = read(visitor.get(path).text)[0]
    told = [first, moved, cancelled]
    assert len({one["uid"] for one in told}) == 1
    assert [one["sequence"] for one in told] == [0, 1, 2]
    assert [one["status"] for one in told] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert moved["starts_at"] == moved_to["starts_at"]
    assert first["revised_at"] <= moved["revised_at"] <= cancelled["revised_at"]


def test_what_is_no_move_leaves_the_revision_as_it_was(
    schedule: Schedule, patient: Knocker, visitor: Knocker, owner_sql: Sql
) -> None:
    schedule.begin(patient)
    owner_sql("UPDATE care_sessions SET revised_at = '2026-01-01T00:00:00Z'")
    schedule.change(schedule.sessions()[0], room="4")
    told = read(feed_of(patient, visitor))[0]
    assert (told["sequence"], utc(told["revised_at"])) == (0, "2026-01-01T00:00:00Z")


def test_a_cancelled_session_stays_for_thirty_days(
    schedule: Schedule, patient: Knocker, visitor: Knocker, travel: Any
) -> None:
    schedule.begin(patient)
    assert schedule.change(schedule.sessions()[0], status="cancelled").status_code == 200
    travel("2026-12-23T12:00:00Z")
    assert read(feed_of(patient, visitor))[0]["status"] == "CANCELLED"
    travel("2026-12-24T12:00:00Z")
    assert mine(patient, "?from=2026-11-01T00:00:00Z")[0]["status"] == "cancelled"
    assert "CANCELLED" not in feed_of(patient, visitor)


def test_titles_are_neutral_unless_the_patient_has_a_label_and_asks_for_it(
    schedule: Schedule, patient: Knocker, visitor: Knocker
) -> None:
    schedule.begin(patient)
    patient.put("/v1/me/preferences", json={"discreet_label": "Class, weekly; at 9\\10"}, if_match="*")
    assert {one["title"] for one in read(feed_of(patient, visitor))} == {"Appointment"}
    assert {one["title"] for one in read(feed_of(patient, visitor, titles="labels"))} == {"Class, weekly; at 9\\10"}


def test_a_spanish_speakers_titles_are_spanish(schedule: Schedule, patient: Knocker, visitor: Knocker) -> None:
    schedule.begin(patient)
    patient.put("/v1/me/preferences", json={"language": "es"}, if_match="*")
    assert {one["title"] for one in read(feed_of(patient, visitor, titles="labels"))} == {"Cita"}


def test_an_empty_feed_still_has_its_zone(patient: Knocker, visitor: Knocker) -> None:
    calendar = icalendar.Calendar.from_ical(feed_of(patient, visitor))
    assert [one.name for one in calendar.subcomponents] == ["VTIMEZONE"]
    assert {"PRODID", "VERSION", "UID", "NAME", "REFRESH-INTERVAL", "SOURCE"} <= set(calendar)


def test_the_head_says_what_calendars_ask_for() -> None:
    lines = of(event()).split("\r\n")
    assert lines[:4] == ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{feed_text.PRODUCT}", "CALSCALE:GREGORIAN"]
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT6H" in lines and "X-PUBLISHED-TTL:PT6H" in lines
    assert "SOURCE;VALUE=URI:https://api.example.org/calendar/secret.ics" in lines
    assert not any(line.startswith("METHOD") for line in lines)


def test_an_event_is_private_and_says_when_and_no_more() -> None:
    body = of(event()).split("BEGIN:VEVENT\r\n")[1].split("END:VEVENT")[0]
    names = [line.partition(":")[0] for line in body.strip().split("\r\n")]
    assert names == [
        "UID", "DTSTAMP", "LAST-MODIFIED", "DTSTART;TZID=America/New_York", "DTEND;TZID=America/New_York", "SUMMARY",
        "SEQUENCE", "STATUS", "CLASS", "TRANSP",
    ]  # fmt: skip
    assert "CLASS:PRIVATE" in body and "TRANSP:OPAQUE" in body


def test_lines_end_in_crlf_and_are_never_too_long() -> None:
    text = of(event(), title="ñ" * 200, address="https://api.example.org/calendar/" + "s" * 43 + ".ics")
    assert text.endswith("\r\n") and "\n" not in text.replace("\r\n", "")
    assert max(len(line.encode()) for line in text.split("\r\n")) == 75
    assert read(text)[0]["title"] == "ñ" * 200


@pytest.mark.parametrize("title", ["a,b;c\\d", "two\nlines", "tab\there", "\\n", "emoji 🌱", "e" * 80])
def test_text_is_read_as_it_was_written(title: str) -> None:
    assert read(of(event(), title=title))[0]["title"] == title.replace("\t", "")


def test_an_id_is_a_uuid_that_nobody_can_make_without_the_salt() -> None:
    made = feed_text.uid(SALT, ID.encode())
    assert (made.version, made.variant) == (8, "specified in RFC 4122")
    assert made == feed_text.uid(SALT, ID.encode()) != feed_text.uid(SALT[::-1], ID.encode())


@pytest.mark.parametrize(
    ("starts", "line"),
    [
        ("2026-11-01T04:30:00+00:00", "DTSTART;TZID=America/New_York:20261101T003000"),
        ("2026-11-01T05:30:00+00:00", "DTSTART:20261101T053000Z"),
        ("2026-11-01T06:30:00+00:00", "DTSTART:20261101T063000Z"),
        ("2026-11-01T07:30:00+00:00", "DTSTART;TZID=America/New_York:20261101T023000"),
    ],
)
def test_a_wall_time_that_comes_twice_is_told_in_utc(starts: str, line: str) -> None:
    assert f"{line}\r\n" in of(event(starts=int(datetime.fromisoformat(starts).timestamp())))


ZONES = (
    *("America/New_York", "America/Phoenix", "Europe/Dublin", "Australia/Lord_Howe", "Africa/Casablanca"),
    *("America/Havana", "Asia/Kathmandu", "UTC", "Pacific/Chatham", "America/Sao_Paulo"),
)


@pytest.mark.parametrize("zone", ZONES)
def test_a_zone_is_told_so_that_others_tell_the_same_time(zone: str) -> None:
    """dateutil makes a clock of the text alone; it is asked every half hour around all changes, and once a day."""
    told = tzical(io.StringIO(feed_zone.written(zone, 2026))).get(zone)
    for instant in instants(ZoneInfo(zone)):
        wall = instant.astimezone(ZoneInfo(zone))
        if not wall.fold:
            assert wall.replace(tzinfo=told).utcoffset() == wall.utcoffset(), wall


def instants(rules: ZoneInfo) -> list[datetime]:
    day, found = datetime(2026, 1, 1, tzinfo=UTC), []
    while day < datetime(2028, 12, 30, tzinfo=UTC):
        offsets = {(day + timedelta(days=one)).astimezone(rules).utcoffset() for one in (0, 1)}
        found += [day + timedelta(minutes=30 * step) for step in range(48 if len(offsets) > 1 else 1)]
        day += timedelta(days=1)
    return found


def test_the_beginning_of_daylight_saving_time_is_told_by_the_offset_before_it() -> None:
    """RFC 5545 §3.6.5: DTSTART of an observance is wall time by TZOFFSETFROM."""
    daylight = re.findall(r"BEGIN:DAYLIGHT\r\nDTSTART:(\S+)", feed_zone.written("America/New_York", 2026))
    assert daylight == ["20260308T020000", "20270314T020000", "20280312T020000"]

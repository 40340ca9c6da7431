"""A year of sessions around both changes of the clocks, and what the API and a calendar say of them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from api import db
from tests.knocking import Knocker

AT = "2026-10-20T12:00:00Z"
# A Tuesday group in New York and a Thursday one in Phoenix, where the clocks never change, for thirteen months.
WEEKLY = """
    INSERT INTO care_sessions (id, kind, title, modality, time_zone, starts_at, ends_at, status, exception, revision,
        version)
    SELECT gen_random_uuid(), 'group', 'Evening group', 'in_person', zone, at AT TIME ZONE zone,
        (at + interval '3 hours') AT TIME ZONE zone, CASE WHEN extract(day FROM at) < 5 THEN 'cancelled'
        ELSE 'scheduled' END, false, 1 + extract(day FROM at)::integer %% 3, 1
    FROM (VALUES ('2026-09-01 18:00', 'America/New_York'), ('2026-09-03 07:30', 'America/Phoenix'))
        AS first (day, zone),
        generate_series(first.day::timestamp, '2027-10-31', interval '1 week') AS at"""
# Around the changes themselves: the hour that is told twice, the one just after that which is left out, and days of
# each. In Havana the clocks change at midnight.
EDGES = [
    ("2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z", "America/New_York"),
    ("2026-11-01T06:30:00Z", "2026-11-01T07:30:00Z", "America/New_York"),
    ("2027-03-14T06:30:00Z", "2027-03-14T07:30:00Z", "America/New_York"),
    ("2027-03-14T07:00:00Z", "2027-03-14T07:15:00Z", "America/New_York"),
    ("2027-03-14T07:30:00Z", "2027-03-14T08:30:00Z", "America/New_York"),
    ("2027-03-14T05:30:00Z", "2027-03-14T06:30:00Z", "America/Havana"),
    ("2027-03-28T01:30:00Z", "2027-03-28T02:30:00Z", "Europe/Dublin"),
]
EDGE = """
    INSERT INTO care_sessions (id, kind, title, modality, time_zone, starts_at, ends_at, status, exception, revision,
        version)
    VALUES (%s, 'individual', 'Talk', 'telehealth', %s, %s, %s, 'scheduled', false, 1, 1)"""
PLACES = """
    INSERT INTO attendances (patient_id, session_id, starts_at, ends_at, status, version)
    SELECT %s, id, starts_at, ends_at, 'booked', 1 FROM care_sessions"""


def fill(sql: Callable[..., Any], patient: Knocker) -> None:
    sql(WEEKLY)
    for starts_at, ends_at, zone in EDGES:
        sql(EDGE, db.uuid7(), zone, starts_at, ends_at)
    sql(PLACES, patient.id)


def by_the_api(patient: Knocker) -> list[dict[str, Any]]:
    """Every session of the feed's window, as the API has it."""
    window, found, token = "from=2026-09-20T00:00:00Z&to=2027-09-20T00:00:00Z&page_size=100", [], ""
    while True:
        page = patient.get(f"/v1/me/sessions?{window}{token}").json
        found += page["items"]
        if "next_page_token" not in page:
            return found
        token = f"&page_token={page['next_page_token']}"


def times(found: list[dict[str, Any]]) -> list[tuple[str, str, bool]]:
    return sorted(
        (one["starts_at"], one["ends_at"], one["status"].lower() == "cancelled")
        for one in found
        if one["starts_at"] < "2027-09-20T00:00:00Z"
    )


def feed_of(patient: Knocker, visitor: Knocker, **asked: Any) -> str:
    made = patient.post("/v1/me/calendar-feeds", json={"name": "Phone", **asked})
    read = visitor.get(made.json["address"].removeprefix("http://127.0.0.1:8000"))
    assert read.status_code == 200, read.text
    return str(read.text)


def utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

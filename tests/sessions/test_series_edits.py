"""Changes of "this and later": the series ends, another goes on, and what patients said lives on as far as it can."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from api.sessions import worker
from tests.knocking import Knocker
from tests.sessions.conftest import Schedule, check_in, mine, reply

Travel = Callable[[str], Any]
Sql = Callable[..., list[Any]]
EVERYTHING = "?from=2026-11-23T00:00:00Z&page_size=100"


def starts(patient: Knocker) -> list[str]:
    return [one["starts_at"] for one in mine(patient, EVERYTHING)]


def names(heard: list[Any]) -> list[str]:
    return [type(fact).__name__ for fact in heard]


def test_the_old_series_ends_and_a_new_one_goes_on_with_its_members(
    schedule: Schedule, patient: Knocker, clinic: Knocker
) -> None:
    series = schedule.begin(patient)
    answer = schedule.from_on(series, "2026-12-07", starts_local="10:00")
    assert answer.status_code == 200
    new, old = answer.json, clinic.get(f"/v1/clinic/session-series/{series['id']}").json
    assert (new["split_from_id"], new["first_on"]) == (series["id"], "2026-12-07")
    assert new["rrule"] == "FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=6"
    assert (old["rrule"], old["version"]) == ("FREQ=WEEKLY;BYDAY=MO,WE,FR;UNTIL=20261206", 2)
    assert answer.headers["ETag"] == '"1"'
    members = clinic.get(f"/v1/clinic/session-series/{new['id']}/members").json["items"]
    assert [one["patient_id"] for one in members] == [str(patient.id)]
    assert [one[11:13] for one in starts(patient)] == ["14"] * 6 + ["15"] * 6


def test_sessions_are_handed_over_and_moved_not_cancelled_and_made_anew(
    schedule: Schedule, patient: Knocker, heard: list[Any]
) -> None:
    series = schedule.begin(patient)
    before = [one["id"] for one in mine(patient, EVERYTHING)]
    heard.clear()
    new = schedule.from_on(series, "2026-12-07", starts_local="10:00").json
    assert [one["id"] for one in mine(patient, EVERYTHING)] == before
    assert [one["id"] for one in schedule.sessions(new["id"])] == before[6:]
    assert names(heard) == ["SessionMoved"]
    assert [str(one) for one in heard[0].session_ids] == before[6:]


def test_a_part_begins_with_a_session_too(schedule: Schedule, patient: Knocker) -> None:
    series = schedule.begin(patient)
    third = schedule.sessions()[2]
    new = schedule.rewrite(series, f"?applies_to=this_and_later&from_session_id={third['id']}", room="7").json
    assert new["first_on"] == "2026-11-27"
    assert [one["room"] for one in mine(patient)] == ["2", "2", *["7"] * 10]


def test_a_no_lives_on_and_a_yes_to_the_old_hour_is_named_as_lost(schedule: Schedule, patient: Knocker) -> None:
    series = schedule.begin(patient)
    shown = mine(patient)
    for one, word in ((shown[1], "attending"), (shown[6], "attending"), (shown[7], "not_attending")):
        reply(patient, one, word)
    answer = schedule.from_on(series, "2026-12-07", starts_local="10:00").json
    assert answer["lost"] == [{"session_id": shown[6]["id"], "because": "moved", "places": 1, "replies": 1}]
    after = mine(patient)
    assert after[1]["reply"]["reply"] == "attending"
    assert "reply" not in after[6]
    assert after[7]["reply"]["reply"] == "not_attending"


def test_replies_to_what_only_got_another_room_hold(schedule: Schedule, patient: Knocker) -> None:
    series = schedule.begin(patient)
    reply(patient, mine(patient)[7], "attending")
    answer = schedule.from_on(series, "2026-12-07", room="7", facilitator="K. Example").json
    assert answer["lost"] == []
    assert mine(patient)[7]["reply"]["reply"] == "attending"


def test_days_that_left_the_rule_are_named_with_their_places_and_replies(
    schedule: Schedule, patient: Knocker, other_patient: Knocker
) -> None:
    series = schedule.begin(patient, other_patient)
    friday = mine(patient)[8]
    reply(patient, friday, "not_attending")
    answer = schedule.from_on(series, "2026-12-07", rrule="FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261213").json
    assert {"session_id": friday["id"], "because": "cancelled", "places": 2, "replies": 1} in answer["lost"]
    assert [one["status"] for one in mine(patient)][6:] == ["scheduled", "scheduled", *["cancelled"] * 4]


def test_another_day_of_the_week_from_then_on_moves_what_was_said_along(schedule: Schedule, patient: Knocker) -> None:
    series = schedule.begin(patient)
    shown = mine(patient)
    reply(patient, shown[7], "not_attending")
    schedule.from_on(series, "2026-12-07", rrule="FREQ=WEEKLY;BYDAY=MO,TH,FR;COUNT=12")
    moved = mine(patient)[7]
    assert (moved["id"], moved["starts_at"]) == (shown[7]["id"], "2026-12-10T14:00:00Z")
    assert moved["reply"]["reply"] == "not_attending"


def test_marks_and_arrivals_of_what_was_stay_as_they_were(schedule: Schedule, patient: Knocker, travel: Travel) -> None:
    series = schedule.begin(patient)
    first = mine(patient)[0]["id"]
    travel("2026-11-23T14:00:00Z")
    check_in(patient, first)
    travel("2026-11-23T17:00:00Z")
    schedule.mark(first, patient, "present")
    before = patient.get(f"/v1/me/sessions/{first}").json
    schedule.from_on(series, "2026-11-25", starts_local="10:00", duration_minutes=60)
    assert patient.get(f"/v1/me/sessions/{first}").json == before


def test_what_was_changed_on_its_own_keeps_its_change(schedule: Schedule, patient: Knocker) -> None:
    series = schedule.begin(patient)
    schedule.change(schedule.sessions()[7], starts_at="2026-12-10T20:00:00Z")
    schedule.change(schedule.sessions()[8], status="cancelled")
    schedule.from_on(series, "2026-12-07", starts_local="10:00")
    after = {one["starts_at"]: one["status"] for one in mine(patient)}
    assert after["2026-12-10T20:00:00Z"] == "scheduled"
    assert after["2026-12-11T14:00:00Z"] == "cancelled"


def test_a_part_that_has_begun_is_no_longer_changed(schedule: Schedule, patient: Knocker, travel: Travel) -> None:
    series = schedule.begin(patient)
    first = schedule.sessions()[0]
    travel("2026-11-23T14:00:00Z")
    for query in ("from_on=2026-11-20", f"from_session_id={first['id']}"):
        refused = schedule.rewrite(series, f"?applies_to=this_and_later&{query}", room="7")
        assert refused.json["type"].endswith("/problems/split-in-the-past")
    assert len(schedule.clinic.get("/v1/clinic/session-series").json["items"]) == 1


@pytest.mark.parametrize(
    "query",
    [
        "?applies_to=this_and_later",
        "?from_on=2026-12-07",
        "?applies_to=this_and_later&from_on=2026-12-07&from_session_id=0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e02",
        "?applies_to=this_and_later&from_on=2027-12-07",
        "?applies_to=this_and_later&from_session_id=0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e02",
        "?applies_to=everything",
    ],
)
def test_what_is_no_part_of_the_series_is_refused(schedule: Schedule, query: str) -> None:
    assert schedule.rewrite(schedule.begin(), query, room="7").status_code == 400


def test_where_nothing_stays_behind_the_series_itself_is_changed(schedule: Schedule, patient: Knocker) -> None:
    series = schedule.begin(patient)
    answer = schedule.from_on(series, "2026-11-22", room="7").json
    assert (answer["id"], answer["version"]) == (series["id"], 2)
    assert "split_from_id" not in answer


def test_of_two_changes_of_the_same_version_the_second_is_refused(schedule: Schedule) -> None:
    series = schedule.begin()
    assert schedule.from_on(series, "2026-12-07", room="7").status_code == 200
    assert schedule.from_on(series, "2026-12-07", room="8").status_code == 412


def test_every_other_week_stays_every_other_week(schedule: Schedule, patient: Knocker) -> None:
    series = schedule.begin(patient, rrule="FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=8")
    before = starts(patient)
    new = schedule.from_on(series, "2026-12-09", room="7").json
    assert (new["first_on"], new["rrule"]) == ("2026-12-09", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;COUNT=5")
    assert starts(patient) == before


def test_a_split_across_a_change_of_the_clocks_keeps_the_hour_on_the_wall(
    schedule: Schedule, patient: Knocker, travel: Travel
) -> None:
    travel("2027-03-01T12:00:00Z")
    series = schedule.begin(patient, first_on="2027-03-01", rrule="FREQ=WEEKLY;BYDAY=MO,SU;UNTIL=20270331")
    schedule.from_on(series, "2027-03-14", starts_local="02:30", duration_minutes=30)
    shown = mine(patient, "?from=2027-03-01T00:00:00Z&page_size=100")
    # On the 14th half past two does not occur, and is read with the offset before.
    assert [one["starts_at"] for one in shown][2:6] == [
        "2027-03-08T14:00:00Z",
        "2027-03-14T07:30:00Z",
        "2027-03-15T06:30:00Z",
        "2027-03-21T06:30:00Z",
    ]


def test_both_parts_of_a_series_of_years_are_extended_as_far_as_they_go(
    schedule: Schedule, patient: Knocker, travel: Travel, owner_sql: Sql
) -> None:
    series = schedule.begin(patient, rrule="FREQ=WEEKLY;BYDAY=MO;UNTIL=20301231")
    schedule.from_on(series, "2027-02-01", starts_local="10:00", rrule="FREQ=WEEKLY;BYDAY=MO;UNTIL=20301231")
    for month in range(1, 12):
        travel(f"2027-{month:02d}-15T12:00:00Z")
        worker.run()
    rows = owner_sql("SELECT occurs_on, count(*), min(starts_at) FROM care_sessions GROUP BY occurs_on ORDER BY 1")
    assert {count for _, count, _ in rows} == {1}
    assert {b.toordinal() - a.toordinal() for (a, _, _), (b, _, _) in pairwise(rows)} == {7}
    assert owner_sql("SELECT count(*) FROM session_series WHERE made_until IS NULL") == [(1,)]
    assert len(mine(patient, "?from=2027-11-15T00:00:00Z&to=2028-02-01T00:00:00Z&page_size=100")) == 12


def test_who_leaves_leaves_what_goes_on_too(schedule: Schedule, patient: Knocker, travel: Travel) -> None:
    series = schedule.begin(patient)
    schedule.from_on(series, "2026-12-07", starts_local="10:00")
    travel("2026-11-25T12:00:00Z")
    assert schedule.leave(series["id"], patient).status_code == 204
    assert starts(patient) == ["2026-11-23T14:00:00Z"]


def test_who_joins_joins_what_goes_on_too(schedule: Schedule, patient: Knocker) -> None:
    series = schedule.begin()
    schedule.from_on(series, "2026-12-07", starts_local="10:00")
    assert schedule.join(series["id"], patient).status_code == 200
    assert len(starts(patient)) == 12


def test_who_has_left_is_not_taken_along(schedule: Schedule, patient: Knocker, clinic: Knocker, travel: Travel) -> None:
    series = schedule.begin(patient)
    schedule.leave(series["id"], patient)
    travel("2026-11-23T13:00:00Z")
    new = schedule.from_on(series, "2026-12-07", starts_local="10:00").json
    assert clinic.get(f"/v1/clinic/session-series/{new['id']}/members").json == {"items": []}
    assert starts(patient) == []


def test_a_link_is_handed_down_and_only_where_somebody_needs_it(schedule: Schedule, patient: Knocker) -> None:
    link = "https://video.example.org/rooms/1"
    series = schedule.begin(patient, modality="telehealth", join_url=link)
    assert {one["join_url"] for one in schedule.sessions(series["id"])} == {link}
    assert schedule.rewrite(series, join_url="http://video.example.org/rooms/1").status_code == 422
    refused = schedule.rewrite(series, modality="in_person")
    assert [one["pointer"] for one in refused.json["errors"]] == ["/join_url"]


def test_a_link_is_in_no_line_of_the_log(schedule: Schedule, patient: Knocker, capfd: Any) -> None:
    schedule.begin(patient, modality="hybrid", join_url="https://video.example.org/rooms/secret")
    schedule.clinic.post("/v1/clinic/session-series", json={"join_url": "https://video.example.org/rooms/secret"})
    output = capfd.readouterr()
    assert "/v1/clinic/session-series" in output.out + output.err
    assert "rooms/secret" not in output.out + output.err

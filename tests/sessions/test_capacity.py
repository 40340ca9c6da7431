"""How many a series holds, and nobody in two sessions at once; also when many ask in the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest

from api import clock, db
from api.sessions import capacity, doubles, members
from tests.knocking import Knocker
from tests.sessions.conftest import Schedule, mine

Travel = Callable[[str], Any]
Sql = Callable[..., list[Any]]
AFTERNOON = {"starts_local": "11:00", "title": "Late group"}


def problem(answer: Any) -> str:
    return str(answer.json["type"].rpartition("/")[2])


@pytest.fixture
def fifty(app: Any, owner_sql: Sql) -> list[UUID]:
    made = [db.uuid7() for _ in range(50)]
    for one in made:
        owner_sql(
            "INSERT INTO patients (id, external_id, status, version) VALUES (%s, %s, 'active', 1)", one, f"EHR-{one}"
        )
        owner_sql("INSERT INTO patient_versions (patient_id, version) VALUES (%s, 1)", one)
    return made


def at_once(app: Any, asked: list[Callable[[], Any]]) -> list[str]:
    """Run each in a transaction and a thread of its own, all of them begun before any goes on."""
    barrier = Barrier(len(asked))

    def run(ask: Callable[[], Any]) -> str:
        barrier.wait()
        try:
            with db.transaction(db.SYSTEM):
                ask()
        except (capacity.SeriesFull, doubles.DoubleBooked) as refused:
            return type(refused).__name__
        return "joined"

    with ThreadPoolExecutor(len(asked)) as threads:
        return list(threads.map(run, asked))


@pytest.fixture
def many_connections(app: Any, settings: Any) -> Any:
    """A pool in which fifty transactions run side by side."""
    before = db.engine()
    db.open_engine(settings.database_url, pool=50, statement_timeout_ms=60_000, pool_timeout=60)
    yield
    db.engine().dispose()
    db._engine = before


def test_of_fifty_who_join_at_once_as_many_are_in_as_there_are_places(
    schedule: Schedule, many_connections: Any, fifty: list[UUID], app: Any, owner_sql: Sql
) -> None:
    series_id = UUID(schedule.begin(capacity=7)["id"])
    now = clock.now()
    asked = [(lambda one=one: members.join(series_id=series_id, patient_id=one, at=now)) for one in fifty]
    answers = at_once(app, asked)
    assert sorted(answers) == ["SeriesFull"] * 43 + ["joined"] * 7
    assert owner_sql("SELECT count(*) FROM series_members") == [(7,)]
    assert owner_sql("SELECT DISTINCT count(*) FROM attendances GROUP BY session_id") == [(7,)]


def test_a_full_group_has_no_further_place_until_somebody_leaves(
    schedule: Schedule, patient: Knocker, other_patient: Knocker
) -> None:
    series = schedule.begin(patient, capacity=1)
    assert problem(schedule.join(series["id"], other_patient)) == "series-full"
    schedule.leave(series["id"], patient)
    assert schedule.join(series["id"], other_patient).status_code == 200


def test_a_guest_in_one_session_takes_a_place(
    schedule: Schedule, patient: Knocker, other_patient: Knocker, owner_sql: Sql
) -> None:
    series = schedule.begin(capacity=1)
    owner_sql(
        "INSERT INTO attendances (patient_id, session_id, starts_at, ends_at, status, version)"
        " SELECT %s, id, starts_at, ends_at, 'booked', 1 FROM care_sessions WHERE id = %s",
        patient.id,
        schedule.sessions()[3]["id"],
    )
    assert problem(schedule.join(series["id"], other_patient)) == "series-full"
    assert schedule.join(series["id"], patient).status_code == 200


def test_a_group_is_not_made_smaller_than_it_is(schedule: Schedule, patient: Knocker, other_patient: Knocker) -> None:
    series = schedule.begin(patient, other_patient)
    refused = schedule.rewrite(series, capacity=1)
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/capacity")
    assert schedule.from_on(series, "2026-12-07", capacity=1).status_code == 422
    assert schedule.rewrite(series, capacity=2).json["capacity"] == 2


def test_an_individual_series_is_for_one(schedule: Schedule, clinic: Knocker) -> None:
    series = schedule.begin(kind="individual")
    assert schedule.rewrite(series, capacity=2).status_code == 422
    assert schedule.rewrite(series, capacity=1).status_code == 200


def test_joining_what_overlaps_is_refused_with_the_other_sessions_named(schedule: Schedule, patient: Knocker) -> None:
    first = schedule.begin(patient)
    second = schedule.begin(**AFTERNOON)
    refused = schedule.join(second["id"], patient)
    assert (refused.status_code, problem(refused)) == (409, "double-booked")
    assert refused.json["session_ids"] == sorted(one["id"] for one in schedule.sessions(first["id"]))
    assert len(mine(patient)) == 12


def test_one_session_begins_when_another_ends(schedule: Schedule, patient: Knocker) -> None:
    schedule.begin(patient)
    schedule.begin(patient, starts_local="12:00")
    schedule.begin(patient, starts_local="06:00")


def test_a_cancelled_session_stands_in_nobodys_way(schedule: Schedule, patient: Knocker) -> None:
    schedule.begin(patient, rrule="FREQ=WEEKLY;COUNT=1")
    schedule.change(schedule.sessions()[0], status="cancelled")
    schedule.begin(patient, rrule="FREQ=WEEKLY;COUNT=1", **AFTERNOON)


def test_a_stated_override_is_kept_on_record(schedule: Schedule, patient: Knocker, owner_sql: Sql) -> None:
    schedule.begin(patient)
    second = schedule.begin(**AFTERNOON)
    answer = schedule.join(second["id"], patient, "?override_double_booking=true")
    assert (answer.status_code, len(mine(patient, "?page_size=100"))) == (200, 24)
    assert overrides(owner_sql) == [("putSeriesMember", patient.id, UUID(second["id"]), "u-17", "counselor", "done")]


def test_an_override_that_was_not_needed_is_no_matter_of_record(
    schedule: Schedule, patient: Knocker, owner_sql: Sql
) -> None:
    series = schedule.begin()
    assert schedule.join(series["id"], patient, "?override_double_booking=true").status_code == 200
    assert overrides(owner_sql) == []


def overrides(owner_sql: Sql) -> list[Any]:
    return owner_sql(
        "SELECT operation, patient_id, resource_id, acting_user, acting_role, outcome"
        " FROM audit_events WHERE action = 'override'"
    )


def test_a_move_into_another_session_is_refused_unless_it_is_meant(
    schedule: Schedule, patient: Knocker, owner_sql: Sql
) -> None:
    schedule.begin(patient)
    other = schedule.begin(patient, first_on="2026-11-24", rrule="FREQ=WEEKLY;COUNT=1")
    (session,) = schedule.sessions(other["id"])
    refused = schedule.change(session, starts_at="2026-11-25T15:00:00Z")
    assert refused.json["session_ids"] == [schedule.sessions()[2]["id"]]
    assert mine(patient)[1]["starts_at"] == "2026-11-24T14:00:00Z"
    meant = schedule.change(session, starts_at="2026-11-25T15:00:00Z", query="?override_double_booking=true")
    assert meant.status_code == 200
    assert [row[:3] for row in overrides(owner_sql)] == [("putSession", patient.id, UUID(session["id"]))]


def test_what_nobody_moves_is_not_asked_about_again(schedule: Schedule, patient: Knocker) -> None:
    schedule.begin(patient, rrule="FREQ=WEEKLY;COUNT=1")
    second = schedule.begin(rrule="FREQ=WEEKLY;COUNT=1", **AFTERNOON)
    schedule.join(second["id"], patient, "?override_double_booking=true")
    assert schedule.change(schedule.sessions(second["id"])[0], room="7").status_code == 200
    assert schedule.rewrite(second, room="8").status_code == 200


def test_a_session_that_takes_place_after_all_may_overlap_only_if_it_is_meant(
    schedule: Schedule, patient: Knocker
) -> None:
    schedule.begin(patient, rrule="FREQ=WEEKLY;COUNT=1")
    cancelled = schedule.change(schedule.sessions()[0], status="cancelled").json
    schedule.begin(patient, rrule="FREQ=WEEKLY;COUNT=1", **AFTERNOON)
    assert problem(schedule.change(cancelled, status="scheduled")) == "double-booked"
    meant = schedule.change(cancelled, status="scheduled", query="?override_double_booking=true")
    assert meant.status_code == 200


@pytest.mark.parametrize("query", ["?", "?applies_to=this_and_later&from_on=2026-12-07&"])
def test_a_series_that_would_overlap_another_is_refused_unless_it_is_meant(
    schedule: Schedule, patient: Knocker, owner_sql: Sql, query: str
) -> None:
    schedule.begin(patient)
    second = schedule.begin(patient, starts_local="14:00")
    assert problem(schedule.rewrite(second, query, starts_local="10:00")) == "double-booked"
    meant = schedule.rewrite(second, f"{query}override_double_booking=true", starts_local="10:00")
    assert meant.status_code == 200
    assert [row[:3] for row in overrides(owner_sql)] == [("putSessionSeries", patient.id, UUID(meant.json["id"]))]


def test_of_two_series_that_overlap_a_patient_joins_one_when_asked_at_once(
    schedule: Schedule, fifty: list[UUID], app: Any
) -> None:
    both = [UUID(schedule.begin(**different)["id"]) for different in ({}, AFTERNOON)]
    now = clock.now()
    for patient_id in fifty[:10]:
        asked = [(lambda one=one: members.join(series_id=one, patient_id=patient_id, at=now)) for one in both]  # noqa: B023
        assert sorted(at_once(app, asked)) == ["DoubleBooked", "joined"]


def test_a_preview_says_for_how_many_and_leaves_everything(
    schedule: Schedule, patient: Knocker, other_patient: Knocker, heard: list[Any]
) -> None:
    schedule.begin(patient, other_patient)
    session = schedule.sessions()[1]
    before = [mine(one) for one in (patient, other_patient)]
    preview = schedule.change(session, starts_at="2026-11-26T15:00:00Z", query="?dry_run=true").json
    assert (preview["dry_run"], preview["starts_at"]) == (True, "2026-11-26T15:00:00Z")
    assert {"kind": "session", "action": "moved", "count": 2} in preview["changes"]
    assert (schedule.sessions()[1], [mine(one) for one in (patient, other_patient)]) == (session, before)
    done = schedule.change(session, starts_at="2026-11-26T15:00:00Z").json
    assert (done["dry_run"], done["changes"]) == (False, preview["changes"])


def test_a_preview_refuses_what_the_real_thing_would(schedule: Schedule, patient: Knocker, travel: Travel) -> None:
    schedule.begin(patient)
    session = schedule.sessions()[0]
    assert schedule.change(session, room="7", tag='"9"', query="?dry_run=true").status_code == 412
    travel("2026-11-23T14:00:00Z")
    assert problem(schedule.change(session, status="cancelled", query="?dry_run=true")) == "session-begun"

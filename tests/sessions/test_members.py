"""Members join and leave, and leave with the enrollment; the past never changes."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from api import clock, db, events
from api.enrollments.events import EnrollmentEnded, EnrollmentResumed, PreviewableChange
from api.patients import versions
from api.sessions import worker
from tests.enrollments.deciding import place, step_down
from tests.knocking import Knocker
from tests.sessions.conftest import Schedule, check_in, mine, reply

Travel = Callable[[str], Any]
Sql = Callable[..., list[Any]]
SINCE = "?from=2026-11-23T00:00:00Z"


def test_a_member_is_told_of_every_session_at_once(schedule: Schedule, patient: Knocker, heard: list[Any]) -> None:
    schedule.begin(patient)
    joined = [fact for fact in heard if fact.patient_ids]
    assert [type(fact).__name__ for fact in joined] == ["SessionScheduled"]
    assert (joined[0].patient_ids, len(joined[0].session_ids)) == ((patient.id,), 12)


def test_joining_twice_is_joining_once(schedule: Schedule, patient: Knocker, clinic: Knocker) -> None:
    series = schedule.begin(patient)
    assert schedule.join(series["id"], patient).status_code == 200
    members = clinic.get(f"/v1/clinic/session-series/{series['id']}/members").json
    assert members == {"items": [{"patient_id": str(patient.id), "joined_at": "2026-11-23T12:00:00Z"}]}
    assert len(mine(patient)) == 12


def test_two_who_let_a_patient_join_at_once_make_one_member(
    schedule: Schedule, patient: Knocker, owner_sql: Sql
) -> None:
    series = schedule.begin()
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: schedule.join(series["id"], patient).status_code, range(4)))
    assert answers == [200] * 4
    assert owner_sql("SELECT count(*) FROM series_members") == [(1,)]


def test_who_joins_during_a_session_has_a_place_in_it_and_none_in_those_before(
    schedule: Schedule, patient: Knocker, travel: Travel
) -> None:
    series = schedule.begin()
    travel("2026-11-25T14:10:00Z")
    schedule.join(series["id"], patient)
    assert mine(patient, SINCE)[0]["starts_at"] == "2026-11-25T14:00:00Z"
    assert len(mine(patient, SINCE)) == 11


def test_who_leaves_keeps_what_was_and_has_no_place_in_what_is_to_come(
    schedule: Schedule, patient: Knocker, other_patient: Knocker, travel: Travel, heard: list[Any]
) -> None:
    series = schedule.begin(patient, other_patient)
    coming = mine(patient)[2]["id"]
    travel("2026-11-25T14:10:00Z")
    heard.clear()
    assert schedule.leave(series["id"], patient).status_code == 204
    assert [one["starts_at"][:10] for one in mine(patient, SINCE)] == ["2026-11-23", "2026-11-25"]
    assert patient.get(f"/v1/me/sessions/{coming}").status_code == 404
    assert len(mine(other_patient, SINCE)) == 12
    assert [type(fact).__name__ for fact in heard] == ["MembershipEnded"]
    assert (heard[0].patient_ids, len(heard[0].session_ids)) == ((patient.id,), 10)


def test_leaving_twice_is_not_found(schedule: Schedule, patient: Knocker) -> None:
    series = schedule.begin(patient)
    assert [schedule.leave(series["id"], patient).status_code for _ in range(2)] == [204, 404]


def test_who_comes_back_has_a_further_stay_and_the_places_again(
    schedule: Schedule, patient: Knocker, travel: Travel, owner_sql: Sql
) -> None:
    series = schedule.begin(patient)
    reply(patient, mine(patient)[3], "not_attending")
    schedule.leave(series["id"], patient)
    travel("2026-11-25T12:00:00Z")
    schedule.change(schedule.sessions()[3], starts_at="2026-11-30T16:00:00Z")
    schedule.join(series["id"], patient)
    back = mine(patient, SINCE)
    assert [one["starts_at"] for one in back[:3]] == [
        "2026-11-25T14:00:00Z",
        "2026-11-27T14:00:00Z",
        "2026-11-30T16:00:00Z",
    ]
    assert back[2]["reply"]["reply"] == "not_attending"
    assert owner_sql("SELECT count(*) FROM series_members") == [(2,)]


def test_a_place_in_which_something_happened_stays(schedule: Schedule, patient: Knocker, travel: Travel) -> None:
    series = schedule.begin(patient)
    travel("2026-11-23T13:45:00Z")
    check_in(patient, mine(patient)[0]["id"])
    schedule.leave(series["id"], patient)
    assert [one["arrival"]["placement"] for one in mine(patient)] == ["in_window"]


def test_a_session_that_moves_takes_along_who_left_but_was_there(
    schedule: Schedule, patient: Knocker, travel: Travel
) -> None:
    series = schedule.begin(patient)
    travel("2026-11-23T13:45:00Z")
    check_in(patient, mine(patient)[0]["id"])
    schedule.leave(series["id"], patient)
    assert schedule.rewrite(series, starts_local="10:00").status_code == 200
    assert [one["starts_at"] for one in mine(patient)] == ["2026-11-23T15:00:00Z"]


def test_an_individual_series_is_for_one_patient(schedule: Schedule, patient: Knocker, other_patient: Knocker) -> None:
    series = schedule.begin(patient, kind="individual")
    refused = schedule.join(series["id"], other_patient)
    assert refused.status_code == 409
    assert refused.json["type"].endswith("/problems/series-full")
    schedule.leave(series["id"], patient)
    assert schedule.join(series["id"], other_patient).status_code == 200


def test_who_is_not_active_cannot_join(schedule: Schedule, clinic: Knocker, patient: Knocker) -> None:
    series = schedule.begin()
    clinic.put(f"/v1/clinic/patients/{patient.external_id}/status", json={"status": "suspended"})
    assert schedule.join(series["id"], patient).status_code == 409


def test_nobody_cannot_join(schedule: Schedule, patient: Knocker) -> None:
    series = schedule.begin()
    patient.id = UUID("0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e02")
    assert schedule.join(series["id"], patient).status_code == 404


def test_reading_members_is_on_record_for_each_of_them(
    schedule: Schedule, clinic: Knocker, patient: Knocker, owner_sql: Sql
) -> None:
    series = schedule.begin(patient)
    clinic.get(f"/v1/clinic/session-series/{series['id']}/members")
    assert owner_sql(
        "SELECT patient_id, action FROM audit_events WHERE operation = 'listSeriesMembers' AND patient_id IS NOT NULL"
    ) == [(patient.id, "read")]


@pytest.fixture
def enrollment(patient: Knocker, owner_sql: Sql) -> UUID:
    """The patient's enrollment in IOP, as the table has it."""
    enrollment_id = db.uuid7()
    owner_sql(
        "INSERT INTO enrollments (id, patient_id, program_slug, status_since, starts_at, focus, version)"
        " VALUES (%s, %s, 'iop', '2026-11-01', '2026-11-01', '{mental_health}', 1)",
        enrollment_id,
        patient.id,
    )
    return enrollment_id


def announce(
    patient: Knocker, kind: type[Any], enrollment_id: UUID, *, reason: str, at: str | None = None
) -> list[Any]:
    """What the enrollment's own transaction announces; answers what was announced on hearing it."""
    now = clock.now()
    since = datetime.fromisoformat(at) if at else now
    with db.transaction(db.SYSTEM), events.recorded() as heard:
        versions.touch([patient.id])
        events.announce(kind(patient.id, enrollment_id, "iop", since, now, reason=reason))
    return [fact for fact in heard if isinstance(fact, PreviewableChange) and fact.kind == "session"]


def test_an_enrollment_that_ends_takes_the_programs_coming_sessions_along(
    schedule: Schedule, patient: Knocker, other_patient: Knocker, enrollment: UUID, travel: Travel
) -> None:
    schedule.begin(patient, other_patient, program="iop")
    schedule.begin(patient, program="op", starts_local="18:00")
    schedule.begin(patient, starts_local="21:00", kind="individual")
    travel("2026-11-25T14:10:00Z")
    changes = announce(patient, EnrollmentEnded, enrollment, reason="step_down")
    assert [(one.action, one.at) for one in changes][:2] == [
        ("removed", datetime(2026, 11, 27, 14, tzinfo=UTC)),
        ("removed", datetime(2026, 11, 30, 14, tzinfo=UTC)),
    ]
    assert len(changes) == 10
    kept = mine(patient, SINCE + "&page_size=100")
    assert [one["starts_at"] for one in kept if one["starts_at"][11:13] == "14"] == [
        "2026-11-23T14:00:00Z",
        "2026-11-25T14:00:00Z",
    ]
    assert len(kept) == 2 + 12 + 12
    assert len(mine(other_patient, SINCE)) == 12


def test_an_end_that_is_recorded_late_takes_nothing_of_the_past(
    schedule: Schedule, patient: Knocker, enrollment: UUID, travel: Travel
) -> None:
    schedule.begin(patient, program="iop")
    travel("2026-11-30T12:00:00Z")
    announce(patient, EnrollmentEnded, enrollment, reason="discharged", at="2026-11-24T12:00:00Z")
    assert len(mine(patient, SINCE)) == 3


def test_who_left_by_an_end_gets_no_places_in_sessions_made_later(
    schedule: Schedule, patient: Knocker, enrollment: UUID, travel: Travel
) -> None:
    schedule.begin(patient, program="iop", rrule="FREQ=WEEKLY;BYDAY=MO;UNTIL=20270630")
    announce(patient, EnrollmentEnded, enrollment, reason="discharged")
    travel("2026-12-14T12:00:00Z")
    worker.run()
    assert mine(patient, "?from=2026-11-23T00:00:00Z&to=2027-11-01T00:00:00Z") == []


def test_an_end_recorded_in_error_gives_the_places_back_once(
    schedule: Schedule, patient: Knocker, enrollment: UUID
) -> None:
    series = schedule.begin(patient, program="iop")
    before = mine(patient)
    removed = announce(patient, EnrollmentEnded, enrollment, reason="discharged")
    added = announce(patient, EnrollmentResumed, enrollment, reason="entered_in_error")
    assert [one.action for one in added] == ["added"] * 12
    assert {one.subject_id for one in added} == {one.subject_id for one in removed}
    assert mine(patient) == before
    schedule.leave(series["id"], patient)
    assert announce(patient, EnrollmentResumed, enrollment, reason="entered_in_error") == []
    assert mine(patient) == []


def test_who_comes_back_does_not_take_the_place_that_somebody_else_has_now(
    schedule: Schedule, patient: Knocker, other_patient: Knocker, enrollment: UUID
) -> None:
    series = schedule.begin(patient, program="iop", kind="individual")
    announce(patient, EnrollmentEnded, enrollment, reason="discharged")
    schedule.join(series["id"], other_patient)
    assert announce(patient, EnrollmentResumed, enrollment, reason="entered_in_error") == []
    assert (mine(patient), len(mine(other_patient))) == ([], 12)


def test_who_comes_back_belongs_to_what_goes_on_from_the_series_too(
    schedule: Schedule, patient: Knocker, enrollment: UUID
) -> None:
    series = schedule.begin(patient, program="iop")
    before = [one["id"] for one in mine(patient)]
    announce(patient, EnrollmentEnded, enrollment, reason="discharged")
    assert schedule.from_on(series, "2026-12-07", room="7").status_code == 200
    announce(patient, EnrollmentResumed, enrollment, reason="entered_in_error")
    assert [one["id"] for one in mine(patient)] == before


def test_a_resumption_after_a_pause_changes_no_membership(
    schedule: Schedule, patient: Knocker, enrollment: UUID
) -> None:
    schedule.begin(patient, program="iop")
    announce(patient, EnrollmentEnded, enrollment, reason="discharged")
    assert announce(patient, EnrollmentResumed, enrollment, reason="back_from_leave") == []
    assert mine(patient) == []


def test_an_end_while_the_series_changes_leaves_no_place_behind(
    schedule: Schedule, patient: Knocker, enrollment: UUID
) -> None:
    series = schedule.begin(patient, program="iop", rrule="FREQ=WEEKLY;BYDAY=MO;COUNT=4")
    with ThreadPoolExecutor(2) as threads:
        changed = threads.submit(schedule.rewrite, series, rrule="FREQ=WEEKLY;BYDAY=MO,TH;COUNT=8")
        ended = threads.submit(announce, patient, EnrollmentEnded, enrollment, reason="discharged")
        assert (changed.result().status_code, ended.exception()) == (200, None)
    assert mine(patient, f"?from={(clock.now() + timedelta(hours=1)).isoformat()[:19]}Z") == []


def test_a_step_down_previews_and_then_takes_exactly_the_same_sessions(
    schedule: Schedule, clinic: Knocker, patient: Knocker, travel: Travel
) -> None:
    placed = place(clinic, patient)
    schedule.begin(patient, program="iop")
    schedule.begin(patient, program="op", first_on="2026-11-24", rrule="FREQ=WEEKLY;COUNT=3")
    travel("2026-11-25T14:10:00Z")
    preview = step_down(clinic, placed, dry_run=True).json
    assert len(mine(patient, SINCE)) == 15
    taken = step_down(clinic, placed).json
    assert sessions_in(preview) == sessions_in(taken)
    assert {one["action"] for one in sessions_in(taken)} == {"removed"}
    assert len(sessions_in(taken)) == 10
    assert [one["starts_at"][:10] for one in mine(patient, SINCE)] == [
        "2026-11-23",
        "2026-11-24",
        "2026-11-25",
        "2026-12-01",
        "2026-12-08",
    ]


def sessions_in(outcome: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in outcome["changes"] if one["kind"] == "session"]

"""A missed group can be made up for in another one of the program, as long as there is room."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from api import clock, db, events
from api.enrollments.events import EnrollmentEnded, PreviewableChange
from api.patients import versions
from tests.knocking import Knocker
from tests.sessions.conftest import Schedule, mine, reply

Travel = Callable[[str], Any]
IOP = {"program": "iop"}
EVENING = {**IOP, "title": "Evening group", "title_es": "Grupo de la tarde", "starts_local": "18:00"}
OFFERED = {"id", "kind", "title", "starts_at", "ends_at", "time_zone", "modality"}


@pytest.fixture
def missed(schedule: Schedule, patient: Knocker, travel: Travel) -> str:
    """Monday's morning group, which the patient missed; an evening group beside it meets on the same days."""
    schedule.begin(patient, **IOP)
    travel("2026-11-23T18:00:00Z")
    return mine(patient)[0]["id"]


@pytest.fixture
def evening(schedule: Schedule, missed: str, other_patient: Knocker) -> dict[str, Any]:
    return schedule.begin(other_patient, **EVENING, capacity=2)


def offers(patient: Knocker, session_id: str) -> list[dict[str, Any]]:
    answer = patient.get(f"/v1/me/sessions/{session_id}/make-up-sessions")
    assert answer.status_code == 200, answer.json
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def book(patient: Knocker, session_id: str, chosen: str, key: str | None = None) -> Any:
    path = f"/v1/me/sessions/{session_id}/make-up"
    return patient.post(path, json={"make_up_session_id": chosen}, key=key or str(uuid4()))


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["type"].rsplit("/", 1)[1]


def test_what_is_offered_tells_when_and_never_who_or_how_many(
    patient: Knocker, missed: str, evening: dict[str, Any]
) -> None:
    first = offers(patient, missed)[0]
    assert set(first) == OFFERED
    assert (first["title"], first["starts_at"]) == ("Evening group", "2026-11-23T23:00:00Z")


def test_the_offer_is_the_same_however_many_are_in_it(
    schedule: Schedule, patient: Knocker, missed: str, evening: dict[str, Any], other_patient: Knocker
) -> None:
    alone = offers(patient, missed)
    schedule.leave(evening["id"], other_patient)
    assert offers(patient, missed) == alone


def test_titles_come_in_the_patients_language(patient: Knocker, missed: str, evening: dict[str, Any]) -> None:
    path = f"/v1/me/sessions/{missed}/make-up-sessions"
    assert patient.get(path, headers={"Accept-Language": "es"}).json["items"][0]["title"] == "Grupo de la tarde"


def test_only_what_lies_ahead_within_four_weeks_is_offered(
    patient: Knocker, missed: str, evening: dict[str, Any], travel: Travel
) -> None:
    travel("2026-11-24T00:00:00Z")
    starts = [one["starts_at"] for one in offers(patient, missed)]
    assert starts[0] == "2026-11-25T23:00:00Z"
    assert max(starts) < "2026-12-22T00:00:00Z"


def test_another_programs_groups_and_individual_sessions_are_not_offered(
    schedule: Schedule, patient: Knocker, missed: str
) -> None:
    schedule.begin(**{**EVENING, "program": "op"})
    schedule.begin(**{**EVENING, "kind": "individual"})
    assert offers(patient, missed) == []


def test_what_overlaps_a_session_of_theirs_is_not_offered(schedule: Schedule, patient: Knocker, missed: str) -> None:
    schedule.begin(**{**EVENING, "starts_local": "11:30", "first_on": "2026-11-25", "rrule": "FREQ=WEEKLY;COUNT=2"})
    assert offers(patient, missed) == []


def test_a_full_group_is_not_offered_and_one_with_room_again_is(
    schedule: Schedule, patient: Knocker, missed: str, evening: dict[str, Any], new_patient: Callable[..., Knocker]
) -> None:
    guest = new_patient()
    schedule.join(evening["id"], guest)
    assert offers(patient, missed) == []
    schedule.leave(evening["id"], guest)
    assert offers(patient, missed) != []


def test_nothing_makes_up_for_a_session_that_was_attended_or_is_an_individual_one(
    schedule: Schedule, patient: Knocker, missed: str, evening: dict[str, Any]
) -> None:
    schedule.mark(missed, patient, "present")
    assert offers(patient, missed) == []
    schedule.begin(patient, **{**IOP, "kind": "individual", "starts_local": "14:00", "rrule": "FREQ=WEEKLY;COUNT=1"})
    [alone] = [one for one in mine(patient) if one["kind"] == "individual"]
    assert offers(patient, alone["id"]) == []


def test_a_place_is_booked_and_says_what_it_makes_up_for(
    patient: Knocker, missed: str, evening: dict[str, Any], heard: list[Any]
) -> None:
    chosen = offers(patient, missed)[0]["id"]
    booked = book(patient, missed, chosen)
    assert booked.status_code == 201
    assert booked.headers["Location"] == f"/v1/me/sessions/{chosen}"
    assert (booked.json["id"], booked.json["makes_up_for"]) == (chosen, missed)
    assert booked.json == patient.get(f"/v1/me/sessions/{chosen}").json
    assert [type(fact).__name__ for fact in heard if hasattr(fact, "session_ids")] == ["SessionScheduled"]


def test_the_same_key_books_once(
    patient: Knocker, missed: str, evening: dict[str, Any], owner_sql: Callable[..., list[Any]]
) -> None:
    chosen = offers(patient, missed)[0]["id"]
    answers = [book(patient, missed, chosen, key="once") for _ in range(2)]
    assert answers[0].json == answers[1].json
    assert owner_sql("SELECT count(*) FROM attendances WHERE makes_up_for IS NOT NULL") == [(1,)]


def test_one_make_up_is_enough_unless_it_does_not_take_place_or_is_declined(
    schedule: Schedule, patient: Knocker, missed: str, evening: dict[str, Any]
) -> None:
    first, second, third, *_ = offers(patient, missed)
    book(patient, missed, first["id"])
    assert offers(patient, missed) == []
    assert problem(book(patient, missed, second["id"])) == (409, "make-up-not-offered")
    reply(patient, first, "not_attending")
    assert book(patient, missed, second["id"]).status_code == 201
    [there] = [one for one in schedule.sessions() if one["id"] == second["id"]]
    schedule.change(there, status="cancelled")
    assert book(patient, missed, third["id"]).status_code == 201


def test_who_can_still_come_says_no_first(patient: Knocker, missed: str, evening: dict[str, Any]) -> None:
    coming = mine(patient)[1]
    chosen = offers(patient, coming["id"])[0]["id"]
    refused = book(patient, coming["id"], chosen)
    assert problem(refused) == (409, "place-still-kept")
    assert refused.json["current"]["id"] == coming["id"]
    reply(patient, coming, "not_attending")
    assert book(patient, coming["id"], chosen).status_code == 201


def test_what_the_clinic_cancelled_can_be_made_up_for(
    schedule: Schedule, patient: Knocker, missed: str, evening: dict[str, Any]
) -> None:
    coming = mine(patient)[1]
    [there] = [one for one in schedule.sessions() if one["id"] == coming["id"]]
    schedule.change(there, status="cancelled")
    assert book(patient, coming["id"], offers(patient, coming["id"])[0]["id"]).status_code == 201


def test_what_was_never_offered_cannot_be_booked(schedule: Schedule, patient: Knocker, missed: str) -> None:
    other = schedule.begin(**{**EVENING, "program": "op"})
    for chosen in (schedule.sessions(other["id"])[0]["id"], str(uuid4()), missed):
        assert problem(book(patient, missed, chosen)) == (409, "make-up-not-offered")


def test_somebody_elses_missed_session_is_not_there(
    patient: Knocker, missed: str, evening: dict[str, Any], other_patient: Knocker
) -> None:
    chosen = offers(patient, missed)[0]["id"]
    assert problem(book(other_patient, missed, chosen)) == (404, "not-found")


def test_the_last_place_is_given_once_however_many_ask_at_once(
    schedule: Schedule, missed: str, evening: dict[str, Any], new_patient: Callable[..., Knocker],
    owner_sql: Callable[..., list[Any]],
) -> None:  # fmt: skip
    people = [new_patient() for _ in range(8)]
    morning = schedule.sessions()[0]["series_id"]
    for one in people:
        schedule.join(morning, one)
    chosen = offers(people[0], mine(people[0])[0]["id"])[0]["id"]
    for one in people:
        reply(one, mine(one)[0], "not_attending")
    with ThreadPoolExecutor(8) as threads:
        asked = threads.map(lambda one: book(one, mine(one)[0]["id"], chosen).status_code, people)
        assert sorted(asked) == [201] + [409] * 7
    booked = "SELECT count(*) FROM attendances WHERE session_id = %s AND status = 'booked'"
    assert owner_sql(booked, chosen) == [(2,)]


def test_a_guest_takes_room_from_who_would_join(
    schedule: Schedule, patient: Knocker, missed: str, evening: dict[str, Any], new_patient: Callable[..., Knocker]
) -> None:
    book(patient, missed, offers(patient, missed)[0]["id"])
    assert schedule.join(evening["id"], new_patient()).status_code == 409


def test_a_guest_is_told_when_the_session_moves(
    schedule: Schedule, patient: Knocker, missed: str, evening: dict[str, Any]
) -> None:
    chosen = offers(patient, missed)[0]["id"]
    book(patient, missed, chosen)
    [there] = [one for one in schedule.sessions() if one["id"] == chosen]
    schedule.change(there, starts_at="2026-11-24T00:00:00Z")
    assert patient.get(f"/v1/me/sessions/{chosen}").json["starts_at"] == "2026-11-24T00:00:00Z"


def test_an_enrollment_that_ends_takes_coming_make_ups_along(
    patient: Knocker, missed: str, evening: dict[str, Any], owner_sql: Callable[..., list[Any]]
) -> None:
    chosen = offers(patient, missed)[0]["id"]
    book(patient, missed, chosen)
    assert patient.id is not None
    [[enrollment_id]] = owner_sql(
        "INSERT INTO enrollments (id, patient_id, program_slug, status_since, starts_at, focus, version)"
        " VALUES (gen_random_uuid(), %s, 'iop', '2026-11-01', '2026-11-01', '{mental_health}', 1) RETURNING id",
        patient.id,
    )
    with db.transaction(db.SYSTEM), events.recorded() as heard:
        versions.touch([patient.id])
        events.announce(EnrollmentEnded(patient.id, enrollment_id, "iop", clock.now(), clock.now(), reason="completed"))
    removed = {fact.subject_id for fact in heard if isinstance(fact, PreviewableChange) and fact.kind == "session"}
    assert UUID(chosen) in removed
    assert patient.get(f"/v1/me/sessions/{chosen}").status_code == 404
    assert offers(patient, missed) == []


def test_a_place_that_was_given_up_can_be_booked_again(
    schedule: Schedule, patient: Knocker, missed: str, evening: dict[str, Any], owner_sql: Callable[..., list[Any]]
) -> None:
    chosen = offers(patient, missed)[0]["id"]
    book(patient, missed, chosen)
    owner_sql(
        "UPDATE attendances SET status = 'released' WHERE session_id = %s AND patient_id = %s", chosen, patient.id
    )
    assert book(patient, missed, chosen).status_code == 201


def test_a_place_that_is_booked_again_is_not_declined_by_what_was_said_before(
    schedule: Schedule, patient: Knocker, missed: str, evening: dict[str, Any], owner_sql: Callable[..., list[Any]]
) -> None:
    first, second, *_ = offers(patient, missed)
    book(patient, missed, first["id"])
    reply(patient, first, "not_attending", reason="I am away")
    owner_sql(
        "UPDATE attendances SET status = 'released' WHERE session_id = %s AND patient_id = %s", first["id"], patient.id
    )
    booked = book(patient, missed, first["id"])
    assert booked.status_code == 201
    assert "reply" not in booked.json
    assert problem(book(patient, missed, second["id"])) == (409, "make-up-not-offered")


def test_the_patient_sees_no_other_meeting_of_that_group(
    patient: Knocker, missed: str, evening: dict[str, Any]
) -> None:
    before = len(mine(patient))
    book(patient, missed, offers(patient, missed)[0]["id"])
    assert len(mine(patient)) == before + 1

"""A patient sees own sessions only, in a window, page by page."""

import uuid
from collections.abc import Callable
from typing import Any

from schemas.sessions import SessionAnswer, SessionsAnswer
from tests.knocking import Knocker
from tests.sessions.conftest import Schedule, mine, reply


def test_a_member_sees_the_coming_sessions_in_order(schedule: Schedule, patient: Knocker) -> None:
    schedule.begin(patient)
    starts = [session["starts_at"] for session in mine(patient)]
    assert starts[:3] == ["2026-11-23T14:00:00Z", "2026-11-25T14:00:00Z", "2026-11-27T14:00:00Z"]
    assert len(starts) == 12


def test_a_session_says_when_where_and_until_when_one_can_check_in(schedule: Schedule, patient: Knocker) -> None:
    schedule.begin(patient)
    first = mine(patient)[0]
    assert first | {"id": ""} == {
        "id": "",
        "kind": "group",
        "title": "Morning group",
        "status": "scheduled",
        "starts_at": "2026-11-23T14:00:00Z",
        "ends_at": "2026-11-23T17:00:00Z",
        "time_zone": "America/New_York",
        "modality": "in_person",
        "facilitator": "R. Example",
        "room": "2",
        "check_in_opens_at": "2026-11-23T13:30:00Z",
        "check_in_closes_at": "2026-11-23T17:00:00Z",
        "presence": {"status": "expected", "rests_on": "nothing"},
    }


def test_who_is_no_member_sees_nothing(schedule: Schedule, patient: Knocker, other_patient: Knocker) -> None:
    schedule.begin(patient)
    assert mine(other_patient) == []


def test_someone_elses_session_and_nobodys_are_the_same_404(
    schedule: Schedule, patient: Knocker, other_patient: Knocker
) -> None:
    schedule.begin(patient)
    theirs = mine(patient)[0]["id"]
    for path in ("", "/reply", "/check-in", "/join", "/make-up-sessions", "/make-up"):
        path = f"/v1/me/sessions/{{}}{path}"
        answers = [knock(other_patient, path.format(one)) for one in (theirs, uuid.uuid4())]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert body(answers[0]) == body(answers[1])


def knock(patient: Knocker, path: str) -> Any:
    if path.endswith("reply"):
        return patient.put(path, json={"reply": "attending", "starts_at": "2026-11-23T14:00:00Z"})
    if path.endswith("make-up"):
        return patient.post(path, json={"make_up_session_id": str(uuid.uuid4())})
    if path.endswith(("check-in", "join")):
        return patient.post(path, json={"id": str(uuid.uuid4())})
    return patient.get(path)


def body(answer: Any) -> bytes:
    """The problem without the name of this one occurrence."""
    return answer.data.replace(answer.json["instance"].encode(), b"")


def test_members_of_a_group_never_learn_of_each_other(
    schedule: Schedule, patient: Knocker, other_patient: Knocker
) -> None:
    schedule.begin(patient)
    alone = patient.get("/v1/me/sessions")
    series_id = schedule.sessions()[0]["series_id"]
    schedule.join(series_id, other_patient)
    reply(other_patient, mine(other_patient)[0], "attending")
    schedule.mark(mine(other_patient)[0]["id"], other_patient, "excused")
    together = patient.get("/v1/me/sessions")
    assert (alone.data, alone.headers["ETag"]) == (together.data, together.headers["ETag"])


def test_a_page_holds_what_was_asked_and_leads_to_the_next(schedule: Schedule, patient: Knocker) -> None:
    schedule.begin(patient)
    whole, seen, token = mine(patient), [], ""
    while True:
        page = patient.get(f"/v1/me/sessions?page_size=5{token}").json
        seen += page["items"]
        if "next_page_token" not in page:
            break
        token = f"&page_token={page['next_page_token']}"
    assert seen == whole
    assert len(page["items"]) == 2


def test_the_last_full_page_leads_nowhere(schedule: Schedule, patient: Knocker) -> None:
    schedule.begin(patient)
    assert "next_page_token" not in patient.get("/v1/me/sessions?page_size=12").json
    assert "next_page_token" in patient.get("/v1/me/sessions?page_size=11").json


def test_sessions_that_start_at_once_are_paged_one_by_one(schedule: Schedule, patient: Knocker) -> None:
    for _ in range(3):
        series = schedule.begin(rrule="FREQ=WEEKLY;COUNT=1")
        schedule.join(series["id"], patient, "?override_double_booking=true")
    first = patient.get("/v1/me/sessions?page_size=2").json
    second = patient.get(f"/v1/me/sessions?page_size=2&page_token={first['next_page_token']}").json
    assert [len(first["items"]), len(second["items"])] == [2, 1]
    assert len({one["id"] for one in first["items"] + second["items"]}) == 3


def test_a_cursor_is_good_for_its_patient_and_its_window_only(
    schedule: Schedule, patient: Knocker, other_patient: Knocker
) -> None:
    schedule.begin(patient, other_patient)
    token = patient.get("/v1/me/sessions?page_size=5").json["next_page_token"]
    assert patient.get(f"/v1/me/sessions?page_token={token}").status_code == 200
    for knocker, query in ((other_patient, ""), (patient, "&from=2026-11-24T00:00:00Z")):
        refused = knocker.get(f"/v1/me/sessions?page_token={token}{query}")
        assert refused.status_code == 400
        assert refused.json["type"].endswith("/problems/invalid-cursor")


def test_a_window_is_over_the_starts(schedule: Schedule, patient: Knocker) -> None:
    schedule.begin(patient)
    found = mine(patient, "?from=2026-11-25T14:00:00Z&to=2026-11-27T14:00:00Z")
    assert [session["starts_at"] for session in found] == ["2026-11-25T14:00:00Z"]


def test_a_window_that_ends_before_it_begins_is_refused(patient: Knocker) -> None:
    for query in (
        "from=2026-11-25T14:00:00Z&to=2026-11-25T14:00:00Z",
        "from=2026-01-01T00:00:00Z&to=2028-01-01T00:00:00Z",
    ):
        assert patient.get(f"/v1/me/sessions?{query}").status_code == 400


def test_titles_come_in_the_patients_language(schedule: Schedule, new_patient: Callable[..., Knocker]) -> None:
    spanish, english = new_patient(language="es"), new_patient()
    schedule.begin(spanish, english)
    assert mine(spanish)[0]["title"] == "Grupo de la mañana"
    assert mine(english)[0]["title"] == "Morning group"
    accepted = english.get("/v1/me/sessions", headers={"Accept-Language": "es"})
    assert accepted.json["items"][0]["title"] == "Grupo de la mañana"
    languages = [one.get("/v1/me/sessions").headers["Content-Language"] for one in (spanish, english)]
    assert languages == ["es", "en"]


def test_what_has_not_changed_is_not_sent_again(schedule: Schedule, patient: Knocker) -> None:
    schedule.begin(patient)
    for path in ("/v1/me/sessions", f"/v1/me/sessions/{mine(patient)[0]['id']}"):
        tag = patient.get(path).headers["ETag"]
        unchanged = patient.get(path, headers={"If-None-Match": tag})
        assert (unchanged.status_code, unchanged.data, unchanged.headers["ETag"]) == (304, b"", tag)


def test_a_session_that_is_no_longer_theirs_is_not_unchanged_but_not_there(
    schedule: Schedule, patient: Knocker
) -> None:
    series = schedule.begin(patient)
    path = f"/v1/me/sessions/{mine(patient)[3]['id']}"
    tag = patient.get(path).headers["ETag"]
    schedule.leave(series["id"], patient)
    assert patient.get(path, headers={"If-None-Match": tag}).status_code == 404


def test_any_change_of_theirs_is_sent(schedule: Schedule, patient: Knocker) -> None:
    schedule.begin(patient)
    tag = patient.get("/v1/me/sessions").headers["ETag"]
    reply(patient, mine(patient)[3], "not_attending")
    again = patient.get("/v1/me/sessions", headers={"If-None-Match": tag})
    assert again.status_code == 200
    assert again.json["items"][3]["reply"]["reply"] == "not_attending"


def test_another_window_or_language_is_another_answer(schedule: Schedule, patient: Knocker) -> None:
    schedule.begin(patient)
    tag = patient.get("/v1/me/sessions").headers["ETag"]
    for query, headers in (("?page_size=3", {}), ("?from=2026-11-25T00:00:00Z", {}), ("", {"Accept-Language": "es"})):
        answer = patient.get(f"/v1/me/sessions{query}", headers={"If-None-Match": tag, **headers})
        assert answer.status_code == 200


def test_a_session_alone_reads_as_it_does_in_the_list(schedule: Schedule, patient: Knocker) -> None:
    schedule.begin(patient)
    listed = mine(patient)[2]
    assert patient.get(f"/v1/me/sessions/{listed['id']}").json == listed


def test_answers_are_what_the_schema_promises(schedule: Schedule, patient: Knocker) -> None:
    schedule.begin(patient)
    answer = patient.get("/v1/me/sessions?page_size=3").json
    assert SessionsAnswer().dump(SessionsAnswer().load(answer)) == answer
    one = patient.get(f"/v1/me/sessions/{answer['items'][0]['id']}").json
    assert SessionAnswer().dump(SessionAnswer().load(one)) == one

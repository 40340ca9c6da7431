"""The patient's door: the ledger with its reasons, and how to be reminded."""

import threading

import pytest

from api import vocabulary
from api.messages import templates
from api.reminders import reasons
from schemas.reminders import ReminderPreferencesAnswer, RemindersAnswer
from tests.reminders.people import local

WEDNESDAY = "2026-06-10T18:00"
PREFERENCES = "/v1/me/reminder-preferences"


@pytest.fixture
def group(patient, enroll, book):
    enroll(patient.id)
    return book([patient.id], WEDNESDAY)


def items(caller, query="", **kwargs):
    answer = caller.get(f"/v1/me/reminders{query}", **kwargs)
    assert answer.status_code == 200, answer.json
    assert RemindersAnswer().validate(answer.json) == {}
    return answer.json["items"]


def put(caller, body, *, if_match='"0"'):
    return caller.put(PREFERENCES, json=body, if_match=if_match)


def test_the_ledger_tells_what_will_be_said_and_why(patient, group):
    evening, two_hours = items(patient)
    assert evening["state"] == "planned"
    assert evening["due_at"] == "2026-06-09T22:00:00Z"
    assert evening["text"] == "You have an appointment tomorrow at 6:00 PM. Open the app for details."
    assert (evening["reason"], evening["why"]) == ("on_time", "This is its usual time.")
    assert two_hours["text"].startswith("You have an appointment today at 6:00 PM.")


def test_the_ledger_tells_what_was_said(patient, group, tick):
    tick("2026-06-09T18:00")
    (said,) = items(patient, "?state=sent")
    assert (said["sent_at"], said["lead"]) == ("2026-06-09T22:00:00Z", "evening_before")
    assert said["text"] == "You have an appointment tomorrow at 6:00 PM. Open the app for details."


def test_the_ledger_tells_what_replaced_what_was_held_back(patient, group, change):
    change(group, starts="2026-06-11T18:00", now="2026-06-08T10:00")
    (moved,) = (one for one in items(patient) if one["kind"] == "moved")
    held = [one for one in items(patient) if one["state"] == "held"]
    assert {(one["reason"], one["replaced_by"]) for one in held} == {("session_changed", moved["id"])}
    assert all("text" not in one for one in held)
    assert "lead" not in moved


def test_a_reply_holds_back_what_was_planned(patient, group):
    body = {"reply": "not_attending", "starts_at": "2026-06-10T22:00:00Z"}
    assert patient.put(f"/v1/me/sessions/{group}/reply", json=body).status_code == 200
    assert {(one["state"], one["why"]) for one in items(patient)} == {("held", "You said that you are not attending.")}


def test_the_ledger_speaks_spanish(patient, group):
    evening = items(patient, headers={"Accept-Language": "es"})[0]
    assert evening["why"] == "Es su hora habitual."
    assert evening["text"].startswith("Tiene una cita mañana")


def test_what_two_became_is_told_as_it_will_be_said(patient, group, book):
    book([patient.id], "2026-06-10T13:00")
    (said,) = items(patient, "?state=planned")
    assert said["text"].startswith("You have 2 appointments tomorrow, the first at 1:00 PM and the last at 6:00 PM.")


def test_somebody_elses_reminders_are_not_there(group, other_patient):
    assert items(other_patient) == []


def test_pages_follow_each_other(patient, group):
    first = patient.get("/v1/me/reminders?page_size=1").json
    second = patient.get(f"/v1/me/reminders?page_size=1&page_token={first['next_page_token']}").json
    assert [one["lead"] for page in (first, second) for one in page["items"]] == ["evening_before", "hours_2"]
    assert "next_page_token" not in second


def test_a_page_token_is_good_for_its_own_list_only(patient, group, other_patient):
    token = patient.get("/v1/me/reminders?page_size=1").json["next_page_token"]
    assert other_patient.get(f"/v1/me/reminders?page_token={token}").status_code == 400
    assert patient.get(f"/v1/me/reminders?state=held&page_token={token}").status_code == 400


def test_a_window_holds_what_is_due_in_it(patient, group):
    assert [one["lead"] for one in items(patient, "?from=2026-06-09T22:00:00Z&to=2026-06-10T20:00:00Z")] == [
        "evening_before"
    ]


def test_an_unknown_state_is_refused(patient):
    assert patient.get("/v1/me/reminders?state=lost").status_code == 400


def test_whoever_chose_nothing_has_the_defaults(patient):
    answer = patient.get(PREFERENCES)
    assert ReminderPreferencesAnswer().validate(answer.json) == {}
    assert answer.json == {
        "channels": ["push", "sms", "email"],
        "kinds": ["sessions", "changes", "check_ins"],
        "lead_times": ["evening_before", "hours_2"],
        "first_session_lead_times": ["hours_72", "hours_24", "hours_2"],
        "quiet_from": "21:00",
        "quiet_to": "08:00",
        "digest": True,
    }
    assert answer.headers["ETag"] == '"0"'


def test_what_was_chosen_holds(patient, monday):
    chosen = {
        "channels": ["sms", "push"],
        "kinds": ["changes"],
        "lead_times": ["hours_24", "hours_24"],
        "first_session_lead_times": [],
        "quiet_from": "22:30",
        "quiet_to": "07:00",
        "digest": False,
        "paused_until": "2026-06-09T12:00:00Z",
    }
    answer = put(patient, chosen)
    assert (answer.status_code, answer.headers["ETag"]) == (200, '"1"')
    assert answer.json == {**chosen, "lead_times": ["hours_24"]}
    assert patient.get(PREFERENCES).json == answer.json


def test_what_a_tag_knows_is_what_would_be_answered(patient, monday):
    """The tag counts choices, so the answer holds choices and nothing else."""
    before = patient.get(PREFERENCES)
    chosen = patient.put("/v1/me/preferences", json={"time_zone": "America/Los_Angeles"}, if_match="*")
    assert chosen.status_code == 200, chosen.json
    again = patient.get(PREFERENCES, headers={"If-None-Match": before.headers["ETag"]})
    assert again.status_code == 304
    assert patient.get(PREFERENCES).json == before.json


def test_what_is_absent_goes_back_to_the_default(patient, monday):
    put(patient, {"lead_times": []})
    assert put(patient, {}, if_match='"1"').json["lead_times"] == ["evening_before", "hours_2"]


def test_a_choice_plans_anew(patient, group):
    put(patient, {"lead_times": ["hours_24"]})
    assert {(one["lead"], one["state"], one["reason"]) for one in items(patient)} == {
        ("hours_24", "planned", "on_time"),
        ("evening_before", "held", "not_wanted"),
        ("hours_2", "held", "not_wanted"),
    }


def test_a_pause_holds_back_what_falls_into_it(patient, group):
    put(patient, {"paused_until": "2026-06-10T12:00:00Z"})
    assert [(one["state"], one["reason"]) for one in items(patient)] == [
        ("held", "paused_by_patient"),
        ("planned", "on_time"),
    ]


def test_no_channel_is_no_reminder(patient, group, tick, sent):
    put(patient, {"channels": []})
    assert tick("2026-06-09T18:00") == {}
    assert {one["reason"] for one in items(patient)} == {"no_channel"}


def test_a_choice_names_the_version_it_replaces(patient, monday):
    assert patient.put(PREFERENCES, json={}).status_code == 428
    assert put(patient, {}, if_match='"1"').status_code == 412
    assert put(patient, {}).status_code == 200
    assert put(patient, {}).status_code == 412
    assert put(patient, {}, if_match="*").status_code == 200


def test_of_two_choices_at_once_one_wins(patient, monday):
    statuses = []
    start = threading.Barrier(2)

    def choose(hour):
        start.wait()
        statuses.append(put(patient, {"quiet_from": f"{hour}:00"}).status_code)

    threads = [threading.Thread(target=choose, args=(hour,)) for hour in (20, 22)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 412]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"quiet_from": "08:00", "quiet_to": "04:01"}, "/quiet_to"),
        ({"quiet_from": "25:00"}, "/quiet_from"),
        ({"lead_times": ["hours_3"]}, "/lead_times/0"),
        ({"channels": ["app"]}, "/channels/0"),
        ({"digest": "sometimes"}, "/digest"),
        ({"kinds": ["medicines"]}, "/kinds/0"),
        ({"escalation": True}, "/escalation"),
    ],
)
def test_what_does_not_fit_is_refused(patient, monday, body, pointer):
    answer = put(patient, body)
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json["errors"]] == [pointer]


def test_every_reason_has_its_words():
    assert set(reasons.REASONS) == set(vocabulary.REMINDER_REASONS)
    assert all(set(words) == set(vocabulary.LANGUAGES) for words in reasons.REASONS.values())


def test_every_kind_has_its_sentence():
    assert set(vocabulary.REMINDER_KINDS) <= set(templates.TEMPLATES)


def test_a_discharged_patient_still_reads_the_ledger(patient, group, owner_sql, rewrite):
    owner_sql("UPDATE enrollments SET status = 'ended', ended_at = %s", local("2026-06-08T09:00"))
    rewrite(patient.id, at=local("2026-06-08T09:00"))
    assert {one["reason"] for one in items(patient)} == {"not_enrolled"}

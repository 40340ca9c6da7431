"""By text, "1" and "2" answer the session of which the last text spoke, where it is clear whose answer it is."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from api import carriers, db
from api.messages import wording
from tests.messages.contacts import NUMBER, texted, turned_on
from tests.messages.fakes.sms import settings, signed
from tests.sessions.conftest import MONDAY, mine

SMS = "/hooks/sms"
NOW = datetime.fromisoformat(MONDAY)


@pytest.fixture(autouse=True)
def gateway(app, monkeypatch):
    monkeypatch.setattr(app, "settings", replace(app.settings, carriers=carriers.Carriers(sms=settings())))


@pytest.fixture
def say(visitor):
    def said(body: str, sid: str | None = None) -> str:
        form = {"MessageSid": sid or uuid4().hex, "From": NUMBER, "Body": body}
        answer = visitor.request("POST", SMS, data=form, headers=signed(SMS, form))
        assert answer.status_code == 200, answer.text
        return answer.text.partition("<Message>")[2].partition("</Message>")[0]

    return said


@pytest.fixture
def session(schedule, patient, owner_sql) -> dict[str, Any]:
    """The patient's second session of the week, of which no text has spoken yet."""
    schedule.begin(patient)
    turned_on(owner_sql, patient)
    return mine(patient)[1]


def spoken_of(patient, session, *, at=NOW) -> None:
    told = {"subject_id": UUID(session["id"]), "starts_at": datetime.fromisoformat(session["starts_at"])}
    assert texted(patient.id, at=at, **told)


def standing(patient) -> str | None:
    return mine(patient)[1].get("reply", {}).get("reply")


def english(sentence: str) -> str:
    return wording.said(sentence, "en")


@pytest.mark.parametrize(("digit", "reply"), [("1", "attending"), ("2", "not_attending")])
def test_a_digit_is_a_reply(session, patient, say, digit, reply):
    spoken_of(patient, session)
    assert say(digit) == english("noted")
    assert standing(patient) == reply


def test_other_sessions_of_the_patient_stay_unanswered(session, patient, say):
    spoken_of(patient, session)
    say("2")
    assert [one.get("reply") is not None for one in mine(patient)][:3] == [False, True, False]


def test_the_same_text_again_is_one_reply(session, patient, say, owner_sql):
    spoken_of(patient, session)
    assert say("2", sid="SM1") == say("2", sid="SM1") == english("noted")
    assert owner_sql("SELECT count(*) FROM session_replies") == [(1,)]


def test_a_change_of_mind_by_text_stands(session, patient, say, travel):
    spoken_of(patient, session)
    say("2")
    travel(NOW + timedelta(minutes=5))
    assert say("1") == english("noted")
    assert standing(patient) == "attending"


def test_a_yes_to_a_session_that_has_moved_since_is_no_yes(schedule, session, patient, say):
    spoken_of(patient, session)
    assert schedule.change(schedule.sessions()[1], starts_at="2026-11-25T20:00:00Z").status_code == 200
    assert say("1") == english("changed")
    assert standing(patient) is None


def test_a_no_holds_even_if_the_session_moved(schedule, session, patient, say):
    spoken_of(patient, session)
    schedule.change(schedule.sessions()[1], starts_at="2026-11-25T20:00:00Z")
    assert say("2") == english("noted")
    assert standing(patient) == "not_attending"


def test_without_a_text_there_is_nothing_to_answer(session, patient, say):
    assert say("1") == english("nothing_to_answer")
    assert standing(patient) is None


def test_a_text_of_last_week_is_answered_by_nothing(session, patient, say):
    spoken_of(patient, session, at=NOW - timedelta(days=5))
    assert say("1") == english("nothing_to_answer")
    assert standing(patient) is None


def test_the_answer_is_to_the_last_text(session, patient, say):
    first = mine(patient)[0]
    spoken_of(patient, first, at=NOW - timedelta(days=1))
    spoken_of(patient, session)
    say("2")
    assert [one.get("reply") is not None for one in mine(patient)][:2] == [False, True]


def test_a_text_about_several_sessions_is_answered_in_the_app(session, patient, say):
    spoken_of(patient, session, at=NOW - timedelta(days=1))
    assert texted(patient.id, at=NOW, starts_at=datetime.fromisoformat(session["starts_at"]))
    assert say("2") == english("nothing_to_answer")
    assert standing(patient) is None


def test_in_a_household_the_answer_is_whose_text_it_was(schedule, session, patient, other_patient, say, owner_sql):
    schedule.begin(other_patient)
    turned_on(owner_sql, other_patient)
    spoken_of(patient, session)
    assert say("2") == english("noted")
    assert (standing(patient), standing(other_patient)) == ("not_attending", None)


def test_in_a_household_where_both_got_a_text_nobody_is_answered_for(
    schedule, session, patient, other_patient, say, owner_sql
):
    schedule.begin(other_patient)
    turned_on(owner_sql, other_patient)
    spoken_of(patient, session)
    spoken_of(other_patient, mine(other_patient)[1])
    assert say("2") == english("nothing_to_answer")
    assert (standing(patient), standing(other_patient)) == (None, None)


def test_a_patient_who_is_no_longer_in_the_session_answers_nothing(schedule, session, patient, say):
    spoken_of(patient, session)
    series_id = schedule.sessions()[1]["series_id"]
    assert schedule.leave(series_id, patient).status_code in (200, 204)
    assert say("1") == english("nothing_to_answer")


def test_a_reply_raises_the_patients_version(session, patient, say):
    spoken_of(patient, session)
    before = version(patient)
    say("2")
    assert version(patient) > before


def version(patient) -> int:
    with db.transaction(db.Caller(kind="patient", patient_id=patient.id)) as current:
        return current.scalar(db.sa.text("SELECT version FROM patient_versions"))

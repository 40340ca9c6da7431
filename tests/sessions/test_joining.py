"""Joining by the link: given out from a quarter of an hour before the start to the end, and an arrival by itself."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.knocking import Knocker
from tests.sessions.conftest import Schedule, check_in, mine

Travel = Callable[[str], Any]
LINK = "https://video.example/rooms/morning"
REMOTE = {"modality": "telehealth", "join_url": LINK}


@pytest.fixture
def session_id(schedule: Schedule, patient: Knocker) -> str:
    """Today's session by telehealth: 14:00 to 17:00 UTC."""
    schedule.begin(patient, **REMOTE)
    return mine(patient)[0]["id"]


def join(patient: Knocker, session_id: str, **more: Any) -> Any:
    return patient.post(f"/v1/me/sessions/{session_id}/join", key="", json={"id": str(uuid.uuid4()), **more})


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["type"].rsplit("/", 1)[1]


@pytest.mark.parametrize("now", ["2026-11-23T13:45:00Z", "2026-11-23T15:00:00Z", "2026-11-23T17:00:00Z"])
def test_the_link_is_given_and_the_arrival_kept(session_id: str, patient: Knocker, travel: Travel, now: str) -> None:
    travel(now)
    answer = join(patient, session_id)
    assert (answer.status_code, answer.json["join_url"]) == (200, LINK)
    assert answer.json["session"] == mine(patient)[0]
    assert answer.json["session"]["arrival"] == {
        "placement": "in_window",
        "arrived_at": now,
        "way": "joined",
        "confirmed": False,
    }
    assert answer.json["session"]["presence"] == {"status": "attested", "rests_on": "patient"}
    assert "attendance" not in answer.json["session"]


@pytest.mark.parametrize(
    ("now", "slug", "retry"),
    [
        ("2026-11-23T13:44:59Z", "not-open-for-joining", "later"),
        ("2026-11-23T17:00:01Z", "joining-is-over", "never"),
    ],
)
def test_before_and_after_that_there_is_no_link(
    session_id: str, patient: Knocker, travel: Travel, now: str, slug: str, retry: str
) -> None:
    travel(now)
    refused = join(patient, session_id)
    assert (*problem(refused), refused.json["retry"]) == (409, slug, retry)
    assert refused.json["current"]["join_opens_at"] == "2026-11-23T13:45:00Z"
    assert LINK not in refused.text
    assert "arrival" not in mine(patient)[0]


def test_nothing_else_tells_the_link(session_id: str, patient: Knocker, travel: Travel) -> None:
    travel("2026-11-23T14:00:00Z")
    for path in ("/v1/me/sessions", f"/v1/me/sessions/{session_id}", "/v1/me/today"):
        assert LINK not in patient.get(path).text
    assert mine(patient)[0]["join_opens_at"] == "2026-11-23T13:45:00Z"


def test_joining_twice_is_joining_once(
    session_id: str, patient: Knocker, travel: Travel, owner_sql: Callable[..., list[Any]], heard: list[Any]
) -> None:
    travel("2026-11-23T13:50:00Z")
    first = join(patient, session_id)
    travel("2026-11-23T15:00:00Z")
    assert join(patient, session_id).json == first.json
    assert owner_sql("SELECT way, confirmed FROM session_arrivals") == [("joined", False)]
    assert [type(fact).__name__ for fact in heard] == ["Arrived"]


def test_who_checked_in_still_gets_the_link(session_id: str, patient: Knocker, travel: Travel) -> None:
    travel("2026-11-23T13:50:00Z")
    check_in(patient, session_id)
    answer = join(patient, session_id)
    assert (answer.json["join_url"], answer.json["session"]["arrival"]["way"]) == (LINK, "checked_in")


def test_a_hybrid_session_can_be_joined_and_one_without_a_link_cannot(
    schedule: Schedule, patient: Knocker, travel: Travel
) -> None:
    schedule.begin(patient, **{**REMOTE, "modality": "hybrid"})
    schedule.begin(patient, modality="telehealth", starts_local="13:00")
    schedule.begin(patient, starts_local="17:00")
    hybrid, bare, in_person, *_ = mine(patient)
    travel("2026-11-23T14:00:00Z")
    assert join(patient, hybrid["id"]).status_code == 200
    for one in (bare, in_person):
        assert "join_opens_at" not in one
        assert problem(join(patient, one["id"])) == (409, "no-link-for-session")


def test_a_cancelled_session_is_not_joined(
    schedule: Schedule, session_id: str, patient: Knocker, travel: Travel
) -> None:
    schedule.change(schedule.sessions()[0], status="cancelled", join_url=LINK)
    travel("2026-11-23T14:00:00Z")
    assert problem(join(patient, session_id)) == (409, "session-is-cancelled")


def test_someone_elses_link_is_not_there(
    session_id: str, other_patient: Knocker, patient: Knocker, travel: Travel
) -> None:
    travel("2026-11-23T14:00:00Z")
    assert problem(join(other_patient, session_id)) == (404, "not-found")


def test_the_link_is_in_no_line_of_the_log(
    session_id: str, patient: Knocker, travel: Travel, capfd: pytest.CaptureFixture[str]
) -> None:
    travel("2026-11-23T14:00:00Z")
    assert join(patient, session_id).status_code == 200
    out, err = capfd.readouterr()
    assert "/join" in out + err and LINK not in out + err

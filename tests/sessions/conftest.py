"""A Monday-Wednesday-Friday group in New York, and what the tests do with it again and again."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from api import events
from tests.knocking import Knocker

MONDAY = "2026-11-23T12:00:00Z"  # seven in the morning in New York

GROUP = {
    "kind": "group",
    "title": "Morning group",
    "title_es": "Grupo de la mañana",
    "first_on": "2026-11-23",
    "starts_local": "09:00",
    "duration_minutes": 180,
    "time_zone": "America/New_York",
    "rrule": "FREQ=WEEKLY;BYDAY=MO,WE,FR;COUNT=12",
    "modality": "in_person",
    "facilitator": "R. Example",
    "room": "2",
}
CONTENT = ("title", "title_es", "modality", "facilitator", "location_id", "room", "join_url", "status")
ANSWERED = ("id", "version", "split_from_id", "lost")


class Schedule:
    """The clinic's hands on the schedule, through its doors."""

    def __init__(self, clinic: Knocker) -> None:
        self.clinic = clinic

    def begin(self, *members: Knocker, **different: Any) -> dict[str, Any]:
        made = self.clinic.post("/v1/clinic/session-series", json={**GROUP, **different})
        assert made.status_code == 201, made.json
        for member in members:
            assert self.join(made.json["id"], member).status_code == 200
        return made.json

    def rewrite(self, series: dict[str, Any], query: str = "", **different: Any) -> Any:
        body = {name: value for name, value in series.items() if name not in ANSWERED}
        path = f"/v1/clinic/session-series/{series['id']}{query}"
        return self.clinic.put(path, json={**body, **different}, if_match=f'"{series["version"]}"')

    def from_on(self, series: dict[str, Any], day: str, **different: Any) -> Any:
        """Change this and later, from a day on."""
        return self.rewrite(series, f"?applies_to=this_and_later&from_on={day}", **different)

    def join(self, series_id: str, member: Knocker, query: str = "") -> Any:
        return self.clinic.put(f"/v1/clinic/session-series/{series_id}/members/{member.id}{query}")

    def leave(self, series_id: str, member: Knocker) -> Any:
        return self.clinic.delete(f"/v1/clinic/session-series/{series_id}/members/{member.id}")

    def sessions(self, series_id: str | None = None) -> list[dict[str, Any]]:
        window = "from=2026-01-01T00:00:00Z&to=2026-12-31T00:00:00Z&page_size=100"
        only = f"&series_id={series_id}" if series_id else ""
        return self.clinic.get(f"/v1/clinic/sessions?{window}{only}").json["items"]

    def change(
        self, session: dict[str, Any], *, minutes: int = 180, tag: str | None = None, query: str = "", **different: Any
    ) -> Any:
        body = {name: session[name] for name in CONTENT if name in session}
        body |= {"starts_at": session["starts_at"], "duration_minutes": minutes, **different}
        path = f"/v1/clinic/sessions/{session['id']}{query}"
        return self.clinic.put(path, json=body, if_match=tag or f'"{session["version"]}"')

    def mark(self, session_id: str, member: Knocker, mark: str, **more: Any) -> Any:
        path = f"/v1/clinic/sessions/{session_id}/attendance/{member.id}"
        return self.clinic.put(path, json={"mark": mark, **more})

    def roster(self, session_id: str) -> list[dict[str, Any]]:
        return self.clinic.get(f"/v1/clinic/sessions/{session_id}/attendance").json["items"]


@pytest.fixture
def schedule(clinic: Knocker, travel: Callable[[str], Any]) -> Schedule:
    travel(MONDAY)
    return Schedule(clinic)


def mine(patient: Knocker, query: str = "") -> list[dict[str, Any]]:
    answer = patient.get(f"/v1/me/sessions{query}")
    assert answer.status_code == 200, answer.json
    return answer.json["items"]


def reply(patient: Knocker, session: dict[str, Any], word: str, **more: Any) -> Any:
    body = {"reply": word, "starts_at": session["starts_at"], **more}
    return patient.put(f"/v1/me/sessions/{session['id']}/reply", json=body)


def check_in(patient: Knocker, session_id: str, **more: Any) -> Any:
    return patient.post(f"/v1/me/sessions/{session_id}/check-in", key="", json={"id": str(uuid.uuid4()), **more})


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The facts announced from here on, in all threads."""
    facts: list[Any] = []
    announce = events.announce
    monkeypatch.setattr(events, "announce", lambda fact: (facts.append(fact), announce(fact)))
    return facts

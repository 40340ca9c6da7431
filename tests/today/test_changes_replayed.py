"""Replaying what has changed, from whatever moment on, gives what a full reading gives, whoever writes meanwhile.

Real threads write through the doors and the worker says what is due, while phones read: some page by page with time
passing in between, some that fall behind and go on later from where they were.
"""

import random
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from threading import Event
from typing import Any

import pytest
from werkzeug.test import TestResponse

from api import clock
from api.reminders import worker
from tests.acts import place, schedule
from tests.knocking import Knocker
from tests.today.syncing import Kept, Phone, everything

MONDAY, TUESDAY = "2026-11-23T15:00:00+00:00", "2026-11-24T15:00:00+00:00"
A_DAY_BEFORE = "2026-11-23T15:00:00Z"
ROUNDS, ACTS = 4, 12
Act = Callable[[], Any]


class Week:
    """A group and its members; every act is drawn by `draw` and goes through a door."""

    def __init__(self, clinic: Knocker, members: tuple[Knocker, ...], draw: random.Random) -> None:
        self.clinic, self.members, self.draw = clinic, members, draw
        self.stays = [place(clinic, one)["id"] for one in members]
        self.series = schedule(clinic, members[0])["id"]
        self.sessions = members[0].get("/v1/me/sessions?page_size=100").json["items"]

    def of_patient(self, patient: Knocker) -> list[Act]:
        return [
            lambda: self._reply(patient),
            lambda: self._check_in(patient),
            lambda: self._choose(patient, "/v1/me/preferences", self._preferences()),
            lambda: self._choose(patient, "/v1/me/reminder-preferences", self._wishes()),
            lambda: self._phone(patient),
            lambda: self._feed(patient),
            lambda: patient.post("/v1/me/restriction-requests", json={"categories": ["attendance"]}),
        ]

    def of_clinic(self) -> list[Act]:
        return [self._change, self._change, self._change, self._membership, self._transition, self._mark, self._rename]

    def _reply(self, patient: Knocker) -> Any:
        session = self.draw.choice(patient.get("/v1/me/sessions").json["items"] or self.sessions)
        word = self.draw.choice(("attending", "not_attending"))
        return patient.put(
            f"/v1/me/sessions/{session['id']}/reply", json={"reply": word, "starts_at": session["starts_at"]}
        )

    def _check_in(self, patient: Knocker) -> Any:
        now = clock.now().isoformat()
        answers = [{"item": "safe_now", "choice": "yes"}]
        body = {"id": str(uuid.uuid4()), "instrument": "daily", "instrument_version": "1", "answers": answers}
        return patient.post("/v1/me/check-ins", json={**body, "occurred_at": now, "sent_at": now})

    def _phone(self, patient: Knocker) -> Any:
        if self.draw.random() < 0.5:
            return patient.delete("/v1/me/phone")
        return patient.put("/v1/me/phone", json={"number": self.draw.choice(("212-555-0123", "212-555-0124"))})

    def _feed(self, patient: Knocker) -> Any:
        address, made = "/v1/me/calendar-feeds", patient.get("/v1/me/calendar-feeds").json["items"]
        if made and self.draw.random() < 0.6:
            return patient.delete(f"{address}/{self.draw.choice(made)['id']}")
        return patient.post(address, json={"name": f"Calendar {self.draw.randrange(9)}"})

    def _choose(self, patient: Knocker, path: str, choice: dict[str, Any]) -> Any:
        return patient.put(path, json=choice, if_match="*")

    def _preferences(self) -> dict[str, Any]:
        zone = self.draw.choice(("America/New_York", "America/Denver"))
        return {"time_zone": zone, "language": self.draw.choice(("en", "en", "en", "es"))}

    def _wishes(self) -> dict[str, Any]:
        return {"quiet_from": self.draw.choice(("20:00", "22:00")), "lead_times": self.draw.choice((["hours_2"], []))}

    def _change(self) -> Any:
        address = f"/v1/clinic/sessions/{self.draw.choice(self.sessions)['id']}"
        found = self.clinic.get(address)
        asked = {name: found.json[name] for name in ("starts_at", "status", "title", "modality")}
        new = self.draw.choice(
            (
                {"starts_at": f"2026-11-{self.draw.randrange(25, 31)}T2{self.draw.randrange(4)}:00:00Z"},
                {"status": self.draw.choice(("scheduled", "cancelled"))},
                {"room": str(self.draw.randrange(9))},
            )
        )
        body = {**asked, "duration_minutes": 180, **new}
        return self.clinic.put(address, json=body, if_match=found.headers["ETag"])

    def _membership(self) -> Any:
        member = self.draw.choice(self.members)
        address = f"/v1/clinic/session-series/{self.series}/members/{member.id}"
        return self.clinic.delete(address) if self.draw.random() < 0.2 else self.clinic.put(address)

    def _transition(self) -> Any:
        kind = self.draw.choice(("pause", "resume", "correct"))
        body = {"kind": kind} | ({"reason": "medical"} if kind == "pause" else {})
        return self.clinic.post(f"/v1/clinic/enrollments/{self.draw.choice(self.stays)}/transitions", json=body)

    def _mark(self) -> Any:
        member, session = self.draw.choice(self.members), self.sessions[0]
        mark = self.draw.choice(("present", "absent", "excused"))
        return self.clinic.put(f"/v1/clinic/sessions/{session['id']}/attendance/{member.id}", json={"mark": mark})

    def _rename(self) -> Any:
        name = self.draw.choice(("Sam", "Alex"))
        address = f"/v1/clinic/patients/{self.draw.choice(self.members).external_id}"
        return self.clinic.put(address, json={"preferred_name": name})


@contextmanager
def writing(*hands: list[Act], draw: random.Random) -> Iterator[list[int]]:
    """Each hand does its acts in a thread of its own until the block is over; gives the statuses of the answers."""
    over, statuses = Event(), list[int]()

    def work(acts: list[Act]) -> None:
        while not over.is_set():
            answer = draw.choice(acts)()
            if isinstance(answer, TestResponse):
                statuses.append(answer.status_code)

    with ThreadPoolExecutor(len(hands)) as threads:
        hard_at_it = [threads.submit(work, acts) for acts in hands]
        try:
            yield statuses
        finally:
            over.set()
    for one in hard_at_it:
        one.result()


def read(phones: list[Phone], draw: random.Random, done: Callable[[], bool]) -> None:
    """Phones read now and then until the writers are `done`; each stands where it last was."""
    while not done():
        phone = draw.choice(phones)
        phone.sync()
        if len(phones) < 20:
            phones.append(phone.copy())


def recent(kept: Kept) -> Kept:
    """Without the reminders that are too long ago for a full reading."""
    return {key: one for key, one in kept.items() if key[0] != "reminder" or one["due_at"] >= A_DAY_BEFORE}


@pytest.mark.parametrize("seed", range(3))
def test_replaying_changes_gives_what_a_full_reading_gives(
    clinic: Knocker, patient: Knocker, other_patient: Knocker, travel: Callable[[str], datetime], seed: int
) -> None:
    draw = random.Random(seed)
    travel(MONDAY)
    week = Week(clinic, (patient, other_patient), draw)
    travel(TUESDAY)
    hands = (week.of_patient(patient), week.of_patient(other_patient), week.of_clinic(), week.of_clinic(), [worker.run])
    phones = [Phone(patient, size=size, pause=pause) for size, pause in ((100, 0), (3, 0.01), (20, 0.02))]
    for _ in range(ROUNDS):
        with writing(*hands, draw=draw) as statuses:
            read(phones, draw, done=lambda done=statuses: len(done) >= ACTS)
        assert max(statuses) < 500
        whole = recent(everything(patient))
        # The others go on from further back.
        for phone in draw.sample(phones, min(len(phones), 8)):
            phone.sync()
            assert recent(phone.kept) == whole
    for phone in phones:
        phone.sync()
        assert recent(phone.kept) == whole

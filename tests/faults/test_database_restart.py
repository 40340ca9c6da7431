"""The database restarts under load: requests succeed or say when to come back, and nothing acknowledged is lost."""

import http.client
import threading
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.faults.house import Answered, House, served

RESTARTS = 3
ANSWERS = [{"item": "safe_now", "choice": "yes"}, {"item": "mood", "number": 6}]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with served(tmp_path, threads=8) as house:
        yield house


class Load:
    """Patients' phones that read and check in until told to stop."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.stopping = threading.Event()
        self.acknowledged: list[str] = []
        self.unlike: list[Any] = []
        self.counts: dict[int, int] = {}
        self._threads = [threading.Thread(target=self._go, args=(act,)) for act in (self.check_in, self.read) * 2]

    def __enter__(self) -> "Load":
        [thread.start() for thread in self._threads]
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        [thread.join() for thread in self._threads]

    def _go(self, act: Any) -> None:
        while not self.stopping.is_set():
            try:
                act()
            except (OSError, http.client.HTTPException) as trouble:
                self.unlike.append(repr(trouble))

    def check_in(self) -> None:
        now, made = datetime.now(UTC).isoformat(), str(uuid.uuid4())
        said = {"instrument": "daily", "instrument_version": "1", "answers": ANSWERS}
        if self.note(
            self.house.ask("POST", "/v1/me/check-ins", {**said, "id": made, "occurred_at": now, "sent_at": now})
        ):
            self.acknowledged.append(made)

    def read(self) -> None:
        self.note(self.house.ask("GET", "/v1/me/today"))

    def note(self, answer: Answered) -> bool:
        """Whether it was a success; anything but that and a 503 that says when to come back is noted as unlike."""
        status, headers, body = answer
        self.counts[status] = self.counts.get(status, 0) + 1
        if status == 503 and {name.lower() for name in headers} >= {"retry-after"}:
            time.sleep(0.05)
        elif status not in (200, 201):
            self.unlike.append((status, body[:300]))
        return status in (200, 201)


def test_a_database_that_restarts_costs_a_moment_and_no_fact(house: House) -> None:
    with Load(house) as load:
        for _ in range(RESTARTS):
            time.sleep(1)
            before = len(load.acknowledged)
            house.server.restart("immediate")
            deadline = time.monotonic() + 60
            while len(load.acknowledged) <= before + 2:
                assert time.monotonic() < deadline, f"it did not recover: {load.counts} {load.unlike[:3]}"
                time.sleep(0.05)
    assert load.unlike == []
    assert len(load.acknowledged) > RESTARTS * 2
    with psycopg.connect(house.server.dsn("postgres", "continuum")) as connection:
        kept = {str(one) for (one,) in connection.execute("SELECT id FROM check_ins")}
    assert set(load.acknowledged) <= kept

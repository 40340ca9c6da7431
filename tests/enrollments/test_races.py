"""Two at once: one wins, the other is told so."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import psycopg
import pytest

from api import postgres
from tests.enrollments.deciding import decide, on_record, place
from tests.knocking import Knocker

MONDAY = "2026-11-02T15:00:00Z"


def at_once(*acts: Callable[[], int]) -> list[int]:
    """The status codes of acts that begin together, each in a thread of its own."""
    gate = Barrier(len(acts))

    def act(one: Callable[[], int]) -> int:
        gate.wait()
        return one()

    with ThreadPoolExecutor(len(acts)) as threads:
        return sorted(threads.map(act, acts))


@pytest.mark.parametrize("round_", range(5))
def test_of_two_transitions_at_once_one_wins(clinic: Knocker, patient: Knocker, round_: int) -> None:
    iop = place(clinic, patient, starts_at=MONDAY)
    codes = at_once(
        lambda: decide(clinic, iop, "step_down", program="op", reason="completed").status_code,
        lambda: decide(clinic, iop, "discharge", reason="transferred").status_code,
    )
    assert codes == [200, 409]
    assert len(on_record(clinic, patient)[0]["facts"]) == 2


@pytest.mark.parametrize("round_", range(5))
def test_of_two_placements_at_once_one_wins(clinic: Knocker, patient: Knocker, round_: int) -> None:
    address = f"/v1/clinic/patients/{patient.external_id}/enrollments"

    def placing(program: str) -> Callable[[], int]:
        return lambda: clinic.post(address, json={"program": program, "focus": ["substance_use"]}).status_code

    assert at_once(placing("iop"), placing("op")) == [201, 409]
    assert len(on_record(clinic, patient)) == 1


def test_who_waited_for_another_decision_is_told_even_where_theirs_would_still_fit(
    clinic: Knocker, patient: Knocker, server: postgres.Server
) -> None:
    """A pause and then a step would fit; but both were decided on the same reading."""
    iop = place(clinic, patient, starts_at=MONDAY)
    decisions = (
        {"kind": "pause", "reason": "medical", "effective_at": "2026-11-09T15:00:00Z"},
        {"kind": "step_down", "program": "op", "reason": "completed"},
    )
    with ThreadPoolExecutor(2) as threads, psycopg.connect(server.dsn("postgres", "continuum")) as holder:
        holder.execute("SELECT FROM patient_versions WHERE patient_id = %s FOR UPDATE", (patient.id,))
        deciding = []
        for decision in decisions:
            deciding.append(threads.submit(lambda asked=decision: decide(clinic, iop, **asked).status_code))
            wait_until_waiting(server, len(deciding))
        holder.commit()
        assert [one.result() for one in deciding] == [200, 409]


def wait_until_waiting(server: postgres.Server, count: int) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%patient_versions%'"
    with psycopg.connect(server.dsn("postgres", "continuum"), autocommit=True) as watcher:
        until = time.monotonic() + 60
        while watcher.execute(waiting).fetchone() != (count,):
            assert time.monotonic() < until, "nobody waits for the patient's lock"
            time.sleep(0.01)

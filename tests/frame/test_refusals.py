"""Refusals are audited, and no flood of them makes the audit grow without bound."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from api import db, errors, floods, hotlines, refusals
from api.app import Continuum
from tests.knocking import Knocker

ROOT = Path(__file__).parents[2]
SQL = Callable[..., list[tuple[Any, ...]]]
OF_STRANGERS = {"operation": "signIn", "problem": "wrong-secret", "request_id": "request-1"}


@pytest.fixture(autouse=True)
def unknowing(app: Continuum) -> Iterator[None]:
    refusals.floods.forget()
    yield
    refusals.floods.forget()


@pytest.fixture
def early_in_a_minute(owner_sql: SQL) -> None:
    """What follows takes less than the ten seconds that are left of the minute at least."""
    left = 60 - int(owner_sql("SELECT extract(second FROM clock_timestamp())")[0][0])
    if left < 10:
        time.sleep(left + 0.1)


def the_minute_passes(sql: SQL) -> None:
    sql("UPDATE refusal_counts SET minute_at = minute_at - interval '2 minutes'")


def audited(sql: SQL, problem: str = "wrong-secret") -> list[int | None]:
    """The `times` of the audit's rows about one problem."""
    found = sql("SELECT times FROM audit_events WHERE problem = %s AND outcome = 'refused' ORDER BY id", problem)
    return [times for (times,) in found]


def counted(sql: SQL) -> int:
    return int(sql("SELECT coalesce(sum(times), 0) FROM refusal_counts")[0][0])


def test_a_refusal_of_a_stranger_is_a_row_that_names_nobody(owner_sql: SQL) -> None:
    refusals.note(caller=None, **OF_STRANGERS)
    columns = "caller_kind, client_id, patient_id, action, operation, outcome, problem, request_id, times"
    row = ("public", None, None, "create", "signIn", "refused", "wrong-secret", "request-1", None)
    assert owner_sql(f"SELECT {columns} FROM audit_events WHERE problem = 'wrong-secret'") == [row]


def test_whose_record_it_was_about_is_told(patient: Knocker, owner_sql: SQL) -> None:
    refusals.note(caller=None, **OF_STRANGERS, patient_id=patient.id)
    assert owner_sql("SELECT patient_id FROM audit_events WHERE problem = 'wrong-secret'") == [(patient.id,)]


def test_a_flood_of_strangers_leaves_a_few_rows_and_one_that_counts(early_in_a_minute: None, owner_sql: SQL) -> None:
    for _ in range(2000):
        refusals.note(caller=None, **OF_STRANGERS)
    assert audited(owner_sql) == [None] * refusals.FEW
    assert refusals.floods.write_down()
    the_minute_passes(owner_sql)
    assert not refusals.tell()
    assert audited(owner_sql) == [None] * refusals.FEW + [2000 - refusals.FEW]
    assert counted(owner_sql) == 0


def test_each_cause_has_a_few_of_its_own(early_in_a_minute: None, owner_sql: SQL) -> None:
    for _ in range(20):
        refusals.note(caller=None, **OF_STRANGERS)
        refusals.note(caller=None, **{**OF_STRANGERS, "problem": "expired"})
    assert [len(audited(owner_sql, one)) for one in ("wrong-secret", "expired")] == [refusals.FEW] * 2


def test_a_flood_asks_the_database_a_few_times_and_then_once_a_second(
    early_in_a_minute: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, ask = [], hotlines.Lines.ask
    monkeypatch.setattr(hotlines.Lines, "ask", lambda *given: (asked.append(given), ask(*given))[1])
    began = time.monotonic()
    for _ in range(2000):
        refusals.note(caller=None, **OF_STRANGERS)
    assert len(asked) <= refusals.FEW + (time.monotonic() - began) / floods.SECONDS_GATHERED + 1


def test_what_is_gathered_is_written_without_another_request(early_in_a_minute: None, owner_sql: SQL) -> None:
    for _ in range(50):
        refusals.note(caller=None, **OF_STRANGERS)
    deadline = time.monotonic() + 60 * floods.SECONDS_GATHERED
    while counted(owner_sql) < 50 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert counted(owner_sql) == 50


def test_what_was_gathered_before_the_minute_ended_has_a_few_rows_in_the_next(owner_sql: SQL) -> None:
    refusals._on_a_line(refusals.of(None, **OF_STRANGERS), 3)
    refusals._on_a_line(refusals.of(None, **OF_STRANGERS), 100)
    assert (len(audited(owner_sql)), counted(owner_sql)) == (refusals.FEW, 103)


def test_floods_of_many_threads_are_counted_exactly(early_in_a_minute: None, owner_sql: SQL) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: refusals.note(caller=None, **OF_STRANGERS), range(400)))
    refusals.floods.write_down()
    assert (len(audited(owner_sql)), counted(owner_sql)) == (refusals.FEW, 400)


KILLED = """
import os, signal, sys
from api import db, refusals
db.open_engine(sys.argv[1], pool=4, statement_timeout_ms=5000)
for number in range(500):
    refusals.note(caller=None, operation="signIn", problem="wrong-secret", request_id=None)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_loses_what_it_had_gathered_and_no_row(
    app: Continuum, early_in_a_minute: None, owner_sql: SQL
) -> None:
    command = [sys.executable, "-c", KILLED, app.settings.database_url]
    assert subprocess.run(command, cwd=ROOT, timeout=60).returncode == -9
    assert (len(audited(owner_sql)), counted(owner_sql) >= refusals.FEW) == (refusals.FEW, True)


def test_a_rollback_takes_no_refusal_back(owner_sql: SQL) -> None:
    with pytest.raises(errors.NotFound), db.transaction(db.PUBLIC):
        refusals.note(caller=None, **OF_STRANGERS)
        raise errors.NotFound
    assert audited(owner_sql) == [None]


def refuse(caller: db.Caller) -> None:
    with pytest.raises(errors.NotFound), db.transaction(caller):
        db.after_rollback(lambda: refusals.note_here(caller=caller, **OF_STRANGERS, action="update"))
        raise errors.NotFound


@pytest.mark.parametrize("kind", ["patient", "clinic", "partner", "worker"])
def test_every_kind_of_caller_can_be_refused_after_a_rollback(app: Continuum, owner_sql: SQL, kind: str) -> None:
    ids = {"patient": {"patient_id": uuid4()}, "worker": {}}.get(kind, {"client_id": uuid4()})
    refuse(db.Caller(kind=kind, **ids))
    columns = "caller_kind, patient_id, client_id, action"
    assert owner_sql(f"SELECT {columns} FROM audit_events WHERE problem = 'wrong-secret'") == [
        (kind, ids.get("patient_id"), ids.get("client_id"), "update")
    ]


def test_a_flood_of_one_caller_is_bounded_and_told_as_theirs(early_in_a_minute: None, owner_sql: SQL) -> None:
    partner, patient = (
        db.Caller(kind="partner", client_id=uuid4()),
        db.Caller(kind="patient", patient_id=uuid4()),
    )
    for _ in range(15):
        refuse(partner)
        refuse(patient)
    refusals.floods.write_down()
    the_minute_passes(owner_sql)
    refusals.tell()
    told = owner_sql("SELECT caller_kind, client_id, patient_id, times FROM audit_events WHERE times IS NOT NULL")
    assert sorted(told, key=str) == [
        ("partner", partner.client_id, None, 5),
        ("patient", None, patient.patient_id, 5),
    ]


def test_one_callers_flood_hides_nobody_elses_refusal(early_in_a_minute: None, owner_sql: SQL) -> None:
    for _ in range(20):
        refuse(db.Caller(kind="partner", client_id=uuid4()))
    assert len(audited(owner_sql)) == 20


def test_a_few_are_not_told_again_and_the_running_minute_is_left(early_in_a_minute: None, owner_sql: SQL) -> None:
    for _ in range(3):
        refusals.note(caller=None, **OF_STRANGERS)
    refusals.tell()
    assert counted(owner_sql) == 3
    the_minute_passes(owner_sql)
    refusals.tell()
    assert (audited(owner_sql), counted(owner_sql)) == ([None] * 3, 0)


def test_telling_is_bounded(app: Continuum, owner_sql: SQL, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "BATCH", 2)
    for number in range(3):
        refusals.note(caller=None, **{**OF_STRANGERS, "operation": f"act{number}"})
    the_minute_passes(owner_sql)
    assert refusals.tell()
    assert not refusals.tell()


def test_a_refusal_stands_when_it_cannot_be_audited_and_is_audited_later(
    app: Continuum, owner_sql: SQL, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    def broken(*_: Any) -> Any:
        raise errors.Unavailable

    with monkeypatch.context() as patched:
        patched.setattr(hotlines.Lines, "ask", broken)
        for _ in range(3):
            refusals.note(caller=None, **OF_STRANGERS)
        refusals.floods.write_down()
    assert b'"error":"Unavailable"' in capfdbinary.readouterr().out
    assert audited(owner_sql) == []
    refusals.floods.write_down()
    assert audited(owner_sql) == [None] * 3


def test_memory_is_bounded_whoever_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floods, "MOST_FLOODS", 5)
    known = floods.Floods(few=1, write=lambda _refusal, _times: (1, 60.0))
    for number in range(20):
        known.learn(refusals.of(None, operation=f"act{number}", problem="x", request_id=None), 1, 60.0)
    assert len(known._known) == 5


def test_callers_see_neither_counts_nor_the_audit_for_it(app: Continuum) -> None:
    for kind in ("patient", "partner"):
        with pytest.raises(db.sa.exc.ProgrammingError), db.transaction(db.Caller(kind=kind)) as session:
            session.execute(db.sa.text("SELECT * FROM refusal_counts"))

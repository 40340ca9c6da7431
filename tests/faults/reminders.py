"""Due reminders among everything that breaks at a clinic: what is lost, what is said twice, and what is explained.

Two runs, each in a database of its own. In `faults`, workers are killed, the database crashes and the carriers are out
of reach while reminders fall due. In `outage`, no worker runs for a week, and then they all come back.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from api import postgres
from tests.conftest import migrate
from tests.faults import crowd
from tests.faults.carriers import Fake, carrying
from tests.faults.crowd import DUE, TEXTS_OF, WEEK_ENDS, Crowd
from tests.faults.findings import Finding, at_most
from tests.faults.workers import Shift, Workers, filled

AHEAD = timedelta(seconds=90)
LATE = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Size:
    """How much of it. `haste` shortens the workers' pauses."""

    reminders: int
    kills: int
    restarts: int
    down_seconds: float
    slow_seconds: float
    absent: int
    workers: int = 4
    batch: int = 100
    lease_seconds: float = 10.0
    haste: float = 1.0
    patience: float = 300.0


FULL = Size(20_000, 50, 5, down_seconds=8.0, slow_seconds=4.0, absent=1_000, lease_seconds=20.0)
SHORT = Size(
    *(300, 6, 1), down_seconds=0.5, slow_seconds=0.3, absent=20, batch=20, lease_seconds=3.0, haste=25.0, patience=90.0
)


def all_of(size: Size, folder: Path) -> list[Finding]:
    with postgres.running(folder / "postgres", durable=True) as server, carrying(folder) as fake:
        ledgers = made(server, size)
        return [*faults(size, server, fake, ledgers[0]), *outage(size, fake, ledgers[1])]


def made(server: postgres.Server, size: Size) -> tuple["_Ledger", "_Ledger"]:
    """Two databases, migrated once."""
    postgres.prepare(server, "faults")
    migrate(server, "faults")
    with psycopg.connect(server.dsn(postgres.SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE outage TEMPLATE faults OWNER continuum_owner")
    postgres.prepare(server, "outage")
    return _Ledger(server, "faults", size), _Ledger(server, "outage", replace(size, reminders=size.absent))


def faults(size: Size, server: postgres.Server, fake: Fake, ledger: "_Ledger") -> list[Finding]:
    filled(crowd.due_together, ledger.crowd)
    shift = ledger.shift(fake, at=DUE)
    begun = time.monotonic()
    with working(shift, count=size.workers, ahead=AHEAD) as workers:
        _Trouble(size, server, fake, ledger).befall(workers)
        ledger.wait(lambda: ledger.planned() <= 1)
    seconds = time.monotonic() - begun
    _end_of_time(ledger, fake)
    return [Finding("seconds", round(seconds)), *_judged(size, ledger, fake, workers.end())]


def outage(size: Size, fake: Fake, ledger: "_Ledger") -> list[Finding]:
    filled(crowd.a_week_ahead, ledger.crowd)
    before = _taken(fake)
    missed = ledger.count("state = 'planned' AND due_at <= %s", WEEK_ENDS)
    with working(ledger.shift(fake, at=WEEK_ENDS), count=2):
        ledger.wait(lambda: not ledger.count("state = 'planned' AND due_at <= %s", WEEK_ENDS))
    reached = size.absent - 1
    return [
        Finding("after a week without workers: reminders that had fallen due", missed),
        Finding("  said: those of today, which are five minutes late", ledger.sent(), reached),
        Finding("  taken by the carriers", _taken(fake) - before, reached),
        at_most("  messages to one patient", ledger.most_to_one(), 1),
        Finding("  said after their time", ledger.count("state = 'sent' AND sent_at >= expires_at"), 0),
        Finding("  explained as too late", ledger.count("reason = 'too_late'"), missed - size.absent),
        Finding("  explained by having no address", ledger.count("reason = 'no_address'"), 1),
        Finding("  calls for staff, about a change that was not said", ledger.calls()),
    ]


@contextmanager
def working(shift: Shift, *, count: int, ahead: timedelta = timedelta()) -> Iterator[Workers]:
    workers = Workers(shift, count=count, ahead=ahead)
    try:
        yield workers
    finally:
        workers.end()


def _end_of_time(ledger: "_Ledger", fake: Fake) -> None:
    """What nobody could word ends with its time."""
    ledger.run("UPDATE reminders SET leased_until = NULL WHERE state = 'planned'")
    with working(ledger.shift(fake, at=DUE + LATE), count=1):
        ledger.wait(lambda: ledger.planned() == 0)


def _judged(size: Size, ledger: "_Ledger", fake: Fake, fallen: int) -> list[Finding]:
    told = fake.told()
    push, texts = told["fcm"], told["sms"]
    with_number = (size.reminders - 1) // TEXTS_OF
    with_phone = size.reminders - 1 - with_number
    crashes = size.kills + size.workers * size.restarts
    repeated = {name: one["asked"] - one["turned_away"] - len(one["taken"]) for name, one in told.items()}
    doubled = sum(times - 1 for times in texts["taken"].values())
    return [
        Finding("reminders due", size.reminders),
        Finding("workers killed (kill -9)", size.kills),
        Finding("restarts of the database (immediate)", size.restarts),
        Finding(
            "attempts that the carriers turned away while they were down", sum(o["turned_away"] for o in told.values())
        ),
        Finding("workers that ended by themselves", fallen, 0),
        Finding("reminders lost: without an end, or an end without a reason", ledger.lost(), 0),
        Finding("patients with a phone whom no push reached", with_phone - 1 - len(push["targets"]), 0),
        Finding("patients with a number whom no text reached", with_number - len(texts["targets"]), 0),
        Finding(
            "reminders that the ledger calls sent and no carrier took",
            ledger.sent() - len(push["taken"]) - len(texts["taken"]),
            0,
        ),
        Finding("pushes taken twice", sum(times - 1 for times in push["targets"].values()), 0),
        Finding("keys under which two different messages came", len(push["ambiguous"]) + len(texts["ambiguous"]), 0),
        at_most("texts taken twice: at most the one in flight per killed worker", doubled, size.kills),
        at_most("attempts less taken, pushes: at most a batch per crash", repeated["fcm"], crashes * size.batch),
        Finding("  of them per killed worker and lost connection", round(repeated["fcm"] / max(crashes, 1), 1)),
        Finding("the patient without an address: explained", ledger.count("reason = 'no_address'"), 1),
        Finding("the row that nobody can word: explained", ledger.unwordable(), 1),
        Finding("others that ended as too late or as undeliverable", ledger.given_up() - ledger.unwordable(), 0),
    ]


def _taken(fake: Fake) -> int:
    return sum(sum(one["targets"].values()) for one in fake.told().values())


class _Trouble:
    """Everything that befalls the workers, spread over the run by how much of it is done."""

    def __init__(self, size: Size, server: postgres.Server, fake: Fake, ledger: "_Ledger") -> None:
        self._size, self._server, self._fake, self._ledger = size, server, fake, ledger

    def befall(self, workers: Workers) -> None:
        for part, act in sorted(self._acts(workers), key=lambda one: one[0]):
            self._ledger.wait(partial(self._ledger.is_done, part))
            time.sleep(random.uniform(0, 0.1))
            act()

    def _acts(self, workers: Workers) -> Iterator[tuple[float, Callable[[], object]]]:
        size = self._size
        yield from ((random.uniform(0.01, 0.85), workers.kill_one) for _ in range(size.kills))
        yield from ((0.8 * (number + 1) / (size.restarts + 1), self._server.restart) for number in range(size.restarts))
        yield 0.3, lambda: self._fake.trouble(down=size.down_seconds)
        yield 0.6, lambda: self._fake.trouble(slow=size.slow_seconds, delay=0.5)


class _Ledger:
    """What the database says of its reminders; it may be restarting while it is asked."""

    def __init__(self, server: postgres.Server, name: str, size: Size) -> None:
        self._size = size
        owner = server.dsn(postgres.SUPERUSER, name)
        self.crowd = Crowd(owner, server.url("continuum_app", name), size.reminders)

    def shift(self, fake: Fake, *, at: Any) -> Shift:
        size = self._size
        return Shift(self.crowd.app, fake.port, at, time.time(), size.batch, size.lease_seconds, size.haste)

    def wait(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self._size.patience
        while not holds():
            assert time.monotonic() < deadline, f"it does not end: {self.left()}"
            time.sleep(0.02)

    def is_done(self, part: float) -> bool:
        return self.planned() <= self._size.reminders * (1 - part)

    def planned(self) -> int:
        return self.count("state = 'planned'")

    def sent(self) -> int:
        return self.count("state = 'sent'")

    def lost(self) -> int:
        """Neither sent over a channel nor explained; or there is not exactly one for each patient."""
        ended = "state = 'sent' AND channel IS NOT NULL OR state = 'not_sent' AND reason <> ''"
        due = f"due_at >= '{DUE.isoformat()}'"
        return self._size.reminders - self.count(f"({ended}) AND {due}")

    def most_to_one(self) -> int:
        rows = self.run(
            "SELECT count(*) FROM reminders WHERE state = 'sent' GROUP BY patient_id ORDER BY 1 DESC LIMIT 1"
        )
        return int(rows[0][0]) if rows else 0

    def given_up(self) -> int:
        return self.count("reason IN ('too_late', 'undeliverable')")

    def unwordable(self) -> int:
        theirs = "patient_id IN (SELECT id FROM patients WHERE time_zone = %s)"
        return self.count(f"reason IN ('too_late', 'undeliverable') AND {theirs}", crowd.UNWORDABLE)

    def calls(self) -> int:
        return int(self.run("SELECT count(*) FROM tasks")[0][0])

    def count(self, which: str, *values: Any) -> int:
        return int(self.run(f"SELECT count(*) FROM reminders WHERE {which}", *values)[0][0])

    def left(self) -> list[tuple[Any, ...]]:
        return self.run("SELECT state, reason, attempts, tries, count(*) FROM reminders GROUP BY 1, 2, 3, 4")

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.crowd.owner, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []

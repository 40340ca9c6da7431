"""Worker processes that are killed at any instant and replaced; one's clock is ahead of the others'."""

import multiprocessing
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.process import BaseProcess

from api import db, errors
from api.messages import circuits
from api.messages.post import Post
from api.reminders import claims, delivering, worker
from tests.faults import crowd
from tests.faults.carriers import NAMES, Carrier


@dataclass(frozen=True, slots=True)
class Shift:
    """How workers work: domain time runs on from `at`, which was at `began` (of `time.time`). `haste` shortens all
    pauses, for short runs."""

    url: str
    port: int
    at: datetime
    began: float
    batch: int = 100
    lease_seconds: float = 10.0
    haste: float = 1.0


def work(shift: Shift, ahead: timedelta) -> None:
    """A worker's whole life: it works until it is killed, or whoever started it is gone."""
    db.open_engine(shift.url, pool=6, statement_timeout_ms=10_000)
    hasten(shift.haste)
    post = Post([Carrier(name, shift.port) for name in NAMES])
    lease_length = timedelta(seconds=shift.lease_seconds)
    run = multiprocessing.parent_process()
    while run and run.is_alive():
        at = shift.at + timedelta(seconds=int(time.time() - shift.began)) + ahead
        try:
            busy = worker.tick(at=at, post=post, most=shift.batch, lease_length=lease_length)
        except errors.Unavailable:
            busy = None
        if not busy:
            time.sleep(0.05)


def hasten(times: float) -> None:
    """Let pauses be so many times shorter."""
    circuits.FIRST_PAUSE_SECONDS /= times
    claims.PAUSE_SECONDS /= times
    delivering.BUSY_SECONDS /= times


class Workers:
    """Keeps `count` processes at work; whichever is killed is replaced. With `ahead`, the first one's clock is so much
    ahead, and that of whoever replaces it."""

    def __init__(self, shift: Shift, *, count: int, ahead: timedelta = timedelta()) -> None:
        self._shift, self._aheads = shift, [ahead] + [timedelta()] * (count - 1)
        self._context = context()
        self._fallen = 0
        self._running = [self._started(number) for number in range(count)]

    def kill_one(self) -> None:
        number = random.randrange(len(self._running))
        self._end(self._running[number])
        self._running[number] = self._started(number)

    def end(self) -> int:
        """Kills all of them; how many had ended by themselves."""
        while self._running:
            self._end(self._running.pop())
        return self._fallen

    def _started(self, number: int) -> BaseProcess:
        process = self._context.Process(target=work, args=(self._shift, self._aheads[number]), daemon=True)
        process.start()
        return process

    def _end(self, process: BaseProcess) -> None:
        self._fallen += not process.is_alive()
        process.kill()
        process.join()


def context() -> multiprocessing.context.ForkServerContext:
    """Children of a server process that has imported everything start in milliseconds."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload([__name__])
    return made


def filled(fill: Callable[[crowd.Crowd], None], some: crowd.Crowd) -> None:
    """Run one of `crowd`'s functions, in a process of its own."""
    process = context().Process(target=fill, args=(some,))
    process.start()
    process.join()
    assert process.exitcode == 0, "the crowd could not be made"

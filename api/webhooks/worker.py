"""The worker's side: a job for each delivery wakes a sender of its endpoint, and a tick those that nobody woke.

A job does not wait for the receiver: it leases the endpoint and leaves the rest to a thread, which goes on until
nothing is due there. So a receiver that hangs costs one sender, its own, and no job. A worker that dies loses nothing:
its leases run out, what it had in hand is due still, and the tick finds it.
"""

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from api import clock, db, queue
from api.observe import log
from api.webhooks import attempts, checks, claims, settling
from api.webhooks.attempts import Outcome, Task

SENDERS = 32
BUSY_SECONDS = 1
TOGETHER_SECONDS = 1.0
FINISH_SECONDS = attempts.SECONDS + 2
KEPT = "30 days"
BATCH = 5000

_LEFT = sa.text("""
    SELECT e.id FROM webhook_endpoints AS e JOIN api_clients AS c ON c.id = e.client_id
    WHERE e.status <> 'disabled' AND coalesce(e.busy_until < now(), true) AND coalesce(e.not_before < now(), true)
      AND EXISTS (
        SELECT FROM webhook_deliveries AS d
        WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.next_attempt_at < now() - interval '5 seconds'
          AND (e.status = 'active' OR d.challenge))
""")
_FORGET = sa.text("""
    DELETE FROM webhook_events WHERE id IN (
        SELECT id FROM webhook_events WHERE created_at < now() - CAST(:kept AS interval) LIMIT :most
    ) RETURNING id
""")


class Senders:
    """The threads that make attempts, at most `most` at a time."""

    def __init__(self, most: int = SENDERS) -> None:
        self._free = threading.BoundedSemaphore(most)
        self._stopping = threading.Event()
        self._threads: set[threading.Thread] = set()
        # The endpoints that senders of this process have, and whether a job came since they last looked for more.
        self._asked: dict[UUID, bool] = {}
        self._lock = threading.Lock()

    def begin(self, endpoint_id: UUID) -> bool:
        """Send what is due there, unless somebody does already; False where no sender is free, or ever will be."""
        if self._stopping.is_set():
            return False
        with self._lock:
            if endpoint_id in self._asked:
                self._asked[endpoint_id] = True
                return True
            if not self._free.acquire(blocking=False):
                return False
            self._asked[endpoint_id] = False
        self._begin(endpoint_id, db.uuid7())
        return True

    def _begin(self, endpoint_id: UUID, lease: UUID) -> None:
        try:
            tasks = self._take(endpoint_id, lease) or self._look_again(endpoint_id, lease)
        except BaseException:
            self._end(endpoint_id)
            raise
        if not tasks:
            self._free.release()
            return
        thread = threading.Thread(target=self._run, args=(endpoint_id, tasks, lease), daemon=True)
        self._threads.add(thread)
        thread.start()

    def _run(self, endpoint_id: UUID, tasks: list[Task], lease: UUID) -> None:
        try:
            while tasks:
                tasks = self._go_on(tasks, lease) or self._look_again(endpoint_id, lease)
            self._free.release()
        except Exception as error:
            # What is left undone is due still, and found when the lease has run out.
            log.error("webhook sender failed", error=type(error).__name__)
            self._end(endpoint_id)
        finally:
            self._threads.discard(threading.current_thread())

    def _go_on(self, tasks: list[Task], lease: UUID) -> list[Task]:
        """Make attempts, and take what is next in the transaction that settles these."""
        made = list(self._made(tasks))
        with db.transaction(db.WORKER):
            return settling.settle(made, lease=lease, more=not self._stopping.is_set())

    def _made(self, tasks: list[Task]) -> Iterator[tuple[Task, Outcome]]:
        """Attempts for a second, as long as each succeeds: a transaction for each would cost more than the attempt."""
        until = time.monotonic() + TOGETHER_SECONDS
        for task in tasks:
            outcome = attempt(task)
            yield task, outcome
            if not outcome.delivered or time.monotonic() > until or self._stopping.is_set():
                return

    def _take(self, endpoint_id: UUID, lease: UUID) -> list[Task]:
        with db.transaction(db.WORKER):
            return claims.take(endpoint_id=endpoint_id, lease=lease)

    def _look_again(self, endpoint_id: UUID, lease: UUID) -> list[Task]:
        """Once more for each job that came while nobody was looking, then let go of the endpoint."""
        while not self._let_go(endpoint_id):
            if tasks := self._take(endpoint_id, lease):
                return tasks
        return []

    def _let_go(self, endpoint_id: UUID) -> bool:
        with self._lock:
            if self._asked[endpoint_id] and not self._stopping.is_set():
                self._asked[endpoint_id] = False
                return False
            del self._asked[endpoint_id]
            return True

    def _end(self, endpoint_id: UUID) -> None:
        with self._lock:
            self._asked.pop(endpoint_id, None)
        self._free.release()

    def wait(self, seconds: float = FINISH_SECONDS) -> None:
        """Until all that was begun has ended, or the time is over."""
        deadline = time.monotonic() + seconds
        for thread in tuple(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))

    def stop(self) -> None:
        """Finish the attempts in hand, and begin no further ones."""
        self._stopping.set()
        self.wait()


senders = Senders()
queue.at_stop(lambda: senders.stop())


def attempt(task: Task) -> Outcome:
    """Ask again whether it may be told, then tell it."""
    try:
        allowed = _allowed(task)
    except Exception as error:
        # It waits, and in the log of the partner nothing is said of it; the others go on.
        log.error("webhook check failed", part=task.check, error=type(error).__name__)
        return attempts.NOT_ASKED
    return attempts.make(task, at=clock.wall()) if allowed else attempts.NOT_ALLOWED


def _allowed(task: Task) -> bool:
    if task.check is None:
        return True
    with db.transaction(db.WORKER):
        who = {"client_id": task.client_id, "subject_id": task.subject_id}
        allowed = checks.allows(task.check, **who, version=task.version)
        if not allowed:
            # What the check wrote down as told is not told.
            db.preview()
        return allowed


@queue.job(claims.JOB)
def run(endpoint_id: UUID) -> None:
    """Wake a sender; where all are at work, come again in a moment."""
    if not senders.begin(endpoint_id):
        with db.transaction(db.WORKER):
            queue.enqueue(claims.JOB, delay=timedelta(seconds=BUSY_SECONDS), once=endpoint_id, endpoint_id=endpoint_id)


def sweep() -> None:
    """Wake the endpoints where something is due that no job speaks for: its job was lost, or its sender was killed."""
    with db.transaction(db.WORKER) as session:
        for endpoint_id in session.scalars(_LEFT).all():
            queue.enqueue(claims.JOB, once=endpoint_id, endpoint_id=endpoint_id)


def forget_old() -> bool:
    """One turn of forgetting old events with their deliveries; whether there may be more."""
    with db.transaction(db.WORKER) as session:
        return len(session.execute(_FORGET, {"kept": KEPT, "most": BATCH}).all()) == BATCH

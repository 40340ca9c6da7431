"""The worker's side: a job for each delivery wakes a sender of its endpoint, and a tick those that nobody woke.

A job does not wait for the receiver: it leases the endpoint and leaves the rest to a thread, which goes on until
nothing is due there. So a receiver that hangs costs one sender, its own, and no job. A worker that dies loses nothing:
its leases run out, what it had in hand is due still, and the tick finds it.
"""

import threading
import time
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from api import db, queue
from api.observe import log
from api.webhooks import attempts, checks, claims
from api.webhooks.attempts import Outcome, Task

SENDERS = 32
BUSY_SECONDS = 1
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

    def begin(self, endpoint_id: UUID) -> bool:
        """Send what is due there, unless somebody does already; False where no sender is free, or ever will be."""
        if self._stopping.is_set() or not self._free.acquire(blocking=False):
            return False
        try:
            lease = db.uuid7()
            with db.transaction(db.WORKER):
                task = claims.take(endpoint_id=endpoint_id, lease=lease)
        except BaseException:
            self._free.release()
            raise
        if task is None:
            self._free.release()
        else:
            thread = threading.Thread(target=self._run, args=(task, lease), daemon=True)
            self._threads.add(thread)
            thread.start()
        return True

    def _run(self, task: Task, lease: UUID) -> None:
        following: Task | None = task
        try:
            while following is not None:
                following = self._go_on(following, lease)
        except Exception as error:
            # What is left undone is due still, and found when the lease has run out.
            log.error("webhook sender failed", error=type(error).__name__)
        finally:
            self._threads.discard(threading.current_thread())
            self._free.release()

    def _go_on(self, task: Task, lease: UUID) -> Task | None:
        """Make one attempt, and take the next delivery in the transaction that settles this one."""
        outcome = attempt(task)
        with db.transaction(db.WORKER):
            if not claims.settle(task, outcome, lease=lease):
                return None
            if self._stopping.is_set():
                claims.release(endpoint_id=task.endpoint_id, lease=lease)
                return None
            return claims.take(endpoint_id=task.endpoint_id, lease=lease)

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
        log.error("webhook check failed", check=task.check, error=type(error).__name__)
        return attempts.NOT_ASKED
    return attempts.make(task) if allowed else attempts.NOT_ALLOWED


def _allowed(task: Task) -> bool:
    if task.check is None:
        return True
    with db.transaction(db.WORKER):
        return checks.allows(task.check, client_id=task.client_id, subject_id=task.subject_id, version=task.version)


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

"""The threads that send: one for each endpoint at which something is due, until nothing is.

So a receiver that hangs costs one sender, its own, and no job; and however many receivers of one partner's hang, they
hold no more than a share of the senders.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

import sqlalchemy as sa

from api import clock, db
from api.observe import log
from api.webhooks import attempts, checks, claims, settling
from api.webhooks.attempts import Outcome, Task
from api.webhooks.models import Endpoint

SENDERS = 32
SHARE = 8  # of one partner
ENDPOINTS_KNOWN = 4096
TOGETHER_SECONDS = 1.0
FINISH_SECONDS = attempts.SECONDS + 2


@dataclass(frozen=True, slots=True)
class Turn:
    """One sender's at an endpoint, from waking to letting go."""

    endpoint_id: UUID
    client_id: UUID
    lease: UUID


class Senders:
    """The threads that make attempts, at most `most` at a time, and `share` for the endpoints of one partner."""

    def __init__(self, most: int = SENDERS, share: int = SHARE) -> None:
        self._free = threading.BoundedSemaphore(most)
        self._share, self._of_client = share, Counter[UUID]()
        self._stopping = threading.Event()
        self._threads: set[threading.Thread] = set()
        # The endpoints that senders of this process have, and whether a job came since they last looked for more.
        self._asked: dict[UUID, bool] = {}
        self._lock = threading.Lock()

    def begin(self, endpoint_id: UUID) -> bool:
        """Send what is due there, unless somebody does already; False where none is free for it, or will be."""
        if self._stopping.is_set():
            return False
        client_id = client_of(endpoint_id)
        with self._lock:
            if endpoint_id in self._asked:
                self._asked[endpoint_id] = True
                return True
            if not self._enters(client_id):
                return False
            self._asked[endpoint_id] = False
        self._begin(Turn(endpoint_id, client_id, db.uuid7()))
        return True

    def _enters(self, client_id: UUID) -> bool:
        """Take a sender for one of the client's endpoints, if there is one for it."""
        if self._of_client[client_id] >= self._share or not self._free.acquire(blocking=False):
            return False
        self._of_client[client_id] += 1
        return True

    def _leave(self, turn: Turn) -> None:
        with self._lock:
            self._of_client[turn.client_id] -= 1
            if not self._of_client[turn.client_id]:
                del self._of_client[turn.client_id]
        self._free.release()

    def _begin(self, turn: Turn) -> None:
        try:
            tasks = self._take(turn) or self._look_again(turn)
        except BaseException:
            self._end(turn)
            raise
        if not tasks:
            self._leave(turn)
            return
        thread = threading.Thread(target=self._run, args=(turn, tasks), daemon=True)
        self._threads.add(thread)
        thread.start()

    def _run(self, turn: Turn, tasks: list[Task]) -> None:
        try:
            while tasks:
                tasks = self._go_on(tasks, turn.lease) or self._look_again(turn)
            self._leave(turn)
        except Exception as error:
            # What is left undone is due still, and found when the lease has run out.
            log.error("webhook sender failed", error=type(error).__name__)
            self._end(turn)
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

    def _take(self, turn: Turn) -> list[Task]:
        with db.transaction(db.WORKER):
            return claims.take(endpoint_id=turn.endpoint_id, lease=turn.lease)

    def _look_again(self, turn: Turn) -> list[Task]:
        """Once more for each job that came while nobody was looking, then let go of the endpoint."""
        while not self._let_go(turn.endpoint_id):
            if tasks := self._take(turn):
                return tasks
        return []

    def _let_go(self, endpoint_id: UUID) -> bool:
        with self._lock:
            if self._asked[endpoint_id] and not self._stopping.is_set():
                self._asked[endpoint_id] = False
                return False
            del self._asked[endpoint_id]
            return True

    def _end(self, turn: Turn) -> None:
        with self._lock:
            self._asked.pop(turn.endpoint_id, None)
        self._leave(turn)

    def wait(self, seconds: float = FINISH_SECONDS) -> None:
        """Until all that was begun has ended, or the time is over."""
        deadline = time.monotonic() + seconds
        for thread in tuple(self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))

    def stop(self) -> None:
        """Finish the attempts in hand, and begin no further ones."""
        self._stopping.set()
        self.wait()


def attempt(task: Task) -> Outcome:
    """Ask again whether it may be told, then tell it."""
    try:
        allowed = _allowed(task)
    except checks.NotYet:
        return attempts.NOT_ASKED
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


@lru_cache(ENDPOINTS_KNOWN)
def client_of(endpoint_id: UUID) -> UUID:
    """Whose endpoint it is, which never changes; one that is gone is its own."""
    with db.transaction(db.WORKER) as session:
        return session.scalar(sa.select(Endpoint.client_id).where(Endpoint.id == endpoint_id)) or endpoint_id

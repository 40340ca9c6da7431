"""The worker: claim what is due, ask again whether it is still true, deliver with no transaction open, settle.

A carrier may have accepted a message whose worker died before it could write so down. The row is taken again when its
lease has ended and delivered under the same idempotency key, which the carrier takes once: nothing is lost, and nothing
that was accepted is said twice. No row stops another one.
"""

import time
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exc

from api import clock, db, errors
from api.messages import deliveries
from api.messages import post as office
from api.messages.post import Post
from api.observe import log
from api.patients import versions
from api.reminders import calls, claims, ledger
from api.reminders.claims import Back
from api.reminders.delivering import Delivering
from api.reminders.judging import Judged, judge
from api.reminders.routing import Route, routes

BATCH = 100
LEASE = timedelta(seconds=60)
REASONS = {"late": "too_late", "exhausted": "undeliverable"}


def run() -> bool:
    """One turn by the clock and the carriers in use; whether more may be due already."""
    return sum(tick(at=clock.now(), post=office.in_use()).values()) == BATCH


def hear_early_reports() -> None:
    """What carriers reported before the record of the delivery was written."""
    deliveries.hear_early_reports(at=clock.now())


def prune() -> bool:
    """Forget attempts that are long over; whether there are more."""
    with db.transaction(db.WORKER):
        return deliveries.forget_old(at=clock.now())


def tick(*, at: datetime, post: Post, most: int = BATCH, lease_length: timedelta = LEASE) -> Counter[str]:
    """One batch; counts its rows by what became of them. `at` decides what is due, the database's clock the leases.

    Raises `errors.Unavailable` when the database is out of reach; what was taken comes round again.
    """
    turn = Turn(post, at=at)
    # What is not begun within half of the lease is given back: the other half is for what is on its way.
    deadline = time.monotonic() + lease_length.total_seconds() / 2
    judged, ways = turn.take(lease_length, most)
    counted = turn.deliver(ways, deadline)
    rest = [one for one in judged if not one.message]
    turn.put_aside([one for one in rest if one.verdict == "broken"])
    turn.put_right([one for one in rest if one.verdict != "broken"])
    return counted + Counter(one.verdict for one in rest)


class Turn:
    """One batch under one lease."""

    def __init__(self, post: Post, *, at: datetime) -> None:
        self._post, self._at, self._lease = post, at, db.uuid7()

    def take(self, length: timedelta, most: int) -> tuple[list[Judged], list[Route]]:
        with db.transaction(db.WORKER):
            rows = claims.take(at=self._at, lease=self._lease, length=length, most=most)
            if not rows:
                return [], []
            judged = judge(rows, at=self._at, lease=self._lease)
            return judged, routes(judged, self._post, at=self._at)

    def deliver(self, ways: Sequence[Route], deadline: float) -> Counter[str]:
        return Delivering(self._post, at=self._at, lease=self._lease, deadline=deadline).run(ways)

    def put_aside(self, judged: Sequence[Judged]) -> None:
        """Give back what could not even be worded: later it may be, or it ends with its time."""
        if judged:
            with db.transaction(db.WORKER):
                claims.give_back([_broken(one.row) for one in judged], lease=self._lease)

    def put_right(self, judged: Sequence[Judged]) -> None:
        """Settle what is not to be said as it was planned, and plan anew for whom it concerns: what it had replaced
        may have to be said after all. One transaction, so that no crash leaves the one without the other."""
        if not judged:
            return
        taken = self._accepted(judged)
        try:
            self._plan_anew(judged, taken)
        except (errors.Unavailable, exc.DBAPIError):
            raise
        except Exception as error:
            patients = {one.row.patient_id for one in judged}
            if len(patients) > 1:
                for patient_id in patients:
                    self.put_right([one for one in judged if one.row.patient_id == patient_id])
            else:
                log.error("reminder cannot be planned", error=type(error).__name__)
                self._end(judged, taken)

    def _plan_anew(self, judged: Sequence[Judged], taken: Collection[str]) -> None:
        patient_ids = {one.row.patient_id for one in judged}
        with db.transaction(db.WORKER):
            versions.touch(patient_ids)
            self._write_ends(judged, taken)
            ledger.rewrite(patient_ids=patient_ids, at=self._at)

    def _end(self, judged: Sequence[Judged], taken: Collection[str]) -> None:
        with db.transaction(db.WORKER):
            versions.touch({one.row.patient_id for one in judged})
            self._write_ends(judged, taken, broken=True)

    def _write_ends(self, judged: Sequence[Judged], taken: Collection[str], *, broken: bool = False) -> None:
        accepted = [one for one in judged if _key(one.row) in taken]
        given_up = [one for one in judged if one.verdict in REASONS and one not in accepted]
        rest = [one.row for one in judged if one.verdict == "untrue" and one not in accepted]
        ends = [_end(one, "sent", sent_at=self._at) for one in accepted]
        ends += [_end(one, "not_sent", reason=REASONS[one.verdict]) for one in given_up]
        claims.settle(ends, lease=self._lease, at=self._at)
        unsaid = {one.row.id: (one.row.patient_id, REASONS[one.verdict]) for one in given_up}
        deliveries.record_unsaid(unsaid, at=self._at)
        claims.give_back([_broken(row) if broken else Back(row.id) for row in rest], lease=self._lease)
        calls.not_said([one.row for one in given_up], at=self._at)

    def _accepted(self, judged: Sequence[Judged]) -> Collection[str]:
        """Which of these an earlier worker had delivered before it died, as far as the gateway can tell."""
        tried = [_key(one.row) for one in judged if one.row.attempts > 1]
        try:
            return self._post.house.accepted(tried) if tried else ()
        except Exception as error:
            log.error("gateway failed", error=type(error).__name__)
            return ()


def _end(one: Judged, state: str, **said: Any) -> dict[str, Any]:
    return {"id": one.row.id, "patient_id": one.row.patient_id, "state": state, **said}


def _broken(row: Any) -> Back:
    return Back(row.id, claims.pause_after(row.attempts), broken=True)


def _key(row: Any) -> str:
    return f"{row.id}:{row.revision}"

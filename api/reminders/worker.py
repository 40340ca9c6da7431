"""The worker: claim what is due, ask again whether it is still true, deliver with no transaction open, settle.

A gateway may have accepted a message whose worker died before it could write so down. The row is taken again when its
lease has ended and delivered under the same idempotency key, which the gateway takes once: nothing is lost, and
nothing that was accepted is said twice. No row stops another one.
"""

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import exc

from api import clock, db, errors
from api.messages import gateway as gateways
from api.messages.gateway import ACCEPTED, REFUSED, RETRY, Gateway, Message
from api.observe import log
from api.patients import versions
from api.reminders import claims, ledger
from api.reminders.judging import Judged, judge

BATCH = 100
LEASE = timedelta(seconds=60)
PAUSE = timedelta(seconds=5)
AT_ONCE = timedelta(0)
REASONS = {"late": "too_late", "exhausted": "undeliverable"}


def run() -> bool:
    """One turn by the clock and the gateway in use; whether more may be due already."""
    return sum(tick(at=clock.now(), gateway=gateways.in_use()).values()) == BATCH


def tick(*, at: datetime, gateway: Gateway, most: int = BATCH, lease_length: timedelta = LEASE) -> Counter[str]:
    """One batch; counts its rows by what became of them. `at` decides what is due, the database's clock the leases.

    Raises `errors.Unavailable` when the database is out of reach; what was taken comes round again.
    """
    turn = Turn(gateway, at=at)
    # What is not delivered within half of the lease is given back: the other half is for writing down the rest.
    deadline = time.monotonic() + lease_length.total_seconds() / 2
    judged = turn.take(lease_length, most)
    outcomes = turn.deliver([one for one in judged if one.message], deadline)
    turn.settle(judged, outcomes)
    turn.put_right([one for one in judged if one.verdict in ("late", "untrue", "exhausted")])
    return Counter(outcomes.get(one.row.id, one.verdict) for one in judged)


class Turn:
    """One batch under one lease."""

    def __init__(self, gateway: Gateway, *, at: datetime) -> None:
        self._gateway, self._at, self._lease = gateway, at, db.uuid7()

    def take(self, length: timedelta, most: int) -> list[Judged]:
        with db.transaction(db.WORKER):
            rows = claims.take(at=self._at, lease=self._lease, length=length, most=most)
            return judge(rows, at=self._at, lease=self._lease)

    def deliver(self, judged: Sequence[Judged], deadline: float) -> dict[UUID, str]:
        """The outcome of each row whose turn came."""
        outcomes: dict[UUID, str] = {}
        for one in judged:
            if one.message is None or time.monotonic() > deadline:
                break
            outcomes[one.row.id] = self._delivered(one.message)
        return outcomes

    def settle(self, judged: Sequence[Judged], outcomes: Mapping[UUID, str]) -> None:
        """Write down what was said and what never will be; give back what is to be tried again."""
        said = [one for one in judged if one.message]
        done = [
            self._ending(one, outcomes[one.row.id]) for one in said if outcomes.get(one.row.id) in (ACCEPTED, REFUSED)
        ]
        untried = [one.row.id for one in said if one.row.id not in outcomes]
        again = [one.row.id for one in judged if one.verdict == "broken" or outcomes.get(one.row.id) == RETRY]
        if not (done or untried or again):
            return
        with db.transaction(db.WORKER):
            claims.settle(done, lease=self._lease, at=self._at)
            claims.give_back(again, lease=self._lease, pause=PAUSE)
            claims.give_back(untried, lease=self._lease, pause=AT_ONCE)

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
            self._write_ends(judged, taken, pause=AT_ONCE)
            ledger.rewrite(patient_ids=patient_ids, at=self._at)

    def _end(self, judged: Sequence[Judged], taken: Collection[str]) -> None:
        with db.transaction(db.WORKER):
            self._write_ends(judged, taken, pause=PAUSE)

    def _write_ends(self, judged: Sequence[Judged], taken: Collection[str], *, pause: timedelta) -> None:
        accepted = [one for one in judged if _key(one.row) in taken]
        given_up = [one for one in judged if one.verdict in REASONS and one not in accepted]
        ends = [self._ending(one, ACCEPTED) for one in accepted] + [self._ending(one, one.verdict) for one in given_up]
        rest = [one.row.id for one in judged if one.verdict == "untrue" and one not in accepted]
        claims.settle(ends, lease=self._lease, at=self._at)
        claims.give_back(rest, lease=self._lease, pause=pause)

    def _ending(self, one: Judged, outcome: str) -> dict[str, Any]:
        if outcome == ACCEPTED:
            text = one.message.text if one.message else None
            return {"id": one.row.id, "state": "sent", "sent_at": self._at, "text": text}
        return {"id": one.row.id, "state": "not_sent", "reason": REASONS.get(outcome, outcome)}

    def _delivered(self, message: Message) -> str:
        try:
            return self._gateway.deliver(message)
        except Exception as error:
            log.error("gateway failed", channel=message.channel, error=type(error).__name__)
            return RETRY

    def _accepted(self, judged: Sequence[Judged]) -> Collection[str]:
        """Which of these an earlier worker had delivered before it died, as far as the gateway can tell."""
        tried = [_key(one.row) for one in judged if one.row.attempts > 1]
        try:
            return self._gateway.accepted(tried) if tried else ()
        except Exception as error:
            log.error("gateway failed", error=type(error).__name__)
            return ()


def _key(row: Any) -> str:
    return f"{row.id}:{row.revision}"

"""Carrying a batch's messages, each carrier in a lane of its own, and writing down what became of them.

No transaction is open while a carrier is waited for. The house's own gateway takes its messages in the caller's thread.
A carrier's lane goes on beside the worker when it takes longer than a moment, and settles what it carried by itself, so
that a slow carrier keeps nobody else's message waiting; what comes due for it meanwhile is given back for a while.

Texts are counted before each is sent and written down right after it, one by one: their gateways know no idempotency
key, so the one in flight is all that a killed worker can double.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import exc

from api import db, errors
from api.messages import caps, deliveries
from api.messages.circuits import jittered
from api.messages.deliveries import Attempt
from api.messages.gateway import ACCEPTED, DEAD, MISCONFIGURED, REFUSED, RETRY, Message, Outcome
from api.messages.post import NOT_ASKED, Lane, Post
from api.observe import log
from api.patients import versions
from api.reminders import calls, ledger
from api.reminders.claims import Back, give_back, pause_after, settle
from api.reminders.routing import Route, cap_of

BUSY_SECONDS = 5.0
A_MOMENT = 2.0
# A database that restarts is back within this time, and within what is left of a lease.
AWAY_SECONDS, AGAIN_SECONDS = 15.0, 0.5
# What is final where no address took it.
FINAL = {REFUSED: "refused", "no_address": "no_address", "sms_cap": "sms_cap"}


@dataclass(frozen=True, slots=True)
class Carried:
    """A route and what came of it: `accepted`, `retry`, `refused`, `dead`, `later`, `no_address`, `sms_cap`, or
    `untried` where its turn did not come."""

    route: Route
    outcome: str
    attempts: tuple[Attempt, ...] = ()
    wait: float = 0.0


class Delivering:
    """One batch under one lease; nothing new is begun after `deadline` (of the monotonic clock)."""

    def __init__(self, post: Post, *, at: datetime, lease: UUID, deadline: float) -> None:
        self._post, self._at, self._lease, self._deadline = post, at, lease, deadline

    def run(self, routes: Sequence[Route]) -> Counter[str]:
        """Carry what can be carried now; counts rows by what became of them, `in_flight` where a lane goes on."""
        by_lane: dict[str, list[Route]] = defaultdict(list)
        done = [Carried(one, one.verdict, wait=one.wait) for one in routes if one.verdict != "say"]
        for one in routes:
            if one.verdict == "say":
                by_lane[one.lane].append(one)
        done += [self._by_house(one) for one in by_lane.pop("", [])]
        busy, begun = self._begin(by_lane)
        self.write([*done, *busy])
        return Counter(one.outcome for one in [*done, *busy]) + self._ended(begun)

    def write(self, carried: Sequence[Carried]) -> None:
        """Settle what has ended, give back what has not, and see to dead addresses and to who must be called.

        Where the database is away, it is waited for: what was carried and is not written down is carried again."""
        if not carried:
            return
        until = time.monotonic() + AWAY_SECONDS
        while not self._wrote(carried, last=time.monotonic() > until):
            time.sleep(AGAIN_SECONDS)
        deliveries.forget_dead([attempt for one in carried for attempt in one.attempts], at=self._at)

    def _wrote(self, carried: Sequence[Carried], *, last: bool) -> bool:
        try:
            self._write_down(carried, unsaid={one.route.row.patient_id for one in carried if one.outcome in FINAL})
        except errors.Unavailable:
            if last:
                raise
            return False
        except exc.DBAPIError:
            raise
        except Exception as error:
            # Somebody cannot be planned for: what was carried is written down all the same.
            log.error("reminder cannot be planned", error=type(error).__name__)
            self._write_down(carried, unsaid=())
        return True

    def _write_down(self, carried: Sequence[Carried], *, unsaid: Collection[UUID]) -> None:
        """For whom something stays `unsaid`, plan anew: what had become one with it may have to be said after all."""
        ends = [_end(one, self._at) for one in carried if one.outcome in (ACCEPTED, *FINAL)]
        attempts = [attempt for one in carried for attempt in one.attempts]
        with db.transaction(db.WORKER):
            if ends:
                versions.touch({one["patient_id"] for one in ends})
                settle(ends, lease=self._lease, at=self._at)
                self._tell_staff(carried)
            give_back([_back(one) for one in carried if one.outcome not in (ACCEPTED, *FINAL)], lease=self._lease)
            deliveries.record(attempts, at=self._at)
            deliveries.record_unsaid(_unsaid(carried), at=self._at)
            ledger.rewrite(patient_ids=unsaid, at=self._at)

    def _tell_staff(self, carried: Sequence[Carried]) -> None:
        calls.not_said([one.route.row for one in carried if one.outcome in FINAL], at=self._at)
        calls.said([one.route.row for one in carried if one.outcome == ACCEPTED and one.attempts], at=self._at)

    def _begin(self, by_lane: Mapping[str, Sequence[Route]]) -> tuple[list[Carried], dict[str, "_Batch"]]:
        busy: list[Carried] = []
        begun: dict[str, _Batch] = {}
        for name, routes in by_lane.items():
            lane = self._post.lanes[name]
            if lane.busy:
                busy += [Carried(one, "later", wait=BUSY_SECONDS) for one in routes]
            else:
                begun[name] = _Batch(self, lane, routes)
        return busy, begun

    def _ended(self, begun: Mapping[str, "_Batch"]) -> Counter[str]:
        wait([one.future for one in begun.values()], timeout=A_MOMENT)
        return sum((one.count() for one in begun.values()), Counter[str]())

    def _by_house(self, route: Route) -> Carried:
        if self.is_over():
            return Carried(route, "untried")
        return Carried(route, _taken(self._post, route.message))

    def is_over(self) -> bool:
        return time.monotonic() > self._deadline

    def carry(self, route: Route) -> Carried:
        """Send to each address; the best outcome counts, since one phone is enough."""
        if self.is_over():
            return Carried(route, "untried")
        return self._text(route) if route.channel == "sms" else self._said(route)

    def _text(self, route: Route) -> Carried:
        """Counted before it is sent. What was certainly not taken counts for nothing, unless an earlier try of the same
        text may have been."""
        allowed, in_doubt = self._reserve(route)
        if not allowed:
            return Carried(route, "later", wait=0.0)
        carried = self._said(route)
        if not in_doubt and all(_was_not_taken(one.outcome) for one in carried.attempts):
            self._release(route)
        return carried

    def _said(self, route: Route) -> Carried:
        """Of a carrier that was not even asked nothing is written down, and it may take the message yet."""
        attempts = [Attempt(route.message, one, self._sent(route, one)) for one in route.addresses]
        asked = tuple(one for one in attempts if one.outcome.reason != NOT_ASKED)
        waits = [one.outcome.retry_after or 0.0 for one in attempts if one.outcome.reason == NOT_ASKED]
        best = _best([one.outcome for one in asked])
        if waits and best not in (ACCEPTED, RETRY):
            return Carried(route, "later", asked, min(waits))
        return Carried(route, best, asked, max([one.outcome.retry_after or 0.0 for one in asked], default=0.0))

    def _sent(self, route: Route, address: Any) -> Outcome:
        return self._post.lanes[address.provider].send(route.message, address)

    def _reserve(self, route: Route) -> tuple[bool, bool]:
        """Whether it may be sent, and whether it was counted already."""
        row, message_key = route.row, route.message.key
        with db.transaction(db.WORKER):
            in_doubt = bool(caps.counted([message_key]))
            allowed = caps.reserve(
                patient_id=row.patient_id, message_key=message_key, kind=cap_of(row), at=self._at, **_spoken_of(route)
            )
        return allowed, in_doubt

    def _release(self, route: Route) -> None:
        with db.transaction(db.WORKER):
            caps.release(patient_id=route.row.patient_id, message_key=route.message.key)


class _Batch:
    """What one lane carries of a batch."""

    def __init__(self, delivering: Delivering, lane: Lane, routes: Sequence[Route]) -> None:
        self._delivering, self._lane, self._routes = delivering, lane, routes
        self._carried: list[Carried] = []
        self.future: Future[None] = lane.run(self._run)

    def count(self) -> Counter[str]:
        """What became of the rows so far."""
        done = [one.outcome for one in self._carried]
        return Counter(done + ["in_flight"] * (len(self._routes) - len(done)))

    def _run(self) -> None:
        try:
            self._lane.each([partial(self._one, route) for route in self._routes])
            if self._lane.name != "sms":
                self._delivering.write(self._carried)
        except Exception as error:
            # The lease ends, and the rows come round again.
            log.error("batch of a carrier failed", carrier=self._lane.name, error=type(error).__name__)

    def _one(self, route: Route) -> None:
        carried = self._delivering.carry(route)
        if self._lane.name == "sms":
            self._delivering.write([carried])
        self._carried.append(carried)


def _taken(post: Post, message: Message) -> str:
    try:
        return post.house.deliver(message)
    except Exception as error:
        log.error("gateway failed", channel=message.channel, error=type(error).__name__)
        return RETRY


def _spoken_of(route: Route) -> dict[str, Any]:
    """What "1" and "2" will answer: the one session that the text speaks of. Of several, none is meant."""
    row = route.row
    if row.session_id is None:
        return {}
    alone = route.message.kind == row.kind
    return {"subject_id": row.session_id if alone else None, "starts_at": row.starts_at}


def _was_not_taken(outcome: Outcome) -> bool:
    """Whether it is certain that nothing was sent."""
    return outcome.verdict in (REFUSED, DEAD, MISCONFIGURED)


def _best(outcomes: Sequence[Outcome]) -> str:
    """Accepted by one is accepted; else what may still be accepted is tried again; dead only if all are."""
    said = {one.verdict for one in outcomes}
    if ACCEPTED in said:
        return ACCEPTED
    if said & {RETRY, MISCONFIGURED}:
        return RETRY
    return REFUSED if said == {REFUSED} else DEAD


def _end(one: Carried, at: datetime) -> dict[str, Any]:
    row = one.route.row
    end = {"id": row.id, "patient_id": row.patient_id}
    if one.outcome == ACCEPTED:
        message = one.route.message
        return {**end, "state": "sent", "sent_at": at, "text": message.text, "channel": one.route.channel}
    return {**end, "state": "not_sent", "reason": FINAL[one.outcome]}


def _unsaid(carried: Sequence[Carried]) -> dict[UUID, tuple[UUID, str]]:
    """What ended without an attempt that could tell of it."""
    ended = [one for one in carried if one.outcome in FINAL and one.outcome != REFUSED]
    return {one.route.row.id: (one.route.row.patient_id, FINAL[one.outcome]) for one in ended}


def _back(one: Carried) -> Back:
    """A dead address is no trouble of a carrier: the next channel is tried at once."""
    row = one.route.row
    if one.outcome == RETRY:
        pause = pause_after(row.tries)
        return Back(row.id, jittered(pause, asked=one.wait), tried=True)
    return Back(row.id, one.wait if one.outcome == "later" else 0.0)

"""One attempt to tell an endpoint of an event: the bytes, the signature, and what the answer means. No transaction is
open meanwhile."""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson

from api import outward
from api.webhooks import schedule, signing

SECONDS = 15.0  # the standard asks for 15 to 30
# Whoever answers so, or not at all, is to be left alone for a while, with all that waits for it.
OVERBURDENED = frozenset((429, 502, 503, 504))
GONE = 410


@dataclass(frozen=True, slots=True)
class Task:
    """A delivery that was claimed. `attempt` counts from 1; `keys` are the secrets that sign, the current one first."""

    delivery_id: UUID
    endpoint_id: UUID
    client_id: UUID
    event_id: UUID
    type: str
    subject_id: UUID
    version: int
    occurred_at: datetime
    check: str | None
    challenge: bool
    attempt: int
    url: str = field(repr=False)
    keys: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an attempt: a `status` of the receiver's, or a `problem` of the way there."""

    delivered: bool
    status: int | None = None
    problem: str | None = None
    retry_after: timedelta | None = None

    @property
    def gone(self) -> bool:
        return self.status == GONE

    @property
    def overburdened(self) -> bool:
        return not self.delivered and (self.status is None or self.status in OVERBURDENED)


# None was made, because telling is not allowed any more; or because nobody could say whether it is.
NOT_ALLOWED = Outcome(False, problem="not_allowed")
NOT_ASKED = Outcome(False, problem="not_asked")


def make(task: Task, *, at: datetime) -> Outcome:
    """Send it once, at real time, and judge the answer: 2xx is a success, a redirect is none and is not followed."""
    challenge = secrets.token_urlsafe(32) if task.challenge else None
    body = payload(task, challenge=challenge)
    headers = signing.headers(task.keys, id=str(task.event_id), timestamp=int(at.timestamp()), body=body)
    try:
        answer = outward.current().post(
            task.url,
            headers={"Content-Type": "application/json", **headers},
            content=body,
            seconds=SECONDS,
            step_seconds=SECONDS,
        )
    except outward.NotReached as refused:
        return Outcome(False, problem=refused.reason)
    return judge(answer, challenge=challenge, at=at)


def payload(task: Task, *, challenge: str | None = None) -> bytes:
    """The body: a type, an instant, an id and a version. Nothing in it says what the subject is about."""
    data = {"id": str(task.subject_id), "version": task.version} | ({"challenge": challenge} if challenge else {})
    timestamp = task.occurred_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return orjson.dumps({"type": task.type, "timestamp": timestamp, "data": data})


def judge(answer: outward.Answer, *, challenge: str | None, at: datetime) -> Outcome:
    if not 200 <= answer.status < 300:
        asked = schedule.retry_after(answer.headers.get("retry-after"), at=at)
        return Outcome(False, answer.status, retry_after=asked)
    if challenge is not None and not echoes(answer.body, challenge):
        return Outcome(False, answer.status, problem="challenge_not_echoed")
    return Outcome(True, answer.status)


def echoes(body: bytes, challenge: str) -> bool:
    """Whether the answer is `{"challenge": …}` with what was sent: who answers there knows what webhooks are."""
    try:
        said = orjson.loads(body)
    except ValueError:
        return False
    echoed = said.get("challenge") if isinstance(said, dict) else None
    return isinstance(echoed, str) and hmac.compare_digest(echoed.encode(errors="replace"), challenge.encode())

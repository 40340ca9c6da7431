"""When something happened on a phone that may have been offline and whose clock may be wrong. Pure.

The phone says when it happened and when it sent; the difference between its sending and our receiving is what its
clock is off by. Nothing is refused for the clock alone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

TRUSTED = timedelta(minutes=2)
"""A difference that a slow network explains; within it the phone's clock is taken as it is."""
LATE = timedelta(hours=1)
OLDEST = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Happened:
    """`at` never lies after the receipt, nor absurdly long before it."""

    at: datetime
    clock_corrected: bool
    late: bool


def happened(*, occurred_at: datetime, sent_at: datetime, received_at: datetime) -> Happened:
    """When it really happened, as far as the server can know; in whole seconds."""
    off = received_at - sent_at
    corrected = abs(off) > TRUSTED
    moment = (occurred_at + off if corrected else occurred_at).replace(microsecond=0)
    moment = max(min(moment, received_at), received_at - OLDEST)
    return Happened(moment, corrected, received_at - moment > LATE)


def moment(occurred_at: datetime | None, *, sent_at: datetime | None, received_at: datetime) -> datetime:
    """The same where the phone may say less: with no time, what it sends happens now; with no `sent_at`, its clock is
    believed."""
    if occurred_at is None:
        return received_at
    return happened(occurred_at=occurred_at, sent_at=sent_at or received_at, received_at=received_at).at

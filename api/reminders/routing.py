"""Which way a message goes: the first of the patient's channels that leads somewhere, now.

Decided in the transaction that takes the row, from what holds then: an address that a carrier called dead is gone by
the next time, so the next channel is the first. A carrier in trouble is waited for, until the message would come too
late; then the next channel takes it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from api.messages import caps, deliveries
from api.messages.gateway import Address, Message
from api.messages.post import Post
from api.reminders.judging import Judged
from api.reminders.situation import CHANGES

# With less time left than this, a channel that was tried in vain gives way to the next one.
LAST_CALL = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Route:
    """A judged row and its way. `verdict` is `say` (over `channel`, to `addresses`), `later` (in `wait` seconds), or
    `no_address` or `sms_cap` where nothing leads to the patient."""

    judged: Judged
    verdict: str
    channel: str = ""
    addresses: tuple[Address, ...] = ()
    wait: float = 0.0

    @property
    def row(self) -> Any:
        return self.judged.row

    @property
    def message(self) -> Message:
        assert self.judged.message is not None
        return self.judged.message

    @property
    def lane(self) -> str:
        """The carrier that is asked first; empty for the house's own gateway."""
        return self.addresses[0].provider if self.addresses else ""


def routes(judged: Sequence[Judged], post: Post, *, at: datetime) -> list[Route]:
    """A route for each row that has a message, in the running transaction."""
    said = [one for one in judged if one.message]
    if not post.carries:
        return [Route(one, "say", one.message.channel) for one in said if one.message]
    patient_ids = {one.row.patient_id for one in said}
    ways = _Ways(
        post,
        addresses=deliveries.addresses_of(patient_ids) if patient_ids else {},
        allowances=caps.allowance(patient_ids, at=at) if patient_ids else {},
        counted=caps.counted([_key(one) for one in said if one.row.tries or one.row.attempts > 1]),
        tried=deliveries.tried_channels([one.row.id for one in said if one.row.tries]),
        at=at,
    )
    return [ways.of(one) for one in said]


def cap_of(row: Any) -> str:
    """Which share of the caps on texts a row counts to."""
    return "change" if row.kind in CHANGES else "ordinary"


class _Ways:
    """What holds for all patients of a batch."""

    def __init__(
        self,
        post: Post,
        *,
        addresses: Mapping[UUID, list[Address]],
        allowances: Mapping[UUID, caps.Allowance],
        counted: Collection[str],
        tried: Mapping[UUID, Collection[str]],
        at: datetime,
    ) -> None:
        self._post, self._addresses, self._allowances, self._tried, self._at = post, addresses, allowances, tried, at
        self._counted = counted

    def of(self, judged: Judged) -> Route:
        """The first channel that leads to the patient, also where its carrier must be waited for; with little time
        left, one that can be had now and was not tried in vain. Else why there is none."""
        found = [self._over(judged, channel) for channel in _channels(judged)]
        open_ones = [one for one in found if one.verdict in ("say", "later")]
        if open_ones and self._is_last_call(judged.row):
            return min(open_ones, key=lambda one: (one.verdict == "later", self._was_tried(one)))
        capped = [one for one in found if one.verdict == "sms_cap"]
        return next(iter([*open_ones, *capped]), Route(judged, "no_address"))

    def _over(self, judged: Judged, channel: str) -> Route:
        row = judged.row
        theirs = [one for one in self._addresses.get(row.patient_id, []) if self._leads(one, channel)]
        if not theirs:
            return Route(judged, "no_address")
        if channel == "sms" and not self._may_text(judged):
            return Route(judged, "sms_cap")
        waits = {name: self._post.lanes[name].wait() for name in {one.provider for one in theirs}}
        ready = tuple(one for one in theirs if not waits[one.provider])
        if not ready:
            return Route(judged, "later", channel, wait=min(waits.values()))
        return Route(judged, "say", channel, ready if channel == "push" else ready[:1])

    def _leads(self, address: Address, channel: str) -> bool:
        return address.channel == channel and address.provider in self._post.lanes

    def _may_text(self, judged: Judged) -> bool:
        """A text that an earlier try has counted is not kept back by itself."""
        return _key(judged) in self._counted or self._allowances[judged.row.patient_id].of(cap_of(judged.row))

    def _was_tried(self, route: Route) -> bool:
        return route.channel in self._tried.get(route.row.id, ())

    def _is_last_call(self, row: Any) -> bool:
        return bool(row.expires_at - self._at < LAST_CALL)


def _key(judged: Judged) -> str:
    assert judged.message is not None
    return judged.message.key


def _channels(judged: Judged) -> tuple[str, ...]:
    """A silent message has no voice but push."""
    message = judged.message
    assert message is not None
    return ("push",) if message.silent else message.channels or (message.channel,)

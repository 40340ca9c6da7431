"""What a partner sees of its referral: its own row, and what the gate releases of the clinic's side. Nothing else.

State, version, tag, instants, order, allowed steps and refusals are all computed on that, so that no two of them can
disagree, and none of them can tell what the others do not. Without a release the referral stands where its sender
left it. An answer of 304 went through here too, and stands in the ledger of disclosures.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api.prepared import Prepared
from api.privacy import gate
from api.referrals import care, states
from api.referrals.models import Referral

OUTCOME = "referral_outcome"
# Tags are numbers, so that If-Match can name one; all of one length, or it would tell something.
FIRST_TAG, TAGS = 10**17, 9 * 10**17


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the clinic has come with it, as far as it may be told. A reason only if it was written for the sender."""

    state: str
    sub_status: str | None
    reason: str | None
    events: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Visible:
    """A referral as its sender sees it at an instant."""

    referral: Referral
    release: gate.Release | None

    @property
    def outcome(self) -> Outcome | None:
        found: Outcome | None = self.release.facts.get(OUTCOME) if self.release else None
        return found

    @property
    def state(self) -> str:
        return self.outcome.state if self.outcome else self.referral.withdrawn or "received"

    @property
    def standing(self) -> str:
        """From where its sender may take a step: what it took back stays taken back, whatever the clinic made of it."""
        return self.referral.withdrawn or self.state

    @property
    def steps(self) -> list[str]:
        """What its sender may do with it now."""
        names = {"cancelled": "cancel", "entered_in_error": "withdraw"}
        taking_back = states.next_states(self.standing, actor=states.REQUESTER)
        return [
            *(["amend"] if self.standing == "received" else []),
            *(["send_document"] if self.standing in states.OPEN else []),
            *(names[one] for one in taking_back),
        ]

    @property
    def care(self) -> Mapping[str, Any]:
        """What the consents release of the person's care beside the referral, by category."""
        facts = self.release.facts if self.release else {}
        return {category: fact for category, fact in facts.items() if category != OUTCOME}

    @property
    def events(self) -> Sequence[Mapping[str, Any]]:
        return self.outcome.events if self.outcome else ()

    @property
    def version(self) -> int:
        """Its sender's acts, and the clinic's that were released."""
        return self.referral.own_version + len(self.events)

    @property
    def changed_at(self) -> datetime:
        instants: list[datetime] = [event["at"] for event in self.events]
        return max([self.referral.changed_at, *instants])

    def tag(self, about: str) -> int:
        """The number of its strong ETag. Everything in the answer is in it; `about` is the mark of what stands beside.

        A counter would not do: after a revocation the version goes back, and may come to the same number again.
        """
        parts = (self.referral.id, self.referral.own_version, *self._told(), about)
        digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
        return FIRST_TAG + int.from_bytes(digest, "big") % TAGS

    def _told(self) -> tuple[Any, ...]:
        released = self.release
        return (sorted(released.facts.items()), released.scope, released.notice) if released else ()


def of(referral: Referral, *, with_care: bool = True, at: datetime) -> Visible:
    """One referral of its sender's."""
    assert referral.client_id is not None, "a referral of a person's own has no partner"
    return of_each([referral], client_id=referral.client_id, with_care=with_care, at=at)[0]


def after(seen: Visible, written: Referral, *, at: datetime) -> Visible:
    """The referral as its sender sees it once its act was written. The ledger holds what was told of it for this answer
    already, and gets no more than what has come to that."""
    client_id, already = seen.referral.client_id, {written.id: seen.release} if seen.release else None
    assert client_id is not None, "a referral of a person's own has no partner"
    return of_each([written], client_id=client_id, already=already, at=at)[0]


def of_each(
    referrals: Sequence[Referral],
    *,
    client_id: UUID,
    with_care: bool = True,
    already: Mapping[UUID, gate.Release] | None = None,
    at: datetime,
) -> list[Visible]:
    """Several of one sender's, by one question to the gate. Without `with_care` it is asked for their outcomes alone,
    and only those stand in the ledger."""
    held = _Held(client_id, [referral.id for referral in referrals], at, with_care=with_care)
    released = gate.release(gate.Recipient(client_id), held=held, already=already, at=at)
    return [Visible(referral, released.get(referral.id)) for referral in referrals]


class _Held:
    """What the gate is asked about. Where they have come is read once for all of them, and only if any is released."""

    def __init__(self, client_id: UUID, ids: list[UUID], at: datetime, *, with_care: bool) -> None:
        self._parameters, self._at, self._with_care = {"client_id": client_id, "ids": ids}, at, with_care

    def __call__(self) -> list[gate.Held]:
        return [self._one(row.id, row.patient_id) for row in _LINKED.run(**self._parameters)]

    def _one(self, referral_id: UUID, patient_id: UUID | None) -> gate.Held:
        beside = care.tells(patient_id, at=self._at) if self._with_care else {}
        return gate.Held(referral_id, patient_id, tell={OUTCOME: lambda: self._outcomes[referral_id], **beside})

    @cached_property
    def _outcomes(self) -> dict[UUID, Outcome]:
        return {row.id: _outcome(row) for row in _OUTCOMES.run(**self._parameters)}


def _outcome(row: Any) -> Outcome:
    events = [{**event, "at": datetime.fromisoformat(event["at"])} for event in row.events]
    return Outcome(row.state, row.sub_status, row.reason, events)


# The sender's own id stands in both, although the gate's policy sees to it too.
_LINKED = Prepared("""
    SELECT r.id, t.patient_id FROM referrals AS r JOIN referral_triage AS t ON t.referral_id = r.id
    WHERE r.client_id = %(client_id)s AND r.id = ANY(%(ids)s::uuid[])
""")
_OUTCOMES = Prepared("""
    SELECT r.id, t.state, t.sub_status, CASE WHEN t.reason_told THEN t.reason END AS reason,
        (SELECT coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
            'at', e.at, 'state', e.state, 'sub_status', e.sub_status,
            'reason', CASE WHEN e.reason_told THEN e.reason END
         )) ORDER BY e.number), '[]') FROM referral_events AS e WHERE e.referral_id = r.id AND e.told) AS events
    FROM referrals AS r JOIN referral_triage AS t ON t.referral_id = r.id
    WHERE r.client_id = %(client_id)s AND r.id = ANY(%(ids)s::uuid[])
""")


def find(referral_id: UUID, *, client_id: UUID, locked: bool = False) -> Referral | None:
    """The sender's own row, to be read; None where it has none of that id, for whatever reason. `locked`: nobody else
    changes it until the transaction ends."""
    found: Referral | None = (_OWN_LOCKED if locked else _OWN).one(id=referral_id, client_id=client_id)
    return found


def _own() -> sa.Select[*tuple[Any, ...]]:
    table = Referral.__table__.c
    given = {name: sa.bindparam(name, type_=sa.Uuid) for name in ("id", "client_id")}
    return sa.select(*table).where(*(table[name] == value for name, value in given.items()))


# Whoever adds to its history meanwhile need not wait, which would hold up this transaction in turn.
_OWN, _OWN_LOCKED = Prepared(_own()), Prepared(_own().with_for_update(key_share=True))

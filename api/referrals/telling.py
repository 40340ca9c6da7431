"""Telling a partner's webhook that its referral has changed, as far as it may see that.

After each step of the clinic's an event is written down for whom it might concern; whether anything may be said is
asked of the gate right before it would be, and what was said stands in the ledger. Where no consent allows it, the
event is dropped and the partner's log says nothing of it. A revocation, and a consent that runs out, are no events.

A consent opens what the clinic did before it. The patient's transaction leaves a job, whether or not anybody ever
referred them, and a worker, who sees referrals, writes the events down: signing costs and tells the same for everybody.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from api import queue
from api.prepared import Prepared
from api.privacy.events import ConsentGiven
from api.referrals import visible
from api.referrals.models import Referral
from api.webhooks import checks
from api.webhooks import service as webhooks

UPDATED = "referral.updated"
JOB = "referrals-opened"
# By how much the clock of whoever took a signature may be ahead of the one by which telling is asked about.
CLOCKS_APART = timedelta(minutes=5)


def tell(*, referral_id: UUID, at: datetime) -> None:
    """The clinic has taken a step. Nothing is written down for one that its sender never sees, nor for a referral that
    is nobody's at the clinic: no consent can be about it."""
    found = _CONCERNED.one(referral_id=referral_id)
    if found is not None:
        webhooks.announce(
            client_id=found.client_id,
            type=UPDATED,
            subject_id=referral_id,
            version=found.version,
            occurred_at=at,
            check=UPDATED,
        )


def on_consent_given(fact: ConsentGiven) -> None:
    """For one partner, or for all who may be of the class."""
    named: dict[str, Any] = {} if fact.recipient_id is None else {"recipient_id": fact.recipient_id}
    queue.enqueue(JOB, patient_id=fact.patient_id, consent_id=fact.consent_id, **named)


def tell_of_consent(*, patient_id: UUID, consent_id: UUID, recipient_id: UUID | None = None, at: datetime) -> None:
    """A consent is news of each referral of the patient's in which the clinic has done something to tell. The event is
    of this consent and this referral, so that writing it down again is once.

    An earlier event of the same version that still waits may be told beside it: whether that one is let through is
    known when it is sent, and a sender may have been told no already. Relying on it could lose the news."""
    for found in _TOLD_SOMETHING.run(patient_id=patient_id, recipient_id=recipient_id):
        event_id = _id(consent_id, found.id)
        if not webhooks.is_announced(event_id):
            webhooks.announce(
                client_id=found.client_id,
                type=UPDATED,
                subject_id=found.id,
                version=found.version,
                occurred_at=at,
                check=UPDATED,
                event_id=event_id,
            )


def may_tell(*, client_id: UUID, subject_id: UUID, version: int, at: datetime) -> bool:
    """Whether the partner may be told that its referral came to `version`: its outcome is released, and that far.

    Raises `checks.NotYet` where it will be released by a consent that another host's clock has dated a little later
    than `at`: a no would be for good, and only the signing of a consent makes news of it."""
    referral: Referral | None = visible.find(subject_id, client_id=client_id)
    if referral is None:
        return False
    seen = visible.of(referral, with_care=False, at=at)
    if seen.outcome is None and visible.of(referral, with_care=False, at=at + CLOCKS_APART).outcome:
        raise checks.NotYet
    return seen.outcome is not None and seen.version >= version


def _id(consent_id: UUID, referral_id: UUID) -> UUID:
    """A UUIDv7 of the consent's own instant, whose random bits are drawn from both ids: the same each time."""
    drawn = hashlib.blake2b(consent_id.bytes + referral_id.bytes, digest_size=8).digest()
    return UUID(int=consent_id.int >> 64 << 64 | 0b10 << 62 | int.from_bytes(drawn, "big") >> 2)


_TOLD_SOMETHING = Prepared("""
    SELECT r.id, r.client_id, r.own_version + count(*) AS version
    FROM referral_triage AS t JOIN referrals AS r ON r.id = t.referral_id
    JOIN referral_events AS e ON e.referral_id = r.id AND e.told
    WHERE t.patient_id = %(patient_id)s AND r.client_id = coalesce(%(recipient_id)s::uuid, r.client_id)
    GROUP BY r.id ORDER BY r.id
""")
_CONCERNED = Prepared("""
    SELECT r.client_id, r.own_version + (
        SELECT count(*) FROM referral_events AS e WHERE e.referral_id = r.id AND e.told) AS version
    FROM referrals AS r JOIN referral_triage AS t ON t.referral_id = r.id
    WHERE r.id = %(referral_id)s AND r.client_id IS NOT NULL AND t.patient_id IS NOT NULL
      AND (SELECT e.told OR e.act = 'linked' FROM referral_events AS e
           WHERE e.referral_id = r.id AND e.actor_kind = 'clinic' ORDER BY e.number DESC LIMIT 1)
""")

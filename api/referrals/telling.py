"""Telling a partner's webhook that its referral has changed, as far as it may see that.

After each step of the clinic's an event is written down for whom it might concern; whether anything may be said is
asked of the gate right before it would be, and what was said stands in the ledger. Where no consent allows it, the
event is dropped and the partner's log says nothing of it. A revocation, and a consent that runs out, are no events.
"""

from datetime import datetime
from uuid import UUID

from api.prepared import Prepared
from api.referrals import visible
from api.referrals.models import Referral
from api.webhooks import service as webhooks

UPDATED = "referral.updated"


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


def may_tell(*, client_id: UUID, subject_id: UUID, version: int, at: datetime) -> bool:
    """Whether the partner may be told that its referral came to `version`: its outcome is released, and that far."""
    referral: Referral | None = visible.find(subject_id, client_id=client_id)
    if referral is None:
        return False
    seen = visible.of(referral, with_care=False, at=at)
    return seen.outcome is not None and seen.version >= version


_CONCERNED = Prepared("""
    SELECT r.client_id, r.own_version + (
        SELECT count(*) FROM referral_events AS e WHERE e.referral_id = r.id AND e.told) AS version
    FROM referrals AS r JOIN referral_triage AS t ON t.referral_id = r.id
    WHERE r.id = %(referral_id)s AND r.client_id IS NOT NULL AND t.patient_id IS NOT NULL
      AND (SELECT e.told OR e.act = 'linked' FROM referral_events AS e
           WHERE e.referral_id = r.id AND e.actor_kind = 'clinic' ORDER BY e.number DESC LIMIT 1)
""")

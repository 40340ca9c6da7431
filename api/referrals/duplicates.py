"""A second referral of the same person by the same sender: pointed out, never merged, never across senders.

The same identifier of the sender's own, or the same name and birth date in its own snapshots. The partner's policy
lets the statement see no row of anybody else's; triage and patients play no part in it.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.referrals import keeping
from api.referrals.models import Referral

MOST = 10


def of(referral: Referral, *, at: datetime) -> Sequence[UUID]:
    """The ids of this sender's other referrals that look like this one, oldest first; at most `MOST`. Those that were
    sent in error are left out, and those that it reads no more: one that is still there would tell why."""
    alike = sa.and_(Referral.name_key == referral.name_key, Referral.born_on == referral.born_on)
    if referral.own_identifier is not None:
        alike = sa.or_(Referral.own_identifier == referral.own_identifier, alike)
    return (
        db.session()
        .scalars(
            sa.select(Referral.id)
            .where(Referral.client_id == referral.client_id, alike, Referral.id != referral.id)
            .where(Referral.withdrawn.is_distinct_from("entered_in_error"))
            .where(Referral.changed_at > keeping.over_since(at))
            .order_by(Referral.created_at, Referral.id)
            .limit(MOST)
        )
        .all()
    )

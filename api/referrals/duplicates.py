"""A second referral of the same person by the same sender: pointed out, never merged, never across senders.

The same identifier of the sender's own, or the same name and birth date in its own snapshots. The partner's policy
lets the statement see no row of anybody else's; triage and patients play no part in it.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from api.prepared import Prepared
from api.referrals import keeping
from api.referrals.models import Referral

MOST = 10
COMPARED = ("id", "client_id", "own_identifier", "name_key", "born_on")


def of(referral: Referral, *, at: datetime) -> Sequence[UUID]:
    """The ids of this sender's other referrals that look like this one, oldest first; at most `MOST`. Those that were
    sent in error are left out, and those that it reads no more: one that is still there would tell why."""
    found = _ALIKE.run(
        id=referral.id,
        client_id=referral.client_id,
        own_identifier=referral.own_identifier,
        name_key=referral.name_key,
        born_on=referral.born_on,
        over_since=keeping.over_since(at),
    )
    return [row.id for row in found]


def alike() -> sa.Select[UUID]:
    """The statement that asks it, of the parameters in `COMPARED` and of `over_since`."""
    given = {name: sa.bindparam(name, type_=Referral.__table__.c[name].type) for name in COMPARED}
    same_person = sa.and_(
        Referral.name_key == given["name_key"], Referral.born_on.is_not_distinct_from(given["born_on"])
    )
    return (
        sa.select(Referral.id)
        .where(Referral.client_id == given["client_id"], Referral.id != given["id"])
        .where(sa.or_(Referral.own_identifier == given["own_identifier"], same_person))
        .where(Referral.withdrawn.is_distinct_from("entered_in_error"))
        .where(Referral.changed_at > sa.bindparam("over_since", type_=sa.DateTime(timezone=True)))
        .order_by(Referral.created_at, Referral.id)
        .limit(MOST)
    )


_ALIKE = Prepared(alike())

"""A second referral of the same person by the same sender: pointed out, never merged, never across senders.

The same identifier of the sender's own, or the same name and birth date in its own snapshots. The partner's policy
lets the statement see no row of anybody else's; triage and patients play no part in it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
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
    """The statement that asks it, of the parameters in `COMPARED` and of `over_since`.

    Two walks of an index in the order that is asked for, each as long as its answer: one condition with OR would read
    all that the sender ever sent.
    """
    given = {name: sa.bindparam(name, type_=Referral.__table__.c[name].type) for name in COMPARED}
    walks = (
        [Referral.own_identifier == given["own_identifier"]],
        [Referral.name_key == given["name_key"], Referral.born_on.is_not_distinct_from(given["born_on"])],
    )
    found = sa.union(*(_oldest(given, same) for same in walks)).subquery("alike")
    return sa.select(found.c.id).order_by(found.c.created_at, found.c.id).limit(MOST)


def _oldest(given: Mapping[str, Any], same: Sequence[sa.ColumnElement[bool]]) -> sa.Select[Any]:
    walk = (
        sa.select(Referral.id, Referral.created_at)
        .where(Referral.client_id == given["client_id"], Referral.id != given["id"], *same)
        .where(Referral.withdrawn.is_distinct_from("entered_in_error"))
        .where(Referral.changed_at > sa.bindparam("over_since", type_=sa.DateTime(timezone=True)))
        .order_by(Referral.created_at, Referral.id)
        .limit(MOST)
    )
    return sa.select(walk.subquery())


_ALIKE = Prepared(alike())

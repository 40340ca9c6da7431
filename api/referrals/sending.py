"""Writing down what a partner sends, with those of its own referrals that it resembles, in one statement."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.prepared import Prepared
from api.referrals import duplicates, keeping, snapshots
from api.referrals.models import Referral

_TABLE = Referral.__table__
_GIVEN = ("id", "client_id", "name_key", "created_at", "changed_at", *snapshots.COLUMNS.values())


def send(kept: Mapping[str, Any], *, client_id: UUID, at: datetime) -> Referral:
    """The new row, to be read, with what it resembles (`duplicates`) on it; `kept` is by the names of columns."""
    key = snapshots.name_key(kept["given_name"], kept["family_name"])
    own = {"id": db.uuid7(), "client_id": client_id, "name_key": key, "created_at": at, "changed_at": at}
    sent: Referral = _SEND.one(**own, **kept, over_since=keeping.over_since(at))
    return sent


def _statement() -> sa.ClauseElement:
    given: dict[str, Any] = {name: sa.bindparam(name, type_=_TABLE.c[name].type) for name in _GIVEN}
    resembled = sa.func.array(duplicates.alike().scalar_subquery())
    made = sa.insert(_TABLE).values(**given, origin="partner", looks_like=resembled)  # type: ignore[arg-type]
    return made.returning(*_TABLE.c)


_SEND = Prepared(_statement())

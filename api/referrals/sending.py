"""Writing down what a partner sends, with those of its own referrals that it resembles, in one statement."""

from datetime import datetime

import sqlalchemy as sa

from api.prepared import Prepared
from api.referrals import duplicates, keeping
from api.referrals.models import Referral

_TABLE = Referral.__table__
_GIVEN = [column for column in _TABLE.c if column.name != "looks_like"]


def send(referral: Referral, *, at: datetime) -> None:
    """Insert it, and write what it resembles (`duplicates`) on it."""
    given = {column.name: getattr(referral, column.name) for column in _GIVEN}
    referral.looks_like = list(_SEND.one(**given, over_since=keeping.over_since(at)).looks_like)


def _statement() -> sa.ClauseElement:
    given = {column.name: sa.bindparam(column.name, type_=column.type) for column in _GIVEN}
    resembled = sa.func.array(duplicates.alike().scalar_subquery())
    return sa.insert(_TABLE).values(**given, looks_like=resembled).returning(_TABLE.c.looks_like)  # type: ignore[arg-type]


_SEND = Prepared(_statement())

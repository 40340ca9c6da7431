"""Whether a caller still stands, as a scalar select correlated with the `caller` row of `db` and `hotread`."""

from typing import Any

import sqlalchemy as sa

from api import db, vocabulary
from api.access.models import ApiClient, AppSession, RevokedToken


def of_patient(caller: Any) -> "sa.ScalarSelect[str]":
    """`open` while the app session is the patient's, was not ended and has not run out (by the database's clock);
    `revoked` or `ended` after that, by what ended it."""
    return (
        sa.select(words())
        .where(AppSession.id == caller.c.app_session_id, AppSession.patient_id == caller.c.id)
        .correlate(caller)
        .scalar_subquery()
    )


def words() -> sa.ColumnElement[str]:
    """How a row of app sessions stands."""
    open_ = sa.and_(AppSession.ended_at.is_(None), AppSession.expires_at > sa.func.now())
    revoked = AppSession.end_reason.in_([_word(reason) for reason in vocabulary.REVOKED])
    return sa.case((open_, _word(db.STANDS)), (revoked, _word("revoked")), else_=_word("ended"))


def of_client(caller: Any) -> "sa.ScalarSelect[str]":
    """`open` while the client is active and the token was not revoked."""
    revoked = sa.exists().where(RevokedToken.id == caller.c.token).correlate(caller)
    return (
        sa.select(_word(db.STANDS))
        .where(ApiClient.id == caller.c.id, ApiClient.status == "active", ~revoked)
        .correlate(caller)
        .scalar_subquery()
    )


def _word(word: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{word}'", sa.Text)

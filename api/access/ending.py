"""Signing out by a token: revocation (RFC 7009) of what an app holds."""

import sqlalchemy as sa

from api import audit, db, errors
from api.access import app_sessions, attempts
from api.access import terms as house
from api.access.models import RefreshToken

OPERATION = "revokeToken"


def revoke(token: str) -> bool:
    """End the app session that a patient's refresh or access token belongs to; False for a token that is neither.

    A token that is unknown, retired or of an ended session changes nothing, and is not told apart (RFC 7009 §2.2)."""
    return _by_refresh_token(token) or _by_access_token(token)


def _by_refresh_token(token: str) -> bool:
    presented = attempts.hashed(token)
    with db.transaction(attempts.holder(presented)) as session:
        whose = sa.select(RefreshToken.patient_id, RefreshToken.app_session_id)
        if (row := session.execute(whose.where(RefreshToken.hash == presented)).first()) is None:
            return False
        _sign_out(db.Caller(kind="patient", patient_id=row.patient_id, app_session_id=row.app_session_id))
        return True


def _by_access_token(token: str) -> bool:
    try:
        caller = house.current().tokens.caller(token, kind="patient")
    except errors.Unauthenticated:
        return False
    with db.transaction(db.Caller(kind="patient", patient_id=caller.patient_id)):
        _sign_out(db.Caller(kind="patient", patient_id=caller.patient_id, app_session_id=caller.app_session_id))
    return True


def _sign_out(caller: db.Caller) -> None:
    assert caller.patient_id and caller.app_session_id
    db.become(caller)
    app_sessions.end_one(patient_id=caller.patient_id, app_session_id=caller.app_session_id, reason="signed_out")
    audit.record(caller, operation=OPERATION, action="delete", resource_id=caller.app_session_id)

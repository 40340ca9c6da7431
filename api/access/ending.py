"""Signing out by a token: revocation (RFC 7009) of what an app holds."""

from uuid import UUID

import sqlalchemy as sa

from api import audit, db, errors, oauth
from api.access import app_sessions, attempts
from api.access import terms as house
from api.access.models import AppSession, RefreshToken

OPERATION = "revokeToken"


def revoke(token: str, *, client_id: str) -> bool:
    """End the app session that a patient's refresh or access token belongs to; False for a token that is neither.

    A refresh token that was used ends it too: a phone that lost the answer signs out with what it has. A token that is
    unknown, or whose app session has ended, changes nothing, and is not told apart (RFC 7009 §2.2). Raises
    `oauth.UnauthorizedClient` for a token of another client (§2.1)."""
    return _by_refresh_token(token, client_id) or _by_access_token(token, client_id)


def _by_refresh_token(token: str, client_id: str) -> bool:
    presented = attempts.hashed(token)
    with db.transaction(attempts.holder(presented)) as session:
        whose = sa.select(RefreshToken.patient_id, RefreshToken.app_session_id)
        if (row := session.execute(whose.where(RefreshToken.hash == presented)).first()) is None:
            return False
        _sign_out(row.patient_id, row.app_session_id, client_id)
        return True


def _by_access_token(token: str, client_id: str) -> bool:
    try:
        caller = house.current().tokens.caller(token, kind="patient")
    except errors.Unauthenticated:
        return False
    assert caller.patient_id and caller.app_session_id
    with db.transaction(db.Caller(kind="patient", patient_id=caller.patient_id)):
        _sign_out(caller.patient_id, caller.app_session_id, client_id)
    return True


def _sign_out(patient_id: UUID, app_session_id: UUID, client_id: str) -> None:
    caller = db.Caller(kind="patient", patient_id=patient_id, app_session_id=app_session_id)
    db.become(caller)
    opened = db.session().get(AppSession, app_session_id)
    if opened is None or opened.client_id != client_id:
        raise oauth.UnauthorizedClient
    if app_sessions.end_one(patient_id=patient_id, app_session_id=app_session_id, reason="signed_out"):
        audit.record(caller, operation=OPERATION, action="delete", resource_id=app_session_id)

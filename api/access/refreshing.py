"""Refreshing: a phone that is still signed in gets a new access token for a refresh token, which is used up by it.

The app session's row is locked first, so that many at once follow each other; `lineage` judges the token. Who was quiet
for long shows again that it is them (`ReauthenticationNeeded`), and loses nothing by it.
"""

from typing import Any

import sqlalchemy as sa

from api import audit, db, oauth
from api.access import attempts, challenge, grants, lineage, standing
from api.access import terms as house
from api.access.models import AppSession, RefreshToken
from api.prepared import Prepared

REUSED = "refresh-token-reused"


def refresh(*, token: str, client_id: str, key: str | None, scope: str | None) -> dict[str, Any]:
    """New tokens for `token` (RFC 6749 §6, RFC 9449 §5).

    Raises `oauth.InvalidGrant`; `db.SignedOut` or `db.SessionRevoked` for the phone's own token after its sign-in
    ended; `oauth.ReauthenticationNeeded`; `oauth.InvalidScope`.
    """
    presented = attempts.hashed(token)
    with db.transaction(attempts.holder(presented)):
        opened = _opened(presented)
        if opened.client_id != client_id:
            raise oauth.InvalidGrant
        outcome = _outcome(opened, key, scope)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _outcome(opened: Any, key: str | None, scope: str | None) -> dict[str, Any] | Exception:
    """The answer, or the refusal that leaves something behind it: it is raised after the commit."""
    same_key = opened.key_thumbprint == key
    if opened.stands != db.STANDS:
        if same_key:
            db.refuse_unless(opened.stands)
        raise oauth.InvalidGrant
    link = lineage.Link(opened.used_at, opened.retired_at is not None, opened.at)
    verdict = lineage.judge(link, same_key=same_key)
    if verdict == lineage.REUSED:
        grants.end_as_copied(opened.patient_id, opened.id, problem=REUSED)
        return db.SessionRevoked() if same_key else oauth.InvalidGrant()
    if verdict == lineage.LATE:
        return db.SignedOut()
    scopes = grants.scopes_of(scope, within=opened.scopes or [])
    if opened.quiet:
        return _confirm(opened, key)
    return _rotate(opened, list(scopes))


def _rotate(opened: Any, scopes: list[str]) -> dict[str, Any]:
    token, hash_ = grants.new_token()
    seen = _ROTATE.one(
        token_id=opened.token_id,
        parent_id=opened.parent_id,
        id=opened.id,
        patient_id=opened.patient_id,
        new_id=db.uuid7(),
        hash=hash_,
    )
    caller = db.Caller(kind="patient", patient_id=opened.patient_id, app_session_id=opened.id)
    audit.record(caller, operation=grants.OPERATION, action="update", resource_id=opened.id)
    lasts = int((opened.expires_at - seen.seen_at).total_seconds())
    return grants.issue(opened, token, scopes=scopes, lasts=lasts)


def _confirm(opened: Any, key: str | None) -> Exception:
    """How the patient shows that it is them: by the passkey, or by name, password and code under the same attempt."""
    asked = attempts.Asked(
        client_id=opened.client_id,
        key=key,
        scopes=tuple(opened.scopes or ()),
        code_challenge=None,
        acr_values=(),
        device_name=opened.device_name,
    )
    needed: Exception = challenge.passkey_step(asked, oauth.ReauthenticationNeeded)
    return needed


def _opened(presented: bytes) -> Any:
    """The app session, locked, with its token: the columns of `_LOCKED`, read as the patient whose they are. Raises
    `oauth.InvalidGrant`."""
    held = _HELD.one(hash=presented)
    if held is None:
        raise oauth.InvalidGrant
    db.become(db.Caller(kind="patient", patient_id=held.patient_id))
    # The app session first: whoever waits for it reads the token as the one before left it.
    _LOCK.run(id=held.app_session_id)
    return _LOCKED.one(token_id=held.id, idle=house.current().idle)


# Every phone refreshes every few minutes: these go past the session.
_HELD = Prepared(
    sa.select(RefreshToken.id, RefreshToken.app_session_id, RefreshToken.patient_id).where(
        RefreshToken.hash == sa.bindparam("hash", type_=sa.LargeBinary)
    )
)
_LOCK = Prepared(sa.select(AppSession.id).where(AppSession.id == sa.bindparam("id", type_=sa.Uuid)).with_for_update())
_LOCKED = Prepared(
    sa.select(
        AppSession.id,
        AppSession.patient_id,
        AppSession.client_id,
        AppSession.key_thumbprint,
        AppSession.device_name,
        AppSession.scopes,
        AppSession.acr,
        AppSession.amr,
        AppSession.authenticated_at,
        AppSession.expires_at,
        standing.words().label("stands"),
        (AppSession.seen_at < sa.func.now() - sa.bindparam("idle", type_=sa.Interval)).label("quiet"),
        RefreshToken.id.label("token_id"),
        RefreshToken.parent_id,
        RefreshToken.used_at,
        RefreshToken.retired_at,
        sa.func.clock_timestamp().label("at"),
    )
    .join(AppSession, AppSession.id == RefreshToken.app_session_id)
    .where(RefreshToken.id == sa.bindparam("token_id", type_=sa.Uuid))
)
_ROTATE = Prepared(
    """
    WITH used AS (
        UPDATE refresh_tokens SET used_at = now() WHERE id = %(token_id)s AND used_at IS NULL
    ), retired AS (
        UPDATE refresh_tokens SET retired_at = now()
        WHERE (id = %(parent_id)s OR parent_id = %(parent_id)s) AND id <> %(token_id)s AND retired_at IS NULL
    ), made AS (
        INSERT INTO refresh_tokens (id, app_session_id, patient_id, hash, parent_id)
        VALUES (%(new_id)s, %(id)s, %(patient_id)s, %(hash)s, %(token_id)s)
    )
    UPDATE app_sessions SET seen_at = now() WHERE id = %(id)s RETURNING seen_at
    """
)

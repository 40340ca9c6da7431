"""Refreshing: a phone that is still signed in gets a new access token for a refresh token, which is used up by it.

The app session's row is locked first, so that many at once follow each other; `lineage` judges the token. Who was quiet
for long shows again that it is them (`ReauthenticationNeeded`), and loses nothing by it.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import audit, db, oauth
from api.access import attempts, challenge, grants, lineage, standing
from api.access import terms as house
from api.access.models import AppSession, RefreshToken

REUSED = "refresh-token-reused"


@dataclass(frozen=True, slots=True)
class Found:
    """A refresh token with its app session, both as they stand under the lock."""

    token: RefreshToken
    opened: AppSession
    stands: str
    quiet: bool
    link: lineage.Link


def refresh(*, token: str, client_id: str, key: str | None, scope: str | None) -> dict[str, Any]:
    """New tokens for `token` (RFC 6749 §6, RFC 9449 §5).

    Raises `oauth.InvalidGrant`; `db.SignedOut` or `db.SessionRevoked` for the phone's own token after its sign-in
    ended; `oauth.ReauthenticationNeeded`; `oauth.InvalidScope`.
    """
    presented = attempts.hashed(token)
    with db.transaction(attempts.holder(presented)):
        found = _found(presented)
        if found.opened.client_id != client_id:
            raise oauth.InvalidGrant
        outcome = _outcome(found, key, scope)
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _outcome(found: Found, key: str | None, scope: str | None) -> dict[str, Any] | Exception:
    """The answer, or the refusal that leaves something behind it: it is raised after the commit."""
    opened, same_key = found.opened, found.opened.key_thumbprint == key
    if found.stands != db.STANDS:
        if same_key:
            db.refuse_unless(found.stands)
        raise oauth.InvalidGrant
    verdict = lineage.judge(found.link, same_key=same_key)
    if verdict == lineage.REUSED:
        grants.end_as_copied(opened.patient_id, opened.id, problem=REUSED)
        return db.SessionRevoked() if same_key else oauth.InvalidGrant()
    if verdict == lineage.LATE:
        return db.SignedOut()
    scopes = grants.scopes_of(scope, within=opened.scopes or [])
    if found.quiet:
        return _confirm(opened, key)
    return _rotate(found, list(scopes))


def _rotate(found: Found, scopes: list[str]) -> dict[str, Any]:
    session, opened, token = db.session(), found.opened, found.token
    this = RefreshToken.id == token.id
    session.execute(sa.update(RefreshToken).where(this, RefreshToken.used_at.is_(None)).values(used_at=sa.func.now()))
    if token.parent_id:
        before = sa.or_(RefreshToken.id == token.parent_id, RefreshToken.parent_id == token.parent_id)
        retired = sa.update(RefreshToken).where(before, ~this, RefreshToken.retired_at.is_(None))
        session.execute(retired.values(retired_at=sa.func.now()))
    seen = sa.update(AppSession).where(AppSession.id == opened.id).values(seen_at=sa.func.now()).returning(AppSession)
    opened = session.scalars(seen, execution_options={"populate_existing": True}).one()
    caller = db.Caller(kind="patient", patient_id=opened.patient_id, app_session_id=opened.id)
    audit.record(caller, operation=grants.OPERATION, action="update", resource_id=opened.id)
    return grants.issue(opened, grants.add_token(opened, parent_id=token.id), scopes=scopes)


def _confirm(opened: AppSession, key: str | None) -> Exception:
    """How the patient shows that it is them: by the passkey, or by name, password and code under the same attempt."""
    asked = attempts.Asked(
        client_id=opened.client_id or "",
        key=key,
        scopes=tuple(opened.scopes or ()),
        code_challenge=None,
        acr_values=(),
        device_name=opened.device_name,
    )
    needed: Exception = challenge.passkey_step(asked, oauth.ReauthenticationNeeded)
    return needed


def _found(presented: bytes) -> Found:
    """The token and its app session, locked, as the patient whose they are. Raises `oauth.InvalidGrant`."""
    session = db.session()
    whose = sa.select(RefreshToken.id, RefreshToken.app_session_id, RefreshToken.patient_id)
    row = session.execute(whose.where(RefreshToken.hash == presented)).first()
    if row is None:
        raise oauth.InvalidGrant
    db.become(db.Caller(kind="patient", patient_id=row.patient_id))
    opened, stands, quiet = _locked(row.app_session_id)
    token, at = session.execute(
        sa.select(RefreshToken, sa.func.clock_timestamp()).where(RefreshToken.id == row.id)
    ).one()
    link = lineage.Link(token.used_at, token.retired_at is not None, at)
    return Found(token, opened, stands, quiet, link)


def _locked(app_session_id: UUID) -> tuple[AppSession, str, bool]:
    quiet = AppSession.seen_at < sa.func.now() - house.current().idle
    locked = sa.select(AppSession, standing.words(), quiet).where(AppSession.id == app_session_id)
    opened, stands, is_quiet = db.session().execute(locked.with_for_update()).one()
    return opened, stands, is_quiet

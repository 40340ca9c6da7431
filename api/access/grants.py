"""From an authorization code to a signed-in phone, and the tokens of one.

A phone is known by its key: who signs in again on it goes on with the same app session, with a later `auth_time` and a
lineage that begins anew. So stepping up is signing in again, and leaves no second phone in the list.
"""

import base64
import hashlib
import hmac
import re
import secrets
from typing import Any
from uuid import UUID

from api import audit, auth, db, errors, oauth, vocabulary
from api.access import app_sessions, attempts, notices
from api.access import terms as house
from api.prepared import Prepared

OPERATION = "requestToken"
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 §4.1


def exchange(*, code: str, client_id: str, verifier: str, key: str | None) -> dict[str, Any]:
    """The tokens for an authorization code (RFC 6749 §4.1.3, RFC 7636 §4.6, RFC 9449 §10). Raises `oauth.InvalidGrant`.

    A code that comes a second time was copied: what it opened ends (RFC 6749 §4.1.2)."""
    presented = attempts.hashed(code)
    with db.transaction(attempts.holder(presented)):
        attempt = _held(presented, client_id, verifier, key)
        db.become(db.Caller(kind="patient", patient_id=attempt.patient_id))
        tokens = None if attempt.code_used_at else _open(attempt)
        if tokens is None:
            _end_what_it_opened(attempt)
    if tokens is None:
        raise oauth.InvalidGrant
    return tokens


def _held(presented: bytes, client_id: str, verifier: str, key: str | None) -> Any:
    """The attempt, locked, if the code is presented by who was given it."""
    attempt = _HELD.one(hash=presented)
    if attempt is None:
        raise oauth.InvalidGrant
    proved = hmac.compare_digest(challenge_of(verifier), attempt.code_challenge or "")
    if not (proved and VERIFIER.fullmatch(verifier)):
        raise oauth.InvalidGrant
    if (attempt.client_id, attempt.key_thumbprint) != (client_id, key):
        raise oauth.InvalidGrant
    if not (attempt.timely or attempt.code_used_at):
        raise oauth.InvalidGrant
    return attempt


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 §4.2)."""
    digest = hashlib.sha256(verifier.encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _end_what_it_opened(attempt: Any) -> None:
    if attempt.app_session_id and attempt.patient_id:
        end_as_copied(attempt.patient_id, attempt.app_session_id, problem="oauth-code-used-twice")


def end_as_copied(patient_id: UUID, app_session_id: UUID, *, problem: str) -> None:
    """End an app session whose code or token was copied; the patient is told, the audit says why."""
    app_sessions.end_one(patient_id=patient_id, app_session_id=app_session_id, reason="token_reused")
    notices.tell(patient_id, notices.ENDED)
    caller = db.Caller(kind="patient", patient_id=patient_id, app_session_id=app_session_id)
    audit.record(caller, operation=OPERATION, action="delete", resource_id=app_session_id, problem=problem)


def _open(attempt: Any) -> dict[str, Any]:
    """Sign the phone in, as the patient. Raises `oauth.InvalidGrant` for an account that is not active any more."""
    if _STATUS.one(id=attempt.patient_id).status != "active":
        raise oauth.InvalidGrant
    opened = _phone(attempt)
    token, hash_ = new_token()
    _SETTLE.run(
        sign_in_id=attempt.id, app_session_id=opened.id, id=db.uuid7(), patient_id=opened.patient_id, hash=hash_
    )
    caller = db.Caller(kind="patient", patient_id=opened.patient_id, app_session_id=opened.id)
    audit.record(caller, operation=OPERATION, action="create", resource_id=opened.id)
    return issue(opened, token, lasts=int((opened.expires_at - opened.seen_at).total_seconds()))


def _phone(attempt: Any) -> Any:
    """A new app session; where this phone has one that stands, that goes on, its former tokens retired.

    Of two that begin at once with one key, the second goes on with the first's; one that has run out is ended first."""
    signed_in = {name: getattr(attempt, name) for name in SIGNED_IN} | {"longest": house.current().longest}
    for statement in (_NEW, _RESUME, _NEW):
        if (opened := statement.one(new_id=db.uuid7(), **signed_in)) is not None:
            return opened
    raise errors.Unavailable


def new_token() -> tuple[str, bytes]:
    """A refresh token and what is kept of it."""
    token = secrets.token_urlsafe(32)
    return token, attempts.hashed(token)


def issue(opened: Any, refresh_token: str, *, lasts: int, scopes: list[str] | None = None) -> dict[str, Any]:
    """The answer with an access token of the app session, a row of it (RFC 6749 §5.1); `scopes` may narrow it, and
    `lasts` is how many seconds the app session has left if it is not quiet for too long."""
    granted = scopes or opened.scopes or []
    assert opened.acr and opened.authenticated_at and opened.client_id
    access_token = house.current().tokens.issue(
        kind="patient",
        subject=opened.patient_id,
        client_id=opened.client_id,
        scopes=granted,
        sid=opened.id,
        key=opened.key_thumbprint,
        proved=auth.Proved(opened.acr, tuple(opened.amr or ()), opened.authenticated_at),
    )
    return {
        "access_token": access_token,
        "token_type": "DPoP" if opened.key_thumbprint else "Bearer",
        "expires_in": int(auth.LIFETIMES["patient"].total_seconds()),
        "scope": " ".join(granted),
        "refresh_token": refresh_token,
        "refresh_token_expires_in": max(0, lasts),
    }


def scopes_of(asked: str | None, *, within: tuple[str, ...] | list[str] = vocabulary.PATIENT_SCOPES) -> tuple[str, ...]:
    """The scopes named in a request, all of `within` where it names none. Raises `oauth.InvalidScope`."""
    if asked is None:
        return tuple(within)
    words = tuple(dict.fromkeys(asked.split(" ")))
    if not set(words) <= set(within):
        raise oauth.InvalidScope
    return words


def refuse_other_resource(resource: str | None, *, kind: str) -> None:
    """RFC 8707 §2, RFC 9068 §3: tokens of a kind of caller are for its resource. Raises `oauth.InvalidTarget`."""
    if resource not in (None, auth.audience(house.current().issuer, kind)):
        raise oauth.InvalidTarget


# What an app session learns from the attempt that opened it. Signing in is statements enough: they go past the session.
SIGNED_IN = (
    *("patient_id", "key_thumbprint", "client_id", "scopes", "acr", "amr", "authenticated_at", "passkey_id"),
    "device_name",
)
_OPENED = "id, patient_id, client_id, key_thumbprint, scopes, acr, amr, authenticated_at, expires_at, seen_at"
_THIS_PHONE = "patient_id = %(patient_id)s AND key_thumbprint = %(key_thumbprint)s AND ended_at IS NULL"
_HELD = Prepared(
    """
    SELECT id, patient_id, client_id, key_thumbprint, scopes, acr, amr, authenticated_at, passkey_id, device_name,
        code_challenge, code_used_at, app_session_id, code_expires_at > now() AS timely
    FROM sign_ins WHERE code_hash = %(hash)s FOR UPDATE
    """
)
# Locked: who suspends the account either waits for this phone and ends it, or is seen here.
_STATUS = Prepared("SELECT status FROM patients WHERE id = %(id)s FOR SHARE")
_RESUME = Prepared(
    f"""
    WITH over AS (
        UPDATE app_sessions SET ended_at = now(), end_reason = 'expired' WHERE {_THIS_PHONE} AND expires_at <= now()
    ), resumed AS (
        UPDATE app_sessions SET client_id = %(client_id)s, scopes = %(scopes)s, acr = %(acr)s, amr = %(amr)s,
            authenticated_at = %(authenticated_at)s, passkey_id = %(passkey_id)s,
            device_name = coalesce(%(device_name)s, device_name), seen_at = now(), expires_at = now() + %(longest)s
        WHERE {_THIS_PHONE} AND expires_at > now() RETURNING {_OPENED}
    ), retired AS (
        UPDATE refresh_tokens SET retired_at = now()
        WHERE app_session_id IN (SELECT id FROM resumed) AND retired_at IS NULL
    )
    SELECT * FROM resumed
    """  # noqa: S608
)
_NEW = Prepared(
    f"""
    INSERT INTO app_sessions (id, patient_id, key_thumbprint, client_id, scopes, acr, amr, authenticated_at, passkey_id,
        device_name, expires_at)
    VALUES (%(new_id)s, %(patient_id)s, %(key_thumbprint)s, %(client_id)s, %(scopes)s, %(acr)s, %(amr)s,
        %(authenticated_at)s, %(passkey_id)s, %(device_name)s, now() + %(longest)s)
    ON CONFLICT DO NOTHING RETURNING {_OPENED}
    """  # noqa: S608
)
_SETTLE = Prepared(
    """
    WITH used AS (
        UPDATE sign_ins SET code_used_at = now(), app_session_id = %(app_session_id)s WHERE id = %(sign_in_id)s
    )
    INSERT INTO refresh_tokens (id, app_session_id, patient_id, hash)
    VALUES (%(id)s, %(app_session_id)s, %(patient_id)s, %(hash)s)
    """
)

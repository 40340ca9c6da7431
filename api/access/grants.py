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

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import audit, auth, db, oauth, vocabulary
from api.access import app_sessions, attempts, notices
from api.access import terms as house
from api.access.models import AppSession, RefreshToken, SignIn
from api.patients.models import Patient

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


def _held(presented: bytes, client_id: str, verifier: str, key: str | None) -> SignIn:
    """The attempt, locked, if the code is presented by who was given it."""
    found = (
        db.session()
        .execute(
            sa.select(SignIn, SignIn.code_expires_at > sa.func.now())
            .where(SignIn.code_hash == presented)
            .with_for_update()
        )
        .first()
    )
    if found is None:
        raise oauth.InvalidGrant
    attempt, timely = found
    proved = hmac.compare_digest(challenge_of(verifier), attempt.code_challenge or "")
    if not (proved and VERIFIER.fullmatch(verifier)):
        raise oauth.InvalidGrant
    if (attempt.client_id, attempt.key_thumbprint) != (client_id, key):
        raise oauth.InvalidGrant
    if not (timely or attempt.code_used_at):
        raise oauth.InvalidGrant
    return attempt


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 §4.2)."""
    digest = hashlib.sha256(verifier.encode("utf-8", "surrogatepass")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _end_what_it_opened(attempt: SignIn) -> None:
    if attempt.app_session_id and attempt.patient_id:
        end_as_copied(attempt.patient_id, attempt.app_session_id, problem="oauth-code-used-twice")


def end_as_copied(patient_id: UUID, app_session_id: UUID, *, problem: str) -> None:
    """End an app session whose code or token was copied; the patient is told, the audit says why."""
    app_sessions.end_one(patient_id=patient_id, app_session_id=app_session_id, reason="token_reused")
    notices.tell(patient_id, notices.ENDED)
    caller = db.Caller(kind="patient", patient_id=patient_id, app_session_id=app_session_id)
    audit.record(caller, operation=OPERATION, action="delete", resource_id=app_session_id, problem=problem)


def _open(attempt: SignIn) -> dict[str, Any]:
    """Sign the phone in, as the patient. Raises `oauth.InvalidGrant` for an account that is not active any more."""
    assert attempt.patient_id is not None
    session = db.session()
    # Locked: who suspends the account either waits for this phone and ends it, or is seen here.
    status = sa.select(Patient.status).where(Patient.id == attempt.patient_id).with_for_update(read=True)
    if session.scalar(status) != "active":
        raise oauth.InvalidGrant
    opened = _resumed(attempt) or _new(attempt)
    used = sa.update(SignIn).where(SignIn.id == attempt.id)
    session.execute(used.values(code_used_at=sa.func.now(), app_session_id=opened.id))
    caller = db.Caller(kind="patient", patient_id=attempt.patient_id, app_session_id=opened.id)
    audit.record(caller, operation=OPERATION, action="create", resource_id=opened.id)
    lasts = int((opened.expires_at - opened.seen_at).total_seconds())
    return issue(opened, _first_token(opened), lasts=lasts)


def _signed_in(attempt: SignIn) -> dict[str, Any]:
    return {
        "client_id": attempt.client_id,
        "scopes": attempt.scopes,
        "acr": attempt.acr,
        "amr": attempt.amr,
        "authenticated_at": attempt.authenticated_at,
        "passkey_id": attempt.passkey_id,
        "device_name": attempt.device_name,
        "seen_at": sa.func.now(),
        "expires_at": sa.func.now() + house.current().longest,
    }


def _resumed(attempt: SignIn) -> AppSession | None:
    """The phone's app session going on, its former tokens retired; None where it has none that stands."""
    if attempt.key_thumbprint is None:
        return None
    session = db.session()
    phone = (
        AppSession.patient_id == attempt.patient_id,
        AppSession.key_thumbprint == attempt.key_thumbprint,
        AppSession.ended_at.is_(None),
    )
    over = sa.update(AppSession).where(*phone, AppSession.expires_at <= sa.func.now())
    session.execute(over.values(ended_at=sa.func.now(), end_reason="expired"))
    values = _signed_in(attempt)
    if attempt.device_name is None:
        del values["device_name"]
    resumed = session.scalar(sa.update(AppSession).where(*phone).values(values).returning(AppSession))
    if resumed is not None:
        theirs = sa.update(RefreshToken).where(RefreshToken.app_session_id == resumed.id)
        session.execute(theirs.where(RefreshToken.retired_at.is_(None)).values(retired_at=sa.func.now()))
    return resumed


def _new(attempt: SignIn) -> AppSession:
    """A new app session. Of two that begin at once with one key, the second goes on with the first's."""
    values = {"id": db.uuid7(), "patient_id": attempt.patient_id, "key_thumbprint": attempt.key_thumbprint}
    values |= {name: value for name, value in _signed_in(attempt).items() if name != "seen_at"}
    made: AppSession | None = db.session().scalar(
        insert(AppSession).values(values).on_conflict_do_nothing().returning(AppSession)
    )
    opened = made or _resumed(attempt)
    assert opened is not None
    return opened


def new_token() -> tuple[str, bytes]:
    """A refresh token and what is kept of it."""
    token = secrets.token_urlsafe(32)
    return token, attempts.hashed(token)


def _first_token(opened: AppSession) -> str:
    """The refresh token that begins a lineage of the app session."""
    token, hash_ = new_token()
    kept = {"id": db.uuid7(), "app_session_id": opened.id, "patient_id": opened.patient_id, "hash": hash_}
    db.session().execute(sa.insert(RefreshToken).values(kept))
    return token


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

"""Attempts to sign in: what an `auth_session` and an authorization code stand for, and nothing of either in clear.

Who holds the one or the other sees that row alone. An attempt ends with its code, with five wrong tries, or with its
time by the database's clock (OAuth for First-Party Apps §5.3; RFC 6749 §4.1.2).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import auth, db, oauth, vocabulary
from api.access import ceremonies
from api.access.models import SignIn
from api.prepared import Prepared

# A WebAuthn challenge is good for five minutes; somebody who sets up one-time codes on the way may take longer.
LIFETIME = timedelta(minutes=15)
CHALLENGE_LIFETIME = timedelta(minutes=5)
CODE_LIFETIME = timedelta(seconds=60)
MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What an app asks for when it begins (RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 9470 §4); `key` is its thumbprint."""

    client_id: str
    key: str | None
    scopes: tuple[str, ...]
    code_challenge: str | None
    acr_values: tuple[str, ...]
    device_name: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """An attempt that may go on. `fresh`: its WebAuthn challenge is still good."""

    session_hash: bytes
    attempt: SignIn
    fresh: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """A new attempt, and the secret under which it goes on."""

    auth_session: str
    challenge: bytes


def hashed(secret: str) -> bytes:
    """What is kept of an `auth_session`, a code or a refresh token: they are random enough for a plain hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def holder(presented: bytes) -> db.Caller:
    """Whoever presents what has this hash."""
    return db.Caller(kind="holder", presented=presented)


def begin(asked: Asked, *, whose: dict[str, Any] | None = None) -> Begun:
    """Make an attempt in the running transaction, which goes on as its holder. `whose` are the columns that tell
    whose it is, after an activation code was right."""
    auth_session, challenge = secrets.token_urlsafe(32), ceremonies.new_challenge()
    _insert(asked, session_hash=hashed(auth_session), challenge=challenge, **(whose or {}))
    return Begun(auth_session, challenge)


def held(auth_session: str, *, client_id: str | None, key: str | None) -> Held:
    """The attempt of `auth_session`, in the transaction of its holder, if it may go on with this client and key (FiPA
    §5.3.1). Raises `oauth.InvalidSession`."""
    presented = hashed(auth_session)
    open_ = sa.and_(SignIn.expires_at > sa.func.now(), SignIn.code_hash.is_(None), SignIn.tries < MOST_TRIES)
    fresh = SignIn.created_at > sa.func.now() - CHALLENGE_LIFETIME
    row = db.session().execute(sa.select(SignIn, fresh).where(SignIn.session_hash == presented, open_)).first()
    if row is None or row[0].key_thumbprint != key or client_id not in (None, row[0].client_id):
        raise oauth.InvalidSession
    return Held(presented, row[0], row[1])


def missed(held: Held) -> None:
    """Count a wrong try, in the running transaction, which goes on as the attempt's holder."""
    db.become(holder(held.session_hash))
    db.session().execute(
        sa.update(SignIn).where(SignIn.session_hash == held.session_hash).values(tries=SignIn.tries + 1)
    )


def conclude(asked: Asked, held: Held | None, *, patient_id: UUID, proved: auth.Proved, passkey_id: UUID | None) -> str:
    """The authorization code of an attempt that was right; the running transaction goes on as its holder.

    Raises `oauth.UnmetRequirements` for a proof that is weaker than what was asked, `oauth.InvalidRequest` without a
    code challenge, `oauth.InvalidSession` where another request concluded the attempt.
    """
    if asked.acr_values and not _meets(proved.acr, asked.acr_values):
        raise oauth.UnmetRequirements
    if asked.code_challenge is None:
        raise oauth.InvalidRequest("Send code_challenge with the method S256.")
    code = secrets.token_urlsafe(32)
    columns = {
        "patient_id": patient_id,
        "acr": proved.acr,
        "amr": list(proved.amr),
        "authenticated_at": proved.at,
        "passkey_id": passkey_id,
        "code_challenge": asked.code_challenge,
        "code_hash": hashed(code),
    }
    if held is None:
        _insert(asked, session_hash=hashed(secrets.token_urlsafe(32)), challenge=b"", **columns)
    else:
        _conclude(held, columns)
    return code


def _meets(acr: str, wanted: tuple[str, ...]) -> bool:
    """Whether `acr` is one that was asked for, or stronger; a word that is not of the ladder is met by none."""
    steps = [vocabulary.ACRS.index(one) for one in wanted if one in vocabulary.ACRS]
    return bool(steps) and vocabulary.ACRS.index(acr) >= min(steps)


def _conclude(held: Held, columns: dict[str, Any]) -> None:
    db.become(holder(held.session_hash))
    concluded = (
        sa.update(SignIn)
        .where(SignIn.session_hash == held.session_hash, SignIn.code_hash.is_(None))
        .values(columns | {"code_expires_at": sa.func.now() + CODE_LIFETIME})
        .returning(SignIn.id)
        .execution_options(synchronize_session=False)
    )
    if db.session().execute(concluded).first() is None:
        raise oauth.InvalidSession


def _insert(asked: Asked, **columns: Any) -> None:
    db.become(holder(columns["session_hash"]))
    given = {
        **dict.fromkeys(_COLUMNS),
        "id": db.uuid7(),
        "client_id": asked.client_id,
        "key_thumbprint": asked.key,
        "scopes": list(asked.scopes),
        "code_challenge": asked.code_challenge,
        "acr_values": " ".join(asked.acr_values) or None,
        "device_name": asked.device_name,
        **columns,
    }
    _INSERT.run(**given, lifetime=LIFETIME, code_lifetime=CODE_LIFETIME)


def again(held: Held, asked: Asked) -> Asked:
    """What the attempt asked for when it began, with what is said later only where it was left open then."""
    first = held.attempt
    return Asked(
        client_id=first.client_id,
        key=first.key_thumbprint,
        scopes=tuple(first.scopes),
        code_challenge=first.code_challenge or asked.code_challenge,
        acr_values=tuple((first.acr_values or "").split()),
        device_name=first.device_name or asked.device_name,
    )


# Every sign-in makes one: it goes past the session.
_COLUMNS = (
    *("id", "session_hash", "client_id", "key_thumbprint", "scopes", "code_challenge", "acr_values", "device_name"),
    *("challenge", "patient_id", "activation_id", "totp_secret", "acr", "amr", "passkey_id", "authenticated_at"),
    "code_hash",
)
_INSERT = Prepared(
    f"""
    INSERT INTO sign_ins ({", ".join(_COLUMNS)}, expires_at, code_expires_at)
    VALUES ({", ".join(f"%({name})s" for name in _COLUMNS)}, now() + %(lifetime)s,
        CASE WHEN %(code_hash)s::bytea IS NOT NULL THEN now() + %(code_lifetime)s END)
    """  # noqa: S608
)

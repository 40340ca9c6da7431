"""From an access token to a caller.

Tokens are JWTs after RFC 9068: ES256 only, `typ: at+jwt`, ten minutes, an audience and a `kind` claim per
kind of caller (the kind is never guessed from the subject). A key set holds any number of live keys; the
first one signs and all of them verify, so a rotation refuses no token. A signature verified once is
remembered until the token expires; whether the sign-in still stands is asked of the database every time.
"""

import json
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from api import clock, errors, vocabulary
from api.db import Caller

LIFETIME = timedelta(minutes=10)
LEEWAY_SECONDS = 30
TYPES = ("at+jwt", "application/at+jwt")
CLAIMS = ("iss", "aud", "sub", "client_id", "exp", "iat", "jti", "kind", "scope")
LONGEST_TOKEN = 4096
# RFC 9651 §3.3.3: an Item that is a String, with the one parameter `role`, a Token.
ACTING_USER = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,64})"; *role=([A-Za-z*][A-Za-z0-9_.:/*-]{0,63})')


class NoToken(errors.Unauthenticated):
    """No credentials were presented (RFC 6750 §3.1: no error code is given)."""

    slug = "authentication-required"


class InvalidToken(errors.Unauthenticated):
    slug = "invalid-token"
    title = "The access token is not valid"
    detail = "The access token cannot be used. Please sign in again."
    title_es = "La credencial de acceso no es válida"
    detail_es = "La credencial de acceso no se puede usar. Vuelva a iniciar sesión."


class TokenExpired(InvalidToken):
    slug = "token-expired"
    title = "The access token has expired"
    detail = "The access token has expired; refresh it and try again."
    title_es = "La credencial de acceso ha vencido"
    detail_es = "La credencial de acceso ha vencido; renuévela e inténtelo de nuevo."
    retry = "after_refresh"


class InsufficientScope(errors.Forbidden):
    detail = "The access token was not granted what this needs."
    detail_es = "A la credencial de acceso no se le concedió lo que esto necesita."


class ActingUserMissing(errors.BadRequest):
    """42 CFR 2 and 45 CFR 164.312 want people in the record, not connectors."""

    slug = "acting-user-missing"
    title = "Say for whom the system acts"
    detail = 'Send the header Acting-User, such as "u-17";role=counselor.'
    title_es = "Indique para quién actúa el sistema"
    detail_es = 'Envíe la cabecera Acting-User, por ejemplo "u-17";role=counselor.'


def audience(issuer: str, kind: str) -> str:
    """The `aud` of tokens for one kind of caller; a token for one never opens the doors of another."""
    return f"{issuer}/{kind}"


class KeySet:
    """The signing keys, from a JWK Set file with private EC P-256 keys; the first one signs."""

    def __init__(self, keys: dict[str, ec.EllipticCurvePrivateKey]) -> None:
        self._private = keys
        self.public = {kid: key.public_key() for kid, key in keys.items()}

    @classmethod
    def read(cls, file: Path) -> "KeySet":
        """Raises `ValueError` when the file holds no usable key."""
        keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        for jwk in json.loads(file.read_text())["keys"]:
            key = jwt.PyJWK(jwk, algorithm="ES256").key
            if isinstance(key, ec.EllipticCurvePrivateKey):
                keys[jwk["kid"]] = key
        if not keys:
            raise ValueError("the key set holds no private EC key")
        return cls(keys)

    @staticmethod
    def new_key() -> dict[str, str]:
        """A fresh private key as a JWK with a random `kid`."""
        key = ec.generate_private_key(ec.SECP256R1())
        return {**jwt.algorithms.ECAlgorithm.to_jwk(key, as_dict=True), "kid": secrets.token_hex(8), "alg": "ES256"}

    def sign(self, claims: dict[str, Any]) -> str:
        kid, key = next(iter(self._private.items()))
        return jwt.encode(claims, key, algorithm="ES256", headers={"typ": "at+jwt", "kid": kid})


class Tokens:
    """Signs and verifies the access tokens of one issuer. Safe to share between threads."""

    def __init__(self, keys: KeySet, *, issuer: str, remembered: int) -> None:
        self._keys = keys
        self._issuer = issuer
        self._remembered = remembered
        self._verified: OrderedDict[str, tuple[float, Caller]] = OrderedDict()
        self._lock = threading.Lock()

    def issue(self, *, kind: str, subject: UUID, client_id: str, scopes: Iterable[str], sid: UUID | None = None) -> str:
        """A token for `subject`, good for `LIFETIME`. Scopes outside of the kind's list raise `ValueError`."""
        if unknown := set(scopes) - set(vocabulary.SCOPES[kind]):
            raise ValueError(f"not scopes of a {kind}: {sorted(unknown)}")
        now = clock.wall()
        claims = {
            "iss": self._issuer,
            "aud": audience(self._issuer, kind),
            "kind": kind,
            "sub": str(subject),
            "client_id": client_id,
            "scope": " ".join(scopes),
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "jti": secrets.token_urlsafe(16),
        }
        return self._keys.sign({**claims, "sid": str(sid)} if sid else claims)

    def caller(self, token: str, *, kind: str) -> Caller:
        """Who holds `token`, if it is one for `kind`. Raises `InvalidToken`, `TokenExpired`."""
        now = clock.wall()
        if (known := self._verified.get(token)) is not None and known[1].kind == kind:
            if now.timestamp() < known[0]:
                return known[1]
            raise TokenExpired
        expires, caller = self._verify(token, kind, now)
        if self._remembered:
            with self._lock:
                self._verified[token] = (expires, caller)
                while len(self._verified) > self._remembered:
                    self._verified.popitem(last=False)
        return caller

    def _verify(self, token: str, kind: str, now: datetime) -> tuple[float, Caller]:
        if len(token) > LONGEST_TOKEN:
            raise InvalidToken
        try:
            header = jwt.get_unverified_header(token)
            # PyJWT checks neither the type nor which key; and the algorithm list is ours, never the token's.
            key = self._keys.public.get(header.get("kid", ""))
            if header.get("typ", "").lower() not in TYPES or key is None or "crit" in header:
                raise InvalidToken
            claims = jwt.decode(
                token,
                key,
                algorithms=["ES256"],
                issuer=self._issuer,
                audience=audience(self._issuer, kind),
                leeway=LEEWAY_SECONDS,
                options={"require": list(CLAIMS)},
            )
            return claims["exp"] + LEEWAY_SECONDS, _caller(claims, kind)
        except jwt.ExpiredSignatureError as error:
            raise TokenExpired from error
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, KeyError) as error:
            raise InvalidToken from error


def _caller(claims: dict[str, Any], kind: str) -> Caller:
    if claims["kind"] != kind:
        raise InvalidToken
    subject, patient = UUID(claims["sub"]), kind == "patient"
    return Caller(
        kind=kind,
        patient_id=subject if patient else None,
        client_id=None if patient else subject,
        app_session_id=UUID(claims["sid"]) if patient else None,
        token_id=str(claims["jti"]),
        scopes=frozenset(str(claims["scope"]).split()),
    )


def bearer(header: str | None) -> str:
    """The token of an `Authorization` header (RFC 6750 §2.1). Raises `NoToken`, `InvalidToken`."""
    if not header:
        raise NoToken
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise NoToken if scheme.lower() != "bearer" else InvalidToken
    return token.strip()


def acting_user(header: str | None) -> tuple[str, str]:
    """User and role of an `Acting-User` header. Raises `ActingUserMissing`."""
    if header is None or (match := ACTING_USER.fullmatch(header.strip())) is None:
        raise ActingUserMissing
    return re.sub(r"\\(.)", r"\1", match[1]), match[2]


def acting(caller: Caller, header: str | None) -> Caller:
    """`caller` with the person or job it acts for. Raises `ActingUserMissing`."""
    user, role = acting_user(header)
    return replace(caller, acting_user=user, acting_role=role)


def challenge(refusal: errors.Refusal) -> str:
    """The `WWW-Authenticate` value that goes with a 401 (RFC 6750 §3): no error code for who sent nothing."""
    return "Bearer" if isinstance(refusal, NoToken) else 'Bearer error="invalid_token"'


def scope_challenge(scope: str | None) -> str:
    """The `WWW-Authenticate` value that names the scope a token lacks (RFC 6750 §3.1)."""
    return f'Bearer error="insufficient_scope", scope="{scope}"'

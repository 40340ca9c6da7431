"""From an access token to a caller.

Tokens are JWTs after RFC 9068: `typ: at+jwt`, minutes long, an audience and a `kind` claim per kind of caller (the kind
is never guessed from the subject). Each key has one algorithm, and any key of the set verifies, so a rotation refuses
no token. A signature verified once is remembered until the token expires; whether the sign-in still stands is asked of
the database every time. A token with a key in it (`cnf`) is good only beside a proof of that key (`dpop`).
"""

import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt

from api import clock, errors, vocabulary
from api.db import Caller
from api.keys import KeySet

LIFETIMES = {"patient": timedelta(minutes=10), "partner": timedelta(minutes=5), "clinic": timedelta(minutes=5)}
LEEWAY_SECONDS = 30
TYPES = ("at+jwt", "application/at+jwt")
CLAIMS = ("iss", "aud", "sub", "client_id", "exp", "iat", "jti", "kind", "scope")
LONGEST_TOKEN = 4096
# Each kind of caller is a protected resource of its own (RFC 9728): its address is the audience of its tokens.
RESOURCES = {"patient": "/v1/me", "partner": "/v1/partner", "clinic": "/v1/clinic"}
STEP_UP_SECONDS = 300
# RFC 9651 §3.3.3: an Item that is a String, with the one parameter `role`, a Token.
ACTING_USER = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\]){1,64})"; *role=([A-Za-z*][A-Za-z0-9_.:/*-]{0,63})')


class NoToken(errors.Unauthenticated):
    """No credentials were presented (RFC 6750 §3.1: no error code is given)."""

    slug = "authentication-required"


class InvalidToken(errors.Unauthenticated):
    slug = "invalid-token"
    challenge = {"error": "invalid_token"}
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

    def __init__(self, scope: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.challenge = {"error": "insufficient_scope", **({"scope": scope} if scope else {})}


class StepUpRequired(errors.Unauthenticated):
    """The patient proved who they are too weakly or too long ago for this (RFC 9470 §3)."""

    title = "Please confirm that it is you"
    detail = "This needs a fresh sign-in: please confirm that it is you, and try again."
    title_es = "Confirme que es usted"
    detail_es = "Esto requiere un inicio de sesión reciente: confirme que es usted e inténtelo de nuevo."
    challenge = {
        "error": "insufficient_user_authentication",
        "acr_values": " ".join(vocabulary.STRONG_ACRS),
        "max_age": str(STEP_UP_SECONDS),
    }


class ActingUserMissing(errors.BadRequest):
    """42 CFR 2 and 45 CFR 164.312 want people in the record, not connectors."""

    slug = "acting-user-missing"
    title = "Say for whom the system acts"
    detail = 'Send the header Acting-User, such as "u-17";role=counselor.'
    title_es = "Indique para quién actúa el sistema"
    detail_es = 'Envíe la cabecera Acting-User, por ejemplo "u-17";role=counselor.'


def audience(issuer: str, kind: str) -> str:
    """The `aud` of tokens for one kind of caller; a token for one never opens the doors of another."""
    return issuer + RESOURCES[kind]


@dataclass(frozen=True, slots=True)
class Proved:
    """How and when a patient proved who they are; a refresh changes none of it (RFC 9068 §2.2.1)."""

    acr: str
    amr: tuple[str, ...]
    at: datetime


class Tokens:
    """Signs and verifies the access tokens of one issuer. Safe to share between threads."""

    def __init__(self, keys: Callable[[], KeySet], *, issuer: str, remembered: int) -> None:
        self._keys = keys
        self._issuer = issuer
        self._remembered = remembered
        self._verified: OrderedDict[str, tuple[float, Caller]] = OrderedDict()
        self._verified_by = keys()
        self._lock = threading.Lock()

    def issue(
        self,
        *,
        kind: str,
        subject: UUID,
        client_id: str,
        scopes: Iterable[str],
        sid: UUID | None = None,
        key: str | None = None,
        proved: Proved | None = None,
    ) -> str:
        """A token for `subject`, good for the kind's lifetime, bound to the key of the thumbprint `key`. Scopes outside
        of the kind's list raise `ValueError`."""
        scopes = list(scopes)
        if unknown := set(scopes) - set(vocabulary.SCOPES[kind]):
            raise ValueError(f"not scopes of a {kind}: {sorted(unknown)}")
        now = clock.wall()
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": audience(self._issuer, kind),
            "kind": kind,
            "sub": str(subject),
            "client_id": client_id,
            "scope": " ".join(scopes),
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIMES[kind]).timestamp()),
            "jti": secrets.token_urlsafe(16),
        }
        claims |= {"sid": str(sid)} if sid else {}
        claims |= {"cnf": {"jkt": key}} if key else {}
        claims |= (
            {"acr": proved.acr, "amr": list(proved.amr), "auth_time": int(proved.at.timestamp())} if proved else {}
        )
        signing = self._keys().signing(now)
        headers = {"typ": TYPES[0], "kid": signing.kid}
        return jwt.encode(claims, signing.private, algorithm=signing.algorithm, headers=headers)

    def caller(self, token: str, *, kind: str) -> Caller:
        """Who holds `token`, if it is one for `kind`. Raises `InvalidToken`, `TokenExpired`."""
        now = clock.wall()
        self._forget_other_keys()
        if (known := self._verified.get(token)) is not None and known[1].kind == kind:
            if now.timestamp() < known[0]:
                return known[1]
            raise TokenExpired
        expires, caller = self._verify(token, kind)
        if self._remembered:
            with self._lock:
                self._verified[token] = (expires, caller)
                while len(self._verified) > self._remembered:
                    self._verified.popitem(last=False)
        return caller

    def _forget_other_keys(self) -> None:
        """A key that was taken out of the set, because it leaked, is believed no longer."""
        if (keys := self._keys()) is not self._verified_by:
            with self._lock:
                self._verified.clear()
                self._verified_by = keys

    def _verify(self, token: str, kind: str) -> tuple[float, Caller]:
        claims = self.claims(token, kind=kind)
        try:
            return claims["exp"] + LEEWAY_SECONDS, _caller(claims, kind)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise InvalidToken from error

    def claims(self, token: str, *, kind: str) -> dict[str, Any]:
        """What `token` says, if it is one of ours for `kind` (RFC 9068 §4). Raises `InvalidToken`, `TokenExpired`."""
        if len(token) > LONGEST_TOKEN:
            raise InvalidToken
        try:
            header = jwt.get_unverified_header(token)
            # PyJWT checks neither the type nor which key; and the algorithm is the key's, never the token's.
            found = self._keys().public.get(header["kid"])
            if header["typ"].lower() not in TYPES or found is None or "crit" in header:
                raise InvalidToken
            key, algorithm = found
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self._issuer,
                audience=audience(self._issuer, kind),
                leeway=LEEWAY_SECONDS,
                options={"require": list(CLAIMS)},
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenExpired from error
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, KeyError) as error:
            raise InvalidToken from error
        return claims


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
        app=str(claims["client_id"]) if patient else None,
        key=str(claims["cnf"]["jkt"]) if "cnf" in claims else None,
        acr=claims.get("acr"),
        authenticated_at=claims.get("auth_time"),
    )


@dataclass(frozen=True, slots=True)
class Presented:
    """An `Authorization` header: its scheme in lower case, and the token."""

    scheme: str
    token: str


def presented(header: str | None) -> Presented:
    """Raises `NoToken` where no token of ours was meant, `InvalidToken` where there should be one (RFC 6750 §2.1)."""
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() not in ("bearer", "dpop"):
        raise NoToken
    if not token.strip():
        raise InvalidToken
    return Presented(scheme.lower(), token.strip())


def refuse_weak(caller: Caller, *, at: datetime) -> None:
    """Raises `StepUpRequired` unless the patient proved strongly, a little while ago, who they are."""
    since = caller.authenticated_at
    if since is None or at.timestamp() - since > STEP_UP_SECONDS or caller.acr not in vocabulary.STRONG_ACRS:
        raise StepUpRequired


def acting_user(header: str | None) -> tuple[str, str]:
    """User and role of an `Acting-User` header. Raises `ActingUserMissing`."""
    if header is None or (match := ACTING_USER.fullmatch(header.strip())) is None:
        raise ActingUserMissing
    return re.sub(r"\\(.)", r"\1", match[1]), match[2]


def acting(caller: Caller, header: str | None) -> Caller:
    """`caller` with the person or job it acts for. Raises `ActingUserMissing`."""
    user, role = acting_user(header)
    return replace(caller, acting_user=user, acting_role=role)


def challenge(refusal: errors.Refusal, *, kind: str, scheme: str | None, issuer: str) -> str:
    """The `WWW-Authenticate` value for a 401 or a 403 at a door of `kind`, in the scheme that was tried (RFC 6750 §3,
    RFC 9449 §7.1, RFC 9728 §5.1): no error code for who sent nothing."""
    dpop = scheme == "dpop" or (kind == "patient" and scheme != "bearer")
    attributes = {
        **({"algs": "ES256"} if dpop else {}),
        **refusal.challenge,
        "resource_metadata": metadata(issuer, kind),
    }
    written = ", ".join(f'{name}="{value}"' for name, value in attributes.items())
    return f"{'DPoP' if dpop else 'Bearer'} {written}"


def metadata(issuer: str, kind: str) -> str:
    """Where the resource of `kind` describes itself (RFC 9728 §3.1)."""
    return f"{issuer}/.well-known/oauth-protected-resource{RESOURCES[kind]}"

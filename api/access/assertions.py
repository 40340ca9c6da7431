"""By what a client's own system proves itself: a signed assertion (`private_key_jwt`), read and judged here.

RFC 7523 §3 with the stricter readings of SMART Backend Services 2.2: the algorithm is one of a literal list and fits
the key, the key is exactly one of the client's, the audience is exactly one value, five minutes are the longest life.
Keys that come along in the header (`jwk`, `x5u`, `x5c`) are never looked at. Pure: whether `jti` was seen before is
asked of the database by the caller.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeGuard

import jwt
import orjson
from jwt.api_jws import PyJWS
from jwt.utils import base64url_decode

from api.access import public_keys

Reason = Literal["form", "header", "key", "signature", "issuer", "audience", "expiry", "time", "jti"]

TYPES = ("jwt", "client-authentication+jwt")  # SMART's, and that of the update of RFC 7523
LONGEST = 8192
LIFETIME, LEEWAY, CLOCKS_APART = timedelta(seconds=300), timedelta(seconds=10), timedelta(seconds=60)


class AssertionRefused(Exception):
    """The assertion proves nothing. `reason` is for the audit: the client is told `invalid_client` whatever it is."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Assertion:
    """One that was good at the time; its `jti` opens nothing a second time."""

    jti: str
    expires_at: datetime

    @property
    def remembered_until(self) -> datetime:
        """From here on a repetition is refused for its age, so that `jti` may be forgotten."""
        return self.expires_at + LEEWAY


def unverified_issuer(assertion: str) -> str | None:
    """Who the assertion says it is from, to look up whose keys to try; nothing is proven by it. Never raises."""
    try:
        _, payload, _ = _bounded(assertion).split(".")
        issuer = orjson.loads(base64url_decode(payload))["iss"]
    except (AssertionRefused, *public_keys.UNREADABLE):
        return None
    return issuer if public_keys.is_name(issuer) else None


def verify(
    assertion: str,
    *,
    client_id: str,
    keys: Sequence[Mapping[str, Any]],
    audience: str,
    jwks_url: str | None,
    at: datetime,
) -> Assertion:
    """Judge the assertion of `client_id`, one of whose public `keys` must have signed it. Raises `AssertionRefused`."""
    header = _header(_bounded(assertion), jwks_url)
    key = _key(header, keys)
    claims = _claims(assertion, key, header["alg"])
    if not claims.get("iss") == claims.get("sub") == client_id:
        raise AssertionRefused("issuer")
    if claims.get("aud") not in (audience, [audience]):
        raise AssertionRefused("audience")
    if not public_keys.is_name(jti := claims.get("jti")):
        raise AssertionRefused("jti")
    return Assertion(jti, _expiry(claims, at))


def _bounded(assertion: str) -> str:
    if len(assertion) > LONGEST or not assertion.isascii():
        raise AssertionRefused("form")
    return assertion


def _header(assertion: str, jwks_url: str | None) -> dict[str, Any]:
    try:
        header = jwt.get_unverified_header(assertion)
    except public_keys.UNREADABLE:
        raise AssertionRefused("form") from None
    other_type = "typ" in header and str(header["typ"]).lower() not in TYPES
    if (
        other_type
        or "crit" in header
        or not public_keys.is_name(header.get("kid"))
        or header.get("alg") not in [*public_keys.ALGORITHMS]
    ):
        raise AssertionRefused("header")
    if "jku" in header and (jwks_url is None or header["jku"] != jwks_url):
        raise AssertionRefused("header")
    return header


def _key(header: Mapping[str, Any], keys: Sequence[Mapping[str, Any]]) -> Any:
    """The one key of that name and kind; none and several are refused alike (SMART: fail on either)."""
    kty, curve = public_keys.ALGORITHMS[header["alg"]]
    named = [one for one in keys if one.get("kid") == header["kid"] and one.get("kty") == kty]
    if len(named) != 1 or public_keys.jwk_problems(named[0]) is not None:
        raise AssertionRefused("key")
    if named[0].get("alg", header["alg"]) != header["alg"] or (curve and named[0].get("crv") != curve):
        raise AssertionRefused("key")
    return public_keys.public(named[0])


def _claims(assertion: str, key: Any, algorithm: str) -> dict[str, Any]:
    """The signed claims. Their times are judged by us, since PyJWT would read a clock of its own."""
    try:
        payload = PyJWS(algorithms=[*public_keys.ALGORITHMS]).decode(assertion, key, algorithms=[algorithm])
    except public_keys.UNREADABLE:
        raise AssertionRefused("signature") from None
    try:
        claims = orjson.loads(payload)
    except ValueError:
        raise AssertionRefused("form") from None
    if not isinstance(claims, dict):
        raise AssertionRefused("form")
    return claims


def _expiry(claims: Mapping[str, Any], at: datetime) -> datetime:
    now, expires = at.timestamp(), claims.get("exp")
    if not _is_instant(expires) or not -LEEWAY.total_seconds() < expires - now <= (LIFETIME + LEEWAY).total_seconds():
        raise AssertionRefused("expiry")
    for said in (claims[one] for one in ("iat", "nbf") if one in claims):
        if not _is_instant(said) or said - now > CLOCKS_APART.total_seconds():
            raise AssertionRefused("time")
    return datetime.fromtimestamp(expires, UTC)


def _is_instant(value: Any) -> TypeGuard[float]:
    """A NumericDate (RFC 7519 §2)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

"""The public keys of clients: which are good enough to be one, as JWKs (RFC 7517, RFC 7518 §6)."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa

JWK = dict[str, Any]

# SMART 2.2 names RS384 and ES384; the other two are what most libraries begin with. By each, the keys that fit it.
ALGORITHMS = {"RS384": ("RSA", None), "ES384": ("EC", "P-384"), "RS256": ("RSA", None), "ES256": ("EC", "P-256")}
PRIVATE_MEMBERS = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
SHORTEST_RSA, LONGEST_RSA = 2048, 8192
NUMBER = re.compile(r"[A-Za-z0-9_-]{1,1400}")  # base64url of at most LONGEST_RSA bits
LONGEST_NAME = 255
# What PyJWT, orjson and cryptography raise about things that are not what they say.
UNREADABLE = (jwt.PyJWTError, ValueError, TypeError, KeyError, OverflowError, RecursionError, UnsupportedAlgorithm)


def jwk_problems(jwk: object) -> str | None:
    """Why `jwk` cannot be registered as a client's public key, in words for who registers it; None for a good one."""
    if not isinstance(jwk, Mapping):
        return "a key is a JSON object"
    if found := [one for one in PRIVATE_MEMBERS if one in jwk]:
        return f"private parts ({', '.join(found)}) stay with the client: make a new pair, this one is known now"
    if not is_name(jwk.get("kid")):
        return "kid is missing"
    if jwk.get("use", "sig") != "sig" or "verify" not in _operations(jwk):
        return "the key is not for signatures"
    fitting = [name for name, fit in ALGORITHMS.items() if fit in ((jwk.get("kty"), None), _kind(jwk))]
    if not fitting or jwk.get("alg", fitting[0]) not in fitting:
        return "kty, crv and alg fit none of " + ", ".join(ALGORITHMS)
    return _weakness(jwk)


def is_name(value: object) -> TypeGuard[str]:
    """What may stand as a `kid`, `jti` or client id: a short text that could be shown."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NAME and value.isprintable()


def _kind(jwk: Mapping[str, Any]) -> tuple[Any, Any]:
    return jwk.get("kty"), jwk.get("crv")


def _operations(jwk: Mapping[str, Any]) -> Sequence[Any]:
    operations = jwk.get("key_ops", ["verify"])
    return operations if isinstance(operations, list) else ()


def _weakness(jwk: Mapping[str, Any]) -> str | None:
    try:
        key = public(jwk)
    except UNREADABLE:
        return "its numbers are no key"
    if isinstance(key, rsa.RSAPublicKey):
        if not SHORTEST_RSA <= key.key_size <= LONGEST_RSA:
            return f"an RSA key has {SHORTEST_RSA} to {LONGEST_RSA} bits"
        # Odd, and above 2**16 (FIPS 186-5 §5.1 (1)); a huge one only costs time.
        if key.public_numbers().e.bit_length() not in range(17, 34):
            return "the public exponent of an RSA key is usually 65537"
    return None


def public(jwk: Mapping[str, Any]) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    """The key of its public numbers alone. Raises some of `UNREADABLE`."""
    names = ("kty", "n", "e") if jwk["kty"] == "RSA" else ("kty", "crv", "x", "y")
    numbers = {name: jwk[name] for name in names}
    if not all(NUMBER.fullmatch(value) for value in numbers.values()):
        raise ValueError
    algorithm = jwt.algorithms.RSAAlgorithm if jwk["kty"] == "RSA" else jwt.algorithms.ECAlgorithm
    key = algorithm.from_jwk(numbers)
    assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    return key

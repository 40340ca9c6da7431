"""The keys that sign our tokens: a JWK Set file with private keys, read anew when it changes.

Every key in it verifies; the one whose time has come last signs. `rotated` adds a key that is published at once and
signs only after every cache of the public set has run out, and takes away those whose last token has expired: so a
rotation is one command, needs no restart, and refuses no token (RFC 9068 §2.1, RFC 7517).
"""

import json
import os
import secrets
import stat
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric import ec, rsa

PUBLISHED_FOR = timedelta(minutes=5)
# Twice what caches may keep the set, so that the slowest of them knows the new key before it signs.
AHEAD = 2 * PUBLISHED_FOR
# Longer than any token lives, with its leeway.
RETIRED_AFTER = timedelta(minutes=15)
LEAST_RSA_BITS = 2048
LOOK_SECONDS = 1.0

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class WeakKey(ValueError):
    """A key that must not sign; the message is a sentence about it."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key. It signs from `use_from` (seconds since 1970) until another's time has come."""

    kid: str
    algorithm: str
    private: PrivateKey
    use_from: float

    @property
    def public(self) -> PublicKey:
        return self.private.public_key()

    def published(self) -> dict[str, Any]:
        """The public JWK (RFC 7517 §4)."""
        if isinstance(self.private, rsa.RSAPrivateKey):
            written = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        else:
            written = jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {
            name: value
            for name, value in {**written, "kid": self.kid, "use": "sig", "alg": self.algorithm}.items()
            if name in ("kty", "crv", "x", "y", "n", "e", "kid", "use", "alg")
        }


class KeySet:
    """The keys of one reading of the file."""

    def __init__(self, keys: Iterable[SigningKey]) -> None:
        self._keys = list(keys)
        self.public = {key.kid: (key.public, key.algorithm) for key in self._keys}

    @classmethod
    def of(cls, document: dict[str, Any]) -> "KeySet":
        """Raises `WeakKey`, or `ValueError` when the document holds no usable key."""
        keys = [_key(jwk) for jwk in document["keys"]]
        if not keys or len({key.kid for key in keys}) < len(keys):
            raise ValueError("a key set needs at least one key, and a kid of its own for each")
        return cls(keys)

    @classmethod
    def read(cls, file: Path) -> "KeySet":
        """Raises what `of` does, and `OSError`."""
        return cls.of(json.loads(file.read_text()))

    def signing(self, at: datetime) -> SigningKey:
        """The key whose time came last; the first of the file where several have none."""
        come = [key for key in self._keys if key.use_from <= at.timestamp()] or self._keys[:1]
        return max(come, key=lambda key: key.use_from)

    def published(self) -> dict[str, Any]:
        """The JWK Set that anybody may read: no private member (RFC 7517 §5)."""
        return {"keys": [key.published() for key in self._keys]}


class KeyFile:
    """A key set that follows its file. Safe to share between threads."""

    def __init__(self, file: Path) -> None:
        self._file, self._lock = file, threading.Lock()
        self._keys, self._seen, self._looked = KeySet.read(file), _stamp(file), time.monotonic()

    def current(self) -> KeySet:
        """The keys as the file had them a second ago at most; a file that cannot be read leaves those it had."""
        if time.monotonic() - self._looked > LOOK_SECONDS:
            with self._lock:
                self._look()
        return self._keys

    def _look(self) -> None:
        self._looked = time.monotonic()
        try:
            stamp = _stamp(self._file)
            if stamp != self._seen:
                self._keys, self._seen = KeySet.read(self._file), stamp
        except (OSError, ValueError, KeyError, TypeError) as trouble:
            structlog.get_logger().error("keys not read", error=type(trouble).__name__)


def new_key() -> dict[str, Any]:
    """A fresh private P-256 key as a JWK with a random `kid`."""
    key = ec.generate_private_key(ec.SECP256R1())
    return {**jwt.algorithms.ECAlgorithm.to_jwk(key, as_dict=True), "kid": secrets.token_hex(8), "alg": "ES256"}


def rotated(document: dict[str, Any], *, at: datetime) -> dict[str, Any]:
    """`document` with a new key that signs from `at` + `AHEAD` on, without those superseded long enough.

    Raises `ValueError` while the key of an earlier rotation still waits for its time."""
    keys = document["keys"]
    if any(_use_from(key) > at.timestamp() for key in keys):
        raise ValueError("the key of the last rotation does not sign yet")
    in_use = max(keys, key=_use_from)
    gone = _use_from(in_use) + RETIRED_AFTER.total_seconds() < at.timestamp()
    kept = [key for key in keys if key is in_use or not gone]
    return {**document, "keys": [*kept, {**new_key(), "use_from": int((at + AHEAD).timestamp())}]}


def rotate(file: Path, *, at: datetime) -> None:
    """Rewrite `file`, or what it leads to, as `rotated`: whole or not at all, with the owner and mode that it has.

    Raises `ValueError` as `rotated` does, `OSError`: `FileExistsError` while another rotation is under way."""
    file = file.resolve()
    document, had = rotated(json.loads(file.read_text()), at=at), file.stat()
    fresh = file.with_suffix(".new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(json.dumps(document))
        opened.flush()
        os.fchmod(opened.fileno(), stat.S_IMODE(had.st_mode))
        if (had.st_uid, had.st_gid) != (os.geteuid(), os.getegid()):
            os.fchown(opened.fileno(), had.st_uid, had.st_gid)
        os.fsync(opened.fileno())
    fresh.rename(file)


def _key(jwk: dict[str, Any]) -> SigningKey:
    algorithm = "RS256" if jwk.get("kty") == "RSA" else "ES256"
    key = jwt.PyJWK(jwk, algorithm=algorithm).key
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < LEAST_RSA_BITS:
            raise WeakKey(f"an RSA key has {key.key_size} bits, and needs {LEAST_RSA_BITS} or more")
    elif not (isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1)):
        raise WeakKey("a key is neither a private P-256 nor a private RSA key")
    return SigningKey(str(jwk["kid"]), algorithm, key, _use_from(jwk))


def _use_from(jwk: dict[str, Any]) -> float:
    return float(jwk.get("use_from", 0))


def _stamp(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size

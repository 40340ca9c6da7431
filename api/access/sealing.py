"""What the deployment's one secret for access is used for: each purpose under a key of its own.

Keys are HMAC-SHA256(secret, purpose), so that no two uses share one (NIST SP 800-57 part 1 §5.2). Who reads the
database without the secret finds no sign-in name, no TOTP secret, and no password that could be tried offline.
"""

import functools
import hashlib
import hmac
import os
import unicodedata
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SHORTEST_SECRET_BYTES = 32
VERSION = b"\x01"
NONCE_BYTES = 12
LONGEST_NAME = 256

_secret: bytes | None = None


def use(secret: bytes) -> None:
    """Derive every key from `secret` from here on. Raises ValueError for one shorter than 32 bytes."""
    global _secret
    if len(secret) < SHORTEST_SECRET_BYTES:
        raise ValueError(f"The secret must have at least {SHORTEST_SECRET_BYTES} bytes.")
    _secret = secret
    key_for.cache_clear()


@functools.cache
def key_for(purpose: str) -> bytes:
    """The 256-bit key of one purpose."""
    if _secret is None:
        raise RuntimeError("No secret is in use.")
    return hmac.digest(_secret, purpose.encode(), hashlib.sha256)


def index(name: str) -> bytes:
    """The blind index of a sign-in name: equal for the same name in any case and composition, and says nothing else."""
    return hmac.digest(key_for("sign-in name index"), _folded(name), hashlib.sha256)


def _folded(name: str) -> bytes:
    """Phones begin names with a capital and end them with a space. Longer ones are nobody's, and dear to normalise."""
    if len(name) <= LONGEST_NAME:
        name = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).strip()
    return name.encode(errors="surrogatepass")


def peppered(password: str) -> bytes:
    """The password under a key that the database does not hold, to be hashed then (NIST SP 800-63B-4 §3.1.1.2)."""
    return hmac.digest(key_for("password pepper"), password.encode(errors="surrogatepass"), hashlib.sha256)


def seal(plain: bytes, *, place: str, row: UUID) -> bytes:
    """AES-256-GCM: version, nonce, ciphertext. `place` is `table.column`; it opens there and in that row only."""
    nonce = os.urandom(NONCE_BYTES)
    return VERSION + nonce + _cipher().encrypt(nonce, plain, _bound(place, row))


def unseal(sealed: bytes, *, place: str, row: UUID) -> bytes:
    """What `seal` was given. Raises ValueError for anything that was changed, moved or sealed under another key."""
    version, nonce, text = sealed[:1], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    if version != VERSION or len(nonce) != NONCE_BYTES:
        raise ValueError("This was not sealed here.")
    try:
        return _cipher().decrypt(nonce, text, _bound(place, row))
    except InvalidTag:
        raise ValueError("This was not sealed here, or not for this place.") from None


def _cipher() -> AESGCM:
    return AESGCM(key_for("sealing"))


def _bound(place: str, row: UUID) -> bytes:
    """The place alone would not keep a value from being moved to another row."""
    return VERSION + place.encode() + b"\0" + row.bytes

"""What is derived from the deployment's secret for channels: each purpose under a key of its own.

A number is looked up by a keyed hash of it, a confirmation code is computed when it is sent and when it is tried, and
the secret in a mail's unsubscribe address follows from the row that it ends: none of them has to be stored.
"""

import functools
import hashlib
import hmac
from uuid import UUID

SHORTEST_SECRET_BYTES = 32
DIGITS = 6

_secret: bytes | None = None


def use(secret: bytes) -> None:
    """Derive every key from `secret` from here on. Raises ValueError for one shorter than 32 bytes."""
    global _secret
    if len(secret) < SHORTEST_SECRET_BYTES:
        raise ValueError(f"The secret must have at least {SHORTEST_SECRET_BYTES} bytes.")
    _secret = secret
    _key_for.cache_clear()


def index(number: str) -> bytes:
    """The blind index of a phone number (E.164)."""
    return _digest("phone number index", number.encode())


def code(code_id: UUID) -> str:
    """The six digits that a confirmation asks for."""
    number = int.from_bytes(_digest("confirmation code", code_id.bytes)[:8], "big")
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def unsubscribing(address_id: UUID) -> bytes:
    """What stands in the unsubscribe address of a mail to this address: 256 bits."""
    return _digest("unsubscribing", address_id.bytes)


def _digest(purpose: str, what: bytes) -> bytes:
    return hmac.digest(_key_for(purpose), what, hashlib.sha256)


@functools.cache
def _key_for(purpose: str) -> bytes:
    if _secret is None:
        raise RuntimeError("No secret is in use.")
    return hmac.digest(_secret, f"messages: {purpose}".encode(), hashlib.sha256)

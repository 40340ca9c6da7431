"""Signatures of Standard Webhooks 1.0: `v1`, HMAC-SHA256 over `{id}.{timestamp}.{body}`, the body as it is sent.

While a secret is being replaced, the header holds a signature by each: receivers with either verify.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable

PREFIX = "whsec_"
SECRET_BYTES = 32  # the standard asks for 24 to 64


def new_secret() -> bytes:
    return os.urandom(SECRET_BYTES)


def shown(secret: bytes) -> str:
    """A secret as it is told to a partner."""
    return PREFIX + base64.b64encode(secret).decode()


def headers(secrets: Iterable[bytes], *, id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of one attempt, made at `timestamp` (seconds since 1970)."""
    signed = f"{id}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode() for secret in secrets)
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }

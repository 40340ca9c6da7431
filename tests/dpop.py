"""The key of a phone that proves it holds its tokens (DPoP, RFC 9449), which can be made to get anything wrong.

Proofs are put together by hand, so that each part of one can be said otherwise.
"""

import base64
import hashlib
import json
import time
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

FRESH = object()
IN_THE_HEADER = ("typ", "alg", "jwk", "kid", "crit")


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


class Key:
    """A P-256 key and the proofs made with it."""

    def __init__(self, private: ec.EllipticCurvePrivateKey | None = None) -> None:
        self._private = private or ec.generate_private_key(ec.SECP256R1())

    @property
    def jwk(self) -> dict[str, str]:
        """The public key (RFC 7517)."""
        point = self._private.public_key().public_numbers()
        return {
            "kty": "EC",
            "crv": "P-256",
            "x": b64(point.x.to_bytes(32, "big")),
            "y": b64(point.y.to_bytes(32, "big")),
        }

    @property
    def thumbprint(self) -> str:
        """What `cnf.jkt` and `dpop_jkt` say (RFC 7638)."""
        return b64(hashlib.sha256(json.dumps(self.jwk, sort_keys=True, separators=(",", ":")).encode()).digest())

    def state(self) -> dict[str, Any]:
        return {"private": b64(self._private.private_numbers().private_value.to_bytes(32, "big"))}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Key":
        value = int.from_bytes(base64.urlsafe_b64decode(state["private"] + "="), "big")
        return cls(ec.derive_private_key(value, ec.SECP256R1()))

    def proof(
        self,
        method: str,
        url: str,
        *,
        token: str | None = None,
        nonce: str | None = None,
        at: datetime | None = None,
        jti: Any = FRESH,
        **mutations: Any,
    ) -> str:
        """A proof for one request, made `at` that time or now, with `ath` for a `token`.

        `mutations` replace members of header and claims by name, or leave them out where None; `signature` (bytes)
        replaces what was signed.
        """
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk}
        claims = {
            "jti": str(uuid.uuid4()) if jti is FRESH else jti,
            "htm": method,
            "htu": urlunsplit((*urlsplit(url)[:3], "", "")),
            "iat": int(at.timestamp() if at else time.time()),
            "ath": b64(hashlib.sha256(token.encode()).digest()) if token else None,
            "nonce": nonce,
        }
        signature = mutations.pop("signature", None)
        for name, value in mutations.items():
            (header if name in IN_THE_HEADER else claims)[name] = value
        signed = ".".join(b64(json.dumps(_without_none(part)).encode()) for part in (header, claims))
        return f"{signed}.{b64(self._signed(signed.encode()) if signature is None else signature)}"

    def _signed(self, data: bytes) -> bytes:
        """As JWS writes it (RFC 7518 §3.4)."""
        r, s = utils.decode_dss_signature(self._private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _without_none(part: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value is not None}

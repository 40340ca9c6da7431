"""Another organisation's system, which proves itself by a key of its own; every part of what it says can be changed."""

import secrets
import time
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ISSUER = "http://127.0.0.1:8000"
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1()}


def new_private(alg: str = "ES384") -> Any:
    if alg in CURVES:
        return ec.generate_private_key(CURVES[alg])
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class System:
    """A system with one key. `client_id` is what it was registered as, once it was."""

    def __init__(
        self, client_id: UUID | str = "", *, alg: str = "ES384", kid: str = "k-1", private: Any = None
    ) -> None:
        self.client_id, self.alg, self.kid = str(client_id), alg, kid
        self.private = private or new_private(alg)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key, as it is registered."""
        algorithm = jwt.algorithms.ECAlgorithm if self.alg in CURVES else jwt.algorithms.RSAAlgorithm
        return {**algorithm.to_jwk(self.private.public_key(), as_dict=True), "kid": self.kid, "use": "sig"}

    def assertion(self, *, header: dict[str, Any] | None = None, at: float | None = None, **changed: Any) -> str:
        """A client assertion (RFC 7523 §3), good unless `changed`; None takes a claim or a header away."""
        now = time.time() if at is None else at
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": ISSUER,
            "iat": int(now),
            "exp": int(now) + 240,
            "jti": secrets.token_urlsafe(16),
            **changed,
        }
        said = _without_none(**claims)
        return jwt.encode(
            said, self.private, algorithm=self.alg, headers=_without_none(**{"kid": self.kid, **(header or {})})
        )

    def form(self, **changed: Any) -> dict[str, str]:
        """The parameters by which it proves itself, with those in `changed`; None takes one away."""
        proof = {"client_assertion_type": JWT_BEARER}
        if "client_assertion" not in changed:
            proof["client_assertion"] = self.assertion()
        return _without_none(**{**proof, **changed})


def _without_none(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}

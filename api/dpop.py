"""Proof of possession: a phone shows with each request that it holds the key of its token (RFC 9449).

ES256 only: every phone's secure hardware has it. A proof is good once. It is spent where the request's first
statement runs, in autocommit, so that no rollback makes it good again. A phone whose clock is wrong is told a nonce,
which takes the place of its clock; nonces are an HMAC of the time and need no rows.
"""

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import jwt
import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from api import db, errors, hotlines

OLDEST_SECONDS, NEWEST_SECONDS = 60, 10
# A nonce lives for one to two of these: less than spent proofs are remembered.
NONCE_SECONDS = 120
LONGEST_PROOF = 4096
LONGEST_JTI = 256
# What a JSON number can say exactly; later instants, infinity and what is no number at all are no times.
LATEST_SECONDS = 2**53
PORTS = {"https": 443, "http": 80}
_SHA256 = ec.ECDSA(SHA256())


class SpentProof(db.Base):
    """A proof that was seen (RFC 9449 §11.1); `id` is a hash of its key and `jti`. Unlogged: it lives for minutes, and
    stands on the way of every read."""

    __tablename__ = "spent_proofs"
    __table_args__ = {"prefixes": ["UNLOGGED"]}

    id: Mapped[UUID] = mapped_column(primary_key=True)
    spent_at: Mapped[datetime] = mapped_column(server_default=sa.func.now(), index=True)


class BadProof(errors.Unauthenticated):
    """The proof is missing, malformed, seen before, or of another key, request or token (RFC 9449 §4.3)."""

    slug = "invalid-dpop-proof"
    title = "The proof of possession is not valid"
    detail = "The DPoP proof does not fit this request. Make a fresh one for each request."
    title_es = "La prueba de posesión no es válida"
    detail_es = "La prueba DPoP no corresponde a esta solicitud. Haga una nueva para cada solicitud."
    # With a fresh proof the same request may well be met: nobody is to drop what waits to be sent.
    retry = "later"
    challenge = {"error": "invalid_dpop_proof"}


class NonceNeeded(errors.Unauthenticated):
    """The proof's time cannot be believed; with the nonce of `DPoP-Nonce` it need not be (RFC 9449 §8, §9)."""

    slug = "use-dpop-nonce"
    title = "Use the nonce of this answer"
    detail = "Make a new DPoP proof with the nonce in the DPoP-Nonce header, and send the request again."
    title_es = "Use el valor único de esta respuesta"
    detail_es = "Haga una prueba DPoP nueva con el valor de la cabecera DPoP-Nonce y repita la solicitud."
    retry = "after_refresh"
    challenge = {"error": "use_dpop_nonce"}


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that fits its request: the thumbprint of its key (RFC 7638), and the id under which it is spent."""

    thumbprint: str
    id: UUID


class Nonces:
    """The nonces of one server role; those of the authorization server and of the API differ (RFC 9449 §8.2)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def current(self, at: datetime) -> str:
        return self._of(int(at.timestamp()) // NONCE_SECONDS)

    def live(self, nonce: str, at: datetime) -> bool:
        bucket = int(at.timestamp()) // NONCE_SECONDS
        return any(hmac.compare_digest(nonce.encode(), self._of(one).encode()) for one in (bucket, bucket - 1))

    def refusal(self, at: datetime) -> NonceNeeded:
        return NonceNeeded(headers={"DPoP-Nonce": self.current(at)})

    def _of(self, bucket: int) -> str:
        return _text(hmac.digest(self._key, b"%d" % bucket, "sha256")[:18])


def read(header: str | None, *, method: str, url: str, nonces: Nonces, at: datetime, token: str | None = None) -> Proof:
    """The proof in a `DPoP` header for the request `method` `url`, made with `token` if there is one.

    Says nothing of whether it was seen before: `spend` it. Raises `BadProof`, `NonceNeeded`.
    """
    if not header or len(header) > LONGEST_PROOF or header.count(".") != 2:
        raise BadProof
    signed, _, signature = header.rpartition(".")
    head, _, payload = signed.partition(".")
    key, thumbprint = _key(head)
    _refuse_forged(key, signed, signature)
    claims = _object(payload)
    jti, nonce = claims.get("jti"), claims.get("nonce")
    if not (isinstance(jti, str) and jti.isascii() and 0 < len(jti) <= LONGEST_JTI and claims.get("htm") == method):
        raise BadProof
    if not _same_address(claims.get("htu"), url) or (token is not None and claims.get("ath") != _hash(token)):
        raise BadProof
    _refuse_untimely(claims.get("iat"), nonce, nonces, at)
    return Proof(thumbprint, UUID(bytes=hashlib.sha256(f"{thumbprint}.{jti}".encode()).digest()[:16]))


def spend(proof_id: UUID) -> None:
    """Take the proof in a transaction of its own. Raises `BadProof` when it was seen before."""
    (fresh,) = hotlines.current().ask(_spending(), {"proof": proof_id})
    if fresh != b"t":
        raise BadProof


def spent() -> sa.CTE:
    """The part of a statement that takes the proof `:proof`: one row if it is fresh, else none."""
    taken = insert(SpentProof).values(id=sa.bindparam("proof", type_=sa.Uuid)).on_conflict_do_nothing()
    return taken.returning(sa.true().label("fresh")).cte("spent")


def is_fresh(spent: sa.CTE) -> sa.ColumnElement[bool]:
    return sa.exists(sa.select(spent.c.fresh))


@cache
def _spending() -> hotlines.Prepared:
    taken = spent()
    return hotlines.Prepared(sa.select(is_fresh(taken)).add_cte(taken))


def _refuse_untimely(issued: object, nonce: object, nonces: Nonces, at: datetime) -> None:
    if isinstance(issued, bool) or not isinstance(issued, int | float) or not abs(issued) < LATEST_SECONDS:
        raise BadProof
    if nonce is not None:
        if not isinstance(nonce, str) or not nonce.isascii() or not nonces.live(nonce, at):
            raise nonces.refusal(at)
    elif not -OLDEST_SECONDS <= issued - at.timestamp() <= NEWEST_SECONDS:
        raise nonces.refusal(at)


@lru_cache(maxsize=4096)
def _key(head: str) -> tuple[ec.EllipticCurvePublicKey, str]:
    """The key in a proof's header, and its thumbprint. A phone sends the same header each time."""
    header = _object(head)
    jwk = header.get("jwk")
    if header.get("typ", "") != "dpop+jwt" or header.get("alg") != "ES256" or "crit" in header:
        raise BadProof
    if not isinstance(jwk, dict) or "d" in jwk or jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise BadProof
    # One key has one thumbprint only if there is one way to write it.
    if any(not isinstance(jwk.get(name), str) or _text(_bytes(jwk[name])) != jwk[name] for name in ("x", "y")):
        raise BadProof
    try:
        key = jwt.PyJWK({name: jwk[name] for name in ("kty", "crv", "x", "y")}, algorithm="ES256").key
    except (jwt.PyJWTError, ValueError) as error:
        raise BadProof from error
    canonical = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    return key, _text(hashlib.sha256(canonical.encode()).digest())


def _refuse_forged(key: ec.EllipticCurvePublicKey, signed: str, signature: str) -> None:
    raw = _bytes(signature)
    if len(raw) != 64:
        raise BadProof
    halves = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    try:
        key.verify(utils.encode_dss_signature(*halves), signed.encode(), _SHA256)
    except InvalidSignature as error:
        raise BadProof from error


def _same_address(said: object, url: str) -> bool:
    """Whether `htu` is `url`, both normalised and without query and fragment (RFC 9449 §4.3, RFC 3986 §6.2)."""
    return said == url or (isinstance(said, str) and _normal(said) == _normal(url))


def _normal(url: str) -> tuple[str, str | None, int | None, str] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:
        return None
    return parts.scheme, parts.hostname, port, unquote(parts.path) or "/"


def _hash(token: str) -> str:
    return _text(hashlib.sha256(token.encode()).digest())


def _object(segment: str) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(segment))
    except (ValueError, RecursionError) as error:
        raise BadProof from error
    if not isinstance(found, dict):
        raise BadProof
    return found


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadProof from error

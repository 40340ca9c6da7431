"""Which client a form at the OAuth endpoints comes from: the one whose key signed its assertion (`private_key_jwt`).

Whatever is wrong, known or not, the answer is one, and as many statements are asked: nobody learns which clients there
are. Only failures are counted, by address, and a right assertion is let pass however often others were wrong: strangers
lock no client out. An assertion opens something once, on every worker (RFC 7523 §3; SMART Backend Services 2.2).
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal
from uuid import UUID, uuid4

import jwt
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from limits import RateLimitItem
from sqlalchemy.dialects.postgresql import insert

from api import db, hotlines
from api.access import assertions, keyrings, public_keys, throttles
from api.access.assertions import AssertionRefused
from api.access.models import ApiClient, ClientKey, SpentAssertion
from api.access.public_keys import JWK
from api.access.windows import Counting
from api.oauth import InvalidClient

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
TOKEN_ENDPOINT = "/oauth/token"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Known:
    """A client that has proved itself. `scopes` are those it was registered for."""

    id: UUID
    kind: Literal["partner", "clinic"]
    scopes: tuple[str, ...]

    @property
    def caller(self) -> db.Caller:
        """The client as it acts at the token endpoints, where it comes without a token."""
        return db.Caller(kind=self.kind, client_id=self.id, scopes=frozenset(self.scopes))


_keys_by_url = keyrings.KeysByUrl()
_counting = Counting()
_failures: RateLimitItem = throttles.PER_ADDRESS


def use(failures: RateLimitItem) -> None:
    """Answer as many `failures` from an address, and those beyond with 429."""
    global _failures
    _failures = failures


def authenticate(form: Mapping[str, str], *, issuer: str, address: str, at: datetime) -> Known:
    """The client that `form` proves to be from; `issuer` is how we are called. No transaction may be open, as its keys
    may have to be fetched. Raises `oauth.InvalidClient`, `throttles.TooManyTries`, `errors.Unavailable`."""
    try:
        return _proven(form, issuer, at)
    except AssertionRefused as refused:
        _count_failure(address)
        raise InvalidClient from refused


def _proven(form: Mapping[str, str], issuer: str, at: datetime) -> Known:
    """Raises `AssertionRefused`."""
    assertion = form.get("client_assertion", "")
    named = assertions.unverified_issuer(assertion)
    client = _client(named)
    judged = assertions.verify(
        assertion,
        client_id=str(client.id) if client else named or "",
        keys=_keys(client, _header(assertion), at),
        audience=issuer + TOKEN_ENDPOINT if client and client.assertion_audience == "token_endpoint" else issuer,
        jwks_url=client.jwks_url if client else None,
        at=at,
    )
    if client is None or client.status != "active" or form.get("client_id", named) != named:
        raise AssertionRefused("issuer")
    if form.get("client_assertion_type") != JWT_BEARER:
        raise AssertionRefused("form")
    if not _spent(client.id, judged.jti):
        raise AssertionRefused("jti")
    return Known(client.id, client.kind, tuple(client.scopes))


def _client(named: str | None) -> Any:
    """The client's row with its keys, or None; asked for nobody's id where none can be meant."""
    try:
        client_id = UUID(named or "")
    except ValueError:
        client_id = uuid4()
    with db.transaction(db.Caller(kind="holder", client_id=client_id)) as session:
        return session.execute(_asking(), {"id": client_id}).one_or_none()


@cache
def _asking() -> sa.Select[Any]:
    keys = sa.select(
        sa.func.jsonb_agg(ClientKey.jwk.op("||")(sa.func.jsonb_build_object("retires_at", ClientKey.retires_at)))
    ).where(ClientKey.client_id == ApiClient.id)
    return sa.select(
        ApiClient.id,
        ApiClient.kind,
        ApiClient.status,
        ApiClient.scopes,
        ApiClient.assertion_audience,
        ApiClient.jwks_url,
        keys.scalar_subquery().label("keys"),
    ).where(ApiClient.id == sa.bindparam("id", type_=sa.Uuid))


def _header(assertion: str) -> tuple[str, str]:
    """Which key and algorithm it says to be signed with; nothing is proven by it."""
    try:
        header = jwt.get_unverified_header(assertion)
    except public_keys.UNREADABLE:
        return "", ""
    return str(header.get("kid")), str(header.get("alg"))


def _keys(client: Any, header: tuple[str, str], at: datetime) -> Sequence[Mapping[str, Any]]:
    """The client's keys at the moment. Where none fits the header, one that nobody holds: as much is computed then."""
    kid, algorithm = header
    found: list[JWK] = []
    if client is not None and client.jwks_url:
        found = _keys_by_url.get(client.jwks_url, kid=kid)
    elif client is not None:
        found = keyrings.by_value(client.keys or (), at=at)
    kind, curve = public_keys.ALGORITHMS.get(algorithm, ("RSA", None))
    fits = any((one.get("kid"), one.get("kty")) == (kid, kind) and curve in (None, one.get("crv")) for one in found)
    return found if fits else [{**_nobodys_key(curve), "kid": kid}]


@cache
def _nobodys_key(curve: str | None) -> JWK:
    """A key of a kind that clients have. The RSA modulus is just a number: there is no private key to it."""
    if curve is None:
        modulus = 1 << 2047 | secrets.randbits(2047) | 1
        return jwt.algorithms.RSAAlgorithm.to_jwk(rsa.RSAPublicNumbers(65537, modulus).public_key(), as_dict=True)
    made = ec.generate_private_key(ec.SECP384R1() if curve == "P-384" else ec.SECP256R1())
    return jwt.algorithms.ECAlgorithm.to_jwk(made.public_key(), as_dict=True)


def _spent(client_id: UUID, jti: str) -> bool:
    """Take the assertion in a statement of its own, which no rollback undoes; False when it was seen before."""
    digest = hashlib.sha256(client_id.bytes + jti.encode()).digest()
    (fresh,) = hotlines.current().ask(_spending(), {"assertion": UUID(bytes=digest[:16])})
    return fresh == b"t"


@cache
def _spending() -> hotlines.Prepared:
    seen = insert(SpentAssertion).values(id=sa.bindparam("assertion", type_=sa.Uuid)).on_conflict_do_nothing()
    taken = seen.returning(sa.true().label("fresh")).cte("spent")
    return hotlines.Prepared(sa.select(sa.exists(sa.select(taken.c.fresh))).add_cte(taken))


def _count_failure(address: str) -> None:
    """Raises `throttles.TooManyTries`."""
    [window] = _counting.take((_failures, ("failed clients", throttles.network(address))))
    if window.over:
        fields = throttles.fields([("address", window)])
        raise throttles.TooManyTries(headers={"Retry-After": str(window.seconds), **dict(fields)})

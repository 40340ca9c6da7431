"""The systems that may come in, and the keys that prove them: registered, rotated, suspended by the operator alone.

Everything here runs as the login that owns the tables, from a command line; no operation of the API can do any of it.
A client gives its public keys, or the address where it publishes them and rotates by itself. Each act is audited.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import audit, carriers, config, db, outward, vocabulary
from api.access import keyrings, public_keys
from api.access.models import ApiClient, ClientKey
from api.access.public_keys import JWK

KINDS = ("partner", "clinic")
# RFC 7523's update wants the issuer, SMART Backend Services 2.2 the token endpoint: each client says which it sends.
AUDIENCES = ("issuer", "token_endpoint")
OVERLAP = timedelta(hours=24)
# RFC 5321 §4.5.3.1.3, as RFC 3696's errata reckon it.
LONGEST_MAILBOX = 254


class Unfit(config.Misconfigured):
    """What the operator asked for cannot be; the message is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key by its name; nothing else about it is shown."""

    kid: str
    retires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listed:
    """A client as the operator sees it."""

    id: UUID
    kind: str
    partner_kind: str | None
    name: str
    scopes: tuple[str, ...]
    status: str
    contact: str | None
    audience: str
    jwks_url: str | None
    keys: tuple[Key, ...]


def register(
    *,
    kind: str,
    name: str,
    scopes: Iterable[str],
    jwks: Sequence[JWK] | None = None,
    jwks_url: str | None = None,
    audience: str = "issuer",
    partner_kind: str | None = None,
    contact: str | None = None,
) -> UUID:
    """A new client with either `jwks` or `jwks_url`; its id is what it signs its assertions as. `partner_kind` is what
    the clinic has verified a partner to be, `contact` a mailbox of those who look after it. Raises `Unfit`."""
    if (jwks is None) == (jwks_url is None):
        raise Unfit("A client has either keys or an address of keys.")
    if audience not in AUDIENCES:
        raise Unfit(f"The audience is one of: {', '.join(AUDIENCES)}.")
    if jwks_url is not None and (problem := outward.current().problem(jwks_url)):
        raise Unfit(f"The address of keys cannot be asked ({problem}).")
    _refuse_unfit(jwks)
    more = {"partner_kind": _verified(kind, partner_kind), "contact_email": _mailbox(contact)}
    client_id = _added(kind, name, scopes, jwks_url=jwks_url, assertion_audience=audience, **more)
    _keep(client_id, jwks or ())
    _note("register", "create", client_id)
    return client_id


def keep_keyless(*, kind: str, name: str, scopes: Iterable[str], partner_kind: str | None = None) -> UUID:
    """The client `name`, made or widened, without a key: nobody can prove to be it. The demo makes its tokens."""
    if known := db.session().scalar(sa.select(ApiClient).where(ApiClient.name == name)):
        known.scopes = _fitting(kind, scopes)
        return known.id
    client_id = _added(kind, name, scopes, partner_kind=_verified(kind, partner_kind))
    _note("register", "create", client_id)
    return client_id


def rotate(*, name: str, jwks: Sequence[JWK], overlap: timedelta = OVERLAP) -> UUID:
    """`jwks` are the client's keys from now on; its former ones still stand for `overlap`. Raises `Unfit`."""
    client = _locked(name)
    if client.jwks_url:
        raise Unfit("This client publishes its keys at an address, and rotates them there by itself.")
    if overlap < timedelta(0):
        raise Unfit("The overlap cannot be negative.")
    _refuse_unfit(jwks)
    _refuse_renamed(client.id, jwks)
    db.session().execute(
        sa.update(ClientKey)
        .where(ClientKey.client_id == client.id, ClientKey.kid.not_in([one["kid"] for one in jwks]))
        # One that retires sooner anyway keeps its time.
        .values(retires_at=sa.func.least(ClientKey.retires_at, sa.func.now() + overlap))
    )
    _keep(client.id, jwks)
    _note("rotate", "update", client.id)
    return client.id


def suspend(*, name: str) -> UUID:
    """Nothing that the client holds opens a door from the next request on. Raises `Unfit`."""
    return _set_status(name, "suspended", "suspend")


def resume(*, name: str) -> UUID:
    """Let a suspended client in again. Raises `Unfit`."""
    return _set_status(name, "active", "resume")


def set_partner_kind(*, name: str, partner_kind: str) -> UUID:
    """What the clinic has verified the partner to be, from the next reading on. Raises `Unfit`."""
    client = _locked(name)
    client.partner_kind = _verified(client.kind, partner_kind)
    _note("set-partner-kind", "update", client.id)
    return client.id


def set_contact(*, name: str, contact: str | None) -> UUID:
    """Who is written to when something of the client's does not work; None for nobody. Raises `Unfit`."""
    client = _locked(name)
    client.contact_email = _mailbox(contact)
    _note("set-contact", "update", client.id)
    return client.id


def listed() -> list[Listed]:
    """All clients by name, with the names of their keys."""
    keys: dict[UUID, list[Key]] = {}
    for row in db.session().execute(
        sa.select(ClientKey.client_id, ClientKey.kid, ClientKey.retires_at).order_by("kid")
    ):
        keys.setdefault(row.client_id, []).append(Key(row.kid, row.retires_at))
    clients = db.session().scalars(sa.select(ApiClient).order_by(ApiClient.name))
    return [_listed(one, keys.get(one.id, ())) for one in clients]


def _listed(client: ApiClient, keys: Iterable[Key]) -> Listed:
    return Listed(
        id=client.id,
        kind=client.kind,
        partner_kind=client.partner_kind,
        name=client.name,
        scopes=tuple(client.scopes),
        status=client.status,
        contact=client.contact_email,
        audience=client.assertion_audience,
        jwks_url=client.jwks_url,
        keys=tuple(keys),
    )


def _added(kind: str, name: str, scopes: Iterable[str], **more: Any) -> UUID:
    if not public_keys.is_name(name):
        raise Unfit("A name is a short text that can be shown.")
    values = {"id": db.uuid7(), "kind": kind, "name": name, "scopes": _fitting(kind, scopes), **more}
    added = insert(ApiClient).values(values).on_conflict_do_nothing(index_elements=["name"]).returning(ApiClient.id)
    if (client_id := db.session().scalar(added)) is None:
        raise Unfit("There is a client of that name.")
    return client_id


def _verified(kind: str, partner_kind: str | None) -> str | None:
    """Raises `Unfit`."""
    if kind != "partner" and partner_kind is not None:
        raise Unfit("Only a partner is of a kind of partners.")
    if kind == "partner" and partner_kind not in vocabulary.PARTNER_KINDS:
        raise Unfit(f"A partner is verified to be one of: {', '.join(vocabulary.PARTNER_KINDS)}.")
    return partner_kind


def _mailbox(contact: str | None) -> str | None:
    """Raises `Unfit`."""
    if contact is None or (carriers.MAILBOX.fullmatch(contact) and len(contact) <= LONGEST_MAILBOX):
        return contact
    raise Unfit("A contact is a mailbox, such as ops@partner.example.")


def _fitting(kind: str, scopes: Iterable[str]) -> list[str]:
    """`scopes` once each, in the order of the vocabulary. Raises `Unfit`."""
    if kind not in KINDS:
        raise Unfit(f"A client is one of: {', '.join(KINDS)}.")
    asked = set(scopes)
    if unknown := asked.difference(vocabulary.SCOPES[kind]):
        raise Unfit(f"These are not scopes of a {kind}: {', '.join(sorted(unknown))}.")
    if not asked:
        raise Unfit("A client without a scope could do nothing.")
    return [one for one in vocabulary.SCOPES[kind] if one in asked]


def _refuse_unfit(jwks: Sequence[JWK] | None) -> None:
    if jwks is None:
        return
    if not 0 < len(jwks) <= keyrings.MOST_KEYS:
        raise Unfit(f"A client has 1 to {keyrings.MOST_KEYS} keys.")
    for number, jwk in enumerate(jwks, 1):
        if problem := public_keys.jwk_problems(jwk):
            raise Unfit(f"Key {number} cannot be used: {problem}.")
    if len({one["kid"] for one in jwks}) < len(jwks):
        raise Unfit("Each key needs a kid of its own.")


def _refuse_renamed(client_id: UUID, jwks: Sequence[JWK]) -> None:
    """A name stands for one key for good: who kept the former would take the other for it (RFC 7517 §4.5)."""
    kids = [one["kid"] for one in jwks]
    found = sa.select(ClientKey.kid, ClientKey.jwk).where(ClientKey.client_id == client_id, ClientKey.kid.in_(kids))
    known = {row.kid: row.jwk for row in db.session().execute(found)}
    if any(_numbers(one) != _numbers(known[one["kid"]]) for one in jwks if one["kid"] in known):
        raise Unfit("A new key needs a new kid.")


def _numbers(jwk: JWK) -> Any:
    return public_keys.public(jwk).public_numbers()


def _keep(client_id: UUID, jwks: Sequence[JWK]) -> None:
    if not jwks:
        return
    rows = [{"client_id": client_id, "kid": one["kid"], "jwk": one} for one in jwks]
    again = {"retires_at": None}
    db.session().execute(insert(ClientKey).values(rows).on_conflict_do_update(constraint="pk_client_keys", set_=again))


def _locked(name: str) -> ApiClient:
    found = db.session().scalar(sa.select(ApiClient).where(ApiClient.name == name).with_for_update())
    if found is None:
        raise Unfit("There is no client of that name.")
    return found


def _set_status(name: str, status: str, verb: str) -> UUID:
    client = _locked(name)
    client.status = status
    _note(verb, "update", client.id)
    return client.id


def _note(verb: str, action: str, client_id: UUID) -> None:
    audit.record(db.OWNER, operation=f"clients.{verb}", action=action, resource_id=client_id)

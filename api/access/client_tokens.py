"""What a client that proved itself gets at the token endpoints: tokens of its own, whether one is good, and their end.

A grant is five minutes of what the client was registered for, or less (SMART Backend Services 2.2); there is nothing to
refresh. Introspection tells those who may not know no more than that a token is not active (RFC 7662 §2.2).
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.dialects.postgresql import insert

from api import audit, auth, db, vocabulary
from api.access.client_authentication import Known
from api.access.models import RevokedToken
from api.oauth import InvalidScope, InvalidTarget, UnauthorizedClient

INTROSPECTION = "tokens:introspect"
INACTIVE = {"active": False}
# RFC 7662 §2.2, with what bindings and sign-ins add (RFC 9449 §6.2, RFC 9470 §6.2).
TOLD = ("scope", "client_id", "exp", "iat", "sub", "aud", "iss", "jti", "cnf", "acr", "auth_time")

Form = Mapping[str, str]


def grant(form: Form, *, client: Known, tokens: auth.Tokens, issuer: str) -> dict[str, Any]:
    """An access token for `client` (RFC 6749 §4.4). Raises `oauth.InvalidScope`, `oauth.InvalidTarget`."""
    if form.get("resource", own := auth.audience(issuer, client.kind)) != own:
        raise InvalidTarget
    scopes = _granted(form.get("scope"), client)
    with db.transaction(client.caller):
        audit.record(client.caller, operation="requestToken", action="create")
    token = tokens.issue(kind=client.kind, subject=client.id, client_id=str(client.id), scopes=scopes)
    lifetime = int(auth.LIFETIMES[client.kind].total_seconds())
    return {"access_token": token, "token_type": "bearer", "expires_in": lifetime, "scope": " ".join(scopes)}


def introspect(form: Form, *, client: Known, tokens: auth.Tokens, at: datetime) -> dict[str, Any]:
    """What a token says, as long as it is good, to its own client and to those that may know of all."""
    if (found := _read(form["token"], tokens)) is None:
        return INACTIVE
    caller, claims = found
    if not (caller.client_id == client.id or _may_know_all(client)) or claims["exp"] <= at.timestamp():
        return INACTIVE
    if not _stands(caller):
        return INACTIVE
    told = {name: claims[name] for name in TOLD if name in claims}
    return {"active": True, "token_type": "DPoP" if caller.key else "Bearer", **told}


def revoke_access_token(token: str, *, client: Known, tokens: auth.Tokens) -> None:
    """End a token of the client's; what is none is ended already (RFC 7009 §2.2). Raises `oauth.UnauthorizedClient` for
    another's, which stays as it is (§2.1)."""
    if (found := _read(token, tokens)) is None:
        return
    caller, claims = found
    if caller.client_id != client.id:
        raise UnauthorizedClient
    values = {
        "id": db.token_key(claims["jti"]),
        "client_id": client.id,
        # Until then the token would be good: the row may be forgotten after that, and no sooner.
        "expires_at": datetime.fromtimestamp(claims["exp"], UTC) + timedelta(seconds=auth.LEEWAY_SECONDS),
    }
    with db.transaction(client.caller) as session:
        session.execute(insert(RevokedToken).values(values).on_conflict_do_nothing())
        audit.record(client.caller, operation="revokeToken", action="delete")


def _granted(asked: str | None, client: Known) -> list[str]:
    """All that the client may, or what it asks for of that: never less than it asked (RFC 6749 §3.3)."""
    registered = [one for one in vocabulary.SCOPES[client.kind] if one in client.scopes]
    wanted = registered if asked is None else asked.split()
    if not wanted or not set(wanted) <= set(registered):
        raise InvalidScope
    return [one for one in registered if one in wanted]


def _read(token: str, tokens: auth.Tokens) -> tuple[db.Caller, dict[str, Any]] | None:
    """Who holds `token` and what it says, if it is one of ours for any kind of caller."""
    for kind in auth.RESOURCES:
        try:
            return tokens.caller(token, kind=kind), tokens.claims(token, kind=kind)
        except auth.InvalidToken:
            continue
    return None


def _may_know_all(client: Known) -> bool:
    return client.kind == "clinic" and INTROSPECTION in client.scopes


def _stands(caller: db.Caller) -> bool:
    try:
        with db.transaction(caller):
            return True
    except db.SignedOut:
        return False

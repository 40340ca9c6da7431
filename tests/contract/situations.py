"""What may be wrong with a token or a proof, and what a protected operation then says: the table of RFC 6750 §3.1, of
RFC 9449 §7.1 and of RFC 9470 §3, as data.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from api import auth, clock, vocabulary
from api.contract import Operation
from tests.contract.bearers import ACTING, HOUR, Bearers, Headers
from tests.dpop import Key
from tests.system import ISSUER


@dataclass(frozen=True)
class Told:
    """What a refusal says; without `scheme`, in that of the kind of caller."""

    status: int
    slug: str
    error: str | None
    scheme: str | None = None


Case = tuple[Callable[[Bearers, Operation], Headers], Told]


def token(bearers: Bearers, operation: Operation, **of: Any) -> Headers:
    return bearers.headers(operation, bearers.token(operation.audience, **of))


def proved(bearers: Bearers, operation: Operation, **said: Any) -> Headers:
    return bearers.headers(operation, bearers.token("patient"), **said)


def of_another_kind(bearers: Bearers, operation: Operation) -> Headers:
    kind = "clinic" if operation.audience == "patient" else "patient"
    return bearers.headers(operation, bearers.token(kind))


def without_proof(bearers: Bearers, operation: Operation) -> Headers:
    return {"Authorization": f"DPoP {bearers.token('patient')}"}


def as_a_bearer(bearers: Bearers, operation: Operation) -> Headers:
    """RFC 9449 §7.2: with a proof or without."""
    sent = proved(bearers, operation)
    return {**sent, "Authorization": sent["Authorization"].replace("DPoP ", "Bearer ")}


def as_a_bound_one(bearers: Bearers, operation: Operation) -> Headers:
    held = bearers.token(operation.audience)
    return {"Authorization": f"DPoP {held}", "DPoP": bearers.proof(operation, held), **ACTING}


def of_long_ago(bearers: Bearers, operation: Operation, *, acr: str = "phr", ago: timedelta = HOUR) -> Headers:
    return token(bearers, operation, proved=auth.Proved(acr, ("hwk", "user"), clock.wall() - ago))


INVALID = Told(401, "invalid-token", "invalid_token")
BAD_PROOF = Told(401, "invalid-dpop-proof", "invalid_dpop_proof", "DPoP")
TOO_WEAK = Told(401, "step-up-required", "insufficient_user_authentication", "DPoP")
TOO_LITTLE = Told(403, "insufficient-scope", "insufficient_scope")
EVERYBODY: dict[str, Case] = {
    "nothing": (lambda *_: {}, Told(401, "authentication-required", None)),
    "another scheme": (lambda *_: {"Authorization": "Basic YTpi"}, Told(401, "authentication-required", None)),
    "no token": (lambda *_: {"Authorization": "Bearer "}, Told(401, "invalid-token", "invalid_token", "Bearer")),
    "nonsense": (lambda *_: {"Authorization": "Bearer x"}, Told(401, "invalid-token", "invalid_token", "Bearer")),
    "bound nonsense": (lambda *_: {"Authorization": "DPoP x.y.z"}, Told(401, "invalid-token", "invalid_token", "DPoP")),
    "another kind's": (of_another_kind, INVALID),
    "expired": (lambda b, o: b.headers(o, b.expired(o.audience)), Told(401, "token-expired", "invalid_token")),
    "ended": (partial(token, session="signed_out"), Told(401, "session-ended", "invalid_token")),
}
PATIENTS: dict[str, Case] = {
    "revoked": (partial(token, session="revoked"), Told(401, "session-revoked", "invalid_token")),
    "as a bearer": (as_a_bearer, Told(401, "invalid-token", "invalid_token", "Bearer")),
    "no proof": (without_proof, BAD_PROOF),
    "another key": (lambda b, o: proved(b, o, key=Key()), BAD_PROOF),
    "another method": (partial(proved, htm="TRACE"), BAD_PROOF),
    "another address": (partial(proved, htu=f"{ISSUER}/v1/me/nothing"), BAD_PROOF),
    "another token": (partial(proved, ath="x"), BAD_PROOF),
    "a slow clock": (lambda b, o: proved(b, o, at=clock.wall() - HOUR), Told(401, "use-dpop-nonce", "use_dpop_nonce")),
    "an unknown nonce": (partial(proved, nonce="x"), Told(401, "use-dpop-nonce", "use_dpop_nonce")),
}
SYSTEMS: dict[str, Case] = {
    "as a bound one": (as_a_bound_one, Told(401, "invalid-token", "invalid_token", "DPoP")),
}
FRESH: dict[str, Case] = {
    "long ago": (of_long_ago, TOO_WEAK),
    "weak": (lambda b, o: of_long_ago(b, o, acr=vocabulary.ACRS[0], ago=timedelta()), TOO_WEAK),
    "untold": (partial(token, proved=None), TOO_WEAK),
}


def cases(operation: Operation) -> dict[str, Case]:
    own = PATIENTS if operation.audience == "patient" else SYSTEMS
    too_little = {f"without {one}": (partial(token, without=one), TOO_LITTLE) for one in operation.scopes}
    return {**EVERYBODY, **too_little, **own, **(FRESH if operation.steps_up else {})}

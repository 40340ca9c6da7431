"""Who asks: the kinds of callers, how one is named to the database, and whether it still stands.

A role for the kind and settings for the ids are what row-level security answers to. Everybody else finds these names in
`db`, beside the transactions that they are for.
"""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import psycopg
import sqlalchemy as sa

from api import direct, errors
from api.direct import Statement


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. `kind` decides the role and so the policies; the ids are what the policies compare.

    `token_id` is set on callers that came with an access token: their standing (is the app session
    still open, the client still active) is asked of the database in every transaction. `key` is the thumbprint of the
    key that the token is bound to, `proof` the id of the proof that came with it. `app`, `acr` and `authenticated_at`
    (seconds since 1970) tell where, how and when a patient proved who they are. A `holder` is nobody yet: it sees the
    rows whose stored hash is what it `presented`.
    """

    kind: str
    patient_id: uuid.UUID | None = None
    client_id: uuid.UUID | None = None
    app_session_id: uuid.UUID | None = None
    token_id: str | None = None
    scopes: frozenset[str] = frozenset()
    acting_user: str | None = None
    acting_role: str | None = None
    presented: bytes | None = None
    app: str | None = None
    key: str | None = None
    proof: uuid.UUID | None = None
    acr: str | None = None
    authenticated_at: int | None = None


PUBLIC = Caller(kind="public")
WORKER = Caller(kind="worker")
SYSTEM = Caller(kind="clinic", acting_user="system", acting_role="system")
OWNER = Caller(kind="owner", acting_user="operator", acting_role="command line")

ROLES = {kind: f"continuum_{kind}" for kind in ("clinic", "partner", "worker", "gate", "holder")}
# What partners ask, and the gate for them, is of one client's rows and few of them: the plan of one is the plan of all,
# and planning each anew would take longer than running it.
PLANNED_ONCE = ("partner", "gate")
STANDS = "open"

# How to ask whether a caller still stands, by kind: a scalar select correlated with the `caller` row, which gives
# `STANDS`, or `ended`, `revoked`, or NULL. The access slice owns the tables, so app.py hands it in.
Standing = Callable[[Any], "sa.ScalarSelect[str]"]
_standing: dict[str, Standing] = {}


class SignedOut(errors.Unauthenticated):
    """The token is in order, but its app session or client no longer stands."""

    slug = "session-ended"
    title = "Please sign in again"
    detail = "This sign-in has ended. Please sign in again."
    title_es = "Vuelva a iniciar sesión"
    detail_es = "Esta sesión ha terminado. Vuelva a iniciarla."
    challenge = {"error": "invalid_token"}


class SessionRevoked(SignedOut):
    """The app session was ended from elsewhere: what the phone keeps of it is to be wiped."""

    title = "This phone was signed out"
    detail = "This phone was signed out from elsewhere. What it kept is removed; please sign in again."
    title_es = "Se cerró la sesión de este teléfono"
    detail_es = "La sesión se cerró desde otro lugar. Lo que el teléfono guardaba se borra; vuelva a iniciarla."


def standing(kind: str, caller: Any) -> "sa.ScalarSelect[str]":
    """How `caller`, a row with `id`, `app_session_id` and, for clients, `token`, stands."""
    return _standing[kind](caller)


def refuse_unless(standing: str | None) -> None:
    """Raises `SignedOut`, or `SessionRevoked`, for whoever does not stand."""
    if standing != STANDS:
        raise SessionRevoked if standing == "revoked" else SignedOut


def token_key(token_id: str) -> uuid.UUID:
    """The id under which a token is revoked, made of its `jti`."""
    return uuid.UUID(bytes=hashlib.sha256(token_id.encode()).digest()[:16])


def ask_standing(kind: str, statement: Standing) -> None:
    """Use `statement` to ask whether a caller of `kind` still stands."""
    _standing[kind] = statement
    _standing_of.cache_clear()
    _naming_of_patient.cache_clear()


def name(driver: psycopg.Connection[Any], caller: Caller) -> str | None:
    """Write the caller into the transaction, which begins if none is running, and ask how it stands: one trip.

    A role is entered by a statement of its own, because rights are fixed when a statement begins. Patients keep the
    login's role, so that theirs is one statement: its materialised row sets the caller before the standing is asked.
    Raises psycopg's errors, and `direct.Outdated`.
    """
    role = ROLES.get(caller.kind, "none")
    direct.speak_as(driver, role)
    ids = {"patient_id": str(caller.patient_id or "")}
    if caller.kind == "patient" and caller.token_id:
        asked = {**ids, "app_session_id": caller.app_session_id}
        return _only(direct.in_one_trip(driver, [(_naming_of_patient(), asked)])[0].rows())
    ids |= {"client_id": str(caller.client_id or ""), "presented": (caller.presented or b"").hex()}
    plans = "force_generic_plan" if caller.kind in PLANNED_ONCE else "auto"
    asks: list[tuple[Statement, dict[str, Any]]] = [(_NAMING, {"role": role, "plans": plans, **ids})]
    if caller.token_id is not None:
        asked = {"id": caller.patient_id or caller.client_id, "token": token_key(caller.token_id)}
        asks.append((_standing_of(caller.kind), asked))
    _, *standing = (answer.rows() for answer in direct.in_one_trip(driver, asks))
    return _only(standing[0]) if standing else STANDS


def _only(rows: list[Any]) -> str | None:
    """The standing that was found."""
    return rows[0][0] if rows else None


_NAMING = Statement(
    "SELECT set_config('role', %(role)s, true), set_config('app.patient_id', %(patient_id)s, true),"
    " set_config('app.client_id', %(client_id)s, true), set_config('app.presented', %(presented)s, true),"
    " set_config('plan_cache_mode', %(plans)s, true)"
)


@cache
def _naming_of_patient() -> Statement:
    named = sa.func.set_config("app.patient_id", sa.bindparam("patient_id", type_=sa.Text), True)
    session_id = sa.bindparam("app_session_id", type_=sa.Uuid).label("app_session_id")
    row = sa.select(sa.cast(named, sa.Uuid).label("id"), session_id).cte("caller").prefix_with("MATERIALIZED")
    return Statement(sa.select(standing("patient", row)).select_from(row))


@cache
def _standing_of(kind: str) -> Statement:
    """How the caller of this kind stands; built once, because building it takes longer than running it."""
    named = (sa.bindparam(name, type_=sa.Uuid).label(name) for name in ("id", "token"))
    row = sa.select(*named, sa.null().label("app_session_id")).subquery("caller")
    return Statement(sa.select(standing(kind, row)).select_from(row))

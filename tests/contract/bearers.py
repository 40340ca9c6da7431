"""Who asks in the tests of refusals: a patient with a phone, and a system of each other kind, with any token."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from api import auth, clock, config, db, vocabulary
from api.access import service as access
from api.app import Continuum
from api.contract import Operation
from api.patients import service as patients
from tests.conftest import add_client, sweep
from tests.dpop import Key
from tests.system import ISSUER

NOBODYS = "0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01"
ACTING = {"Acting-User": '"u-17";role=counselor'}
HOUR = timedelta(hours=1)

Headers = dict[str, str]


@dataclass
class Bearers:
    """A patient with a phone whose key is `key`, and a system of each other kind; `ended` no longer stand."""

    app: Continuum
    key: Key
    standing: dict[str, UUID]
    sessions: dict[str, UUID]
    suspended: dict[str, UUID]

    def token(self, kind: str, *, without: str | None = None, session: str = "open", **of: Any) -> str:
        """A token of that kind, with every scope but the one that it is `without`."""
        patient = kind == "patient"
        subject = (self.suspended if session != "open" and not patient else self.standing)[kind]
        known: dict[str, Any] = {
            "client_id": config.DEMO_APP if patient else str(subject),
            "sid": self.sessions[session] if patient else None,
            "key": self.key.thumbprint if patient else None,
            "proved": auth.Proved("phr", ("hwk", "user"), clock.wall()) if patient else None,
        }
        scopes = [one for one in vocabulary.SCOPES[kind] if one != without]
        issued: str = self.app.extensions["tokens"].issue(kind=kind, subject=subject, scopes=scopes, **{**known, **of})
        return issued

    def expired(self, kind: str) -> str:
        with pytest.MonkeyPatch.context() as patched:
            now = clock.wall()
            patched.setattr(clock, "wall", lambda: now - HOUR)
            return self.token(kind)

    def headers(self, operation: Operation, token: str, **proof: Any) -> Headers:
        """The token as its kind sends it, and for patients a proof, with what of it is to be said otherwise."""
        if operation.audience != "patient":
            return {"Authorization": f"Bearer {token}", **ACTING}
        return {"Authorization": f"DPoP {token}", "DPoP": self.proof(operation, token, **proof)}

    def proof(self, operation: Operation, token: str, *, key: Key | None = None, **said: Any) -> str:
        return (key or self.key).proof(operation.method, ISSUER + address(operation), token=token, **said)


def address(operation: Operation) -> str:
    return re.sub(r"\{[a-z_]+\}", NOBODYS, operation.path)


@pytest.fixture(scope="module")
def bearers(app: Continuum, superuser: psycopg.Connection[Any]) -> Iterator[Bearers]:
    with db.transaction(db.SYSTEM):
        patient_id = patients.upsert(external_id="EHR-100234", at=clock.now()).id
    sessions = {name: opened(patient_id) for name in ("open", "signed_out", "revoked")}
    for reason in ("signed_out", "revoked"):
        ended = "UPDATE app_sessions SET ended_at = now(), end_reason = %s WHERE id = %s"
        superuser.execute(ended, [reason, sessions[reason]])
    systems = {name: clients(superuser, name) for name in ("active", "suspended")}
    superuser.execute("UPDATE api_clients SET status = 'suspended' WHERE name LIKE 'suspended%'")
    yield Bearers(app, Key(), {"patient": patient_id, **systems["active"]}, sessions, systems["suspended"])
    sweep(superuser)


def opened(patient_id: UUID) -> UUID:
    """A new app session."""
    with db.transaction(db.Caller(kind="patient", patient_id=patient_id)):
        return access.open_app_session(patient_id=patient_id, client_id=config.DEMO_APP).id


def clients(superuser: psycopg.Connection[Any], name: str) -> dict[str, UUID]:
    return {
        kind: add_client(superuser, kind=kind, name=f"{name} {kind}", scopes=vocabulary.SCOPES[kind])
        for kind in ("partner", "clinic")
    }

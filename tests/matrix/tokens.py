"""What each caller of the matrix sends along: tokens, proofs, and the keys of clients, for one furnished clinic."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from api import auth, clock, config, vocabulary
from api.app import Continuum
from tests.access.conftest import ADDRESS
from tests.conftest import add_client, sign_in
from tests.dpop import Key
from tests.knocking import Knocker
from tests.matrix.callers import CALLERS, SYSTEMS
from tests.phone import APP, Phone
from tests.referrals import things as referrals
from tests.system import System
from tests.webhooks import things as webhooks

Headers = dict[str, str]
ACTING = {"Acting-User": '"u-17";role=counselor'}
INTROSPECT = "tokens:introspect"
# How the app sessions of some callers came to their end.
ENDS = {
    "patient whose app session was revoked": "ended_at = now(), end_reason = 'revoked'",
    "patient whose app session ended": "ended_at = now(), end_reason = 'signed_out'",
    "patient whose app session ran out": "expires_at = now() - interval '1 second'",
}
# What is said of the sign-in of some; that of the others was strong, and just now.
SIGN_INS: dict[str, tuple[str, timedelta] | None] = {
    "patient of ten minutes ago": (vocabulary.STRONG_ACRS[-1], timedelta(minutes=10)),
    "patient who proved little": (vocabulary.ACRS[0], timedelta()),
    "patient of whose sign-in nothing is told": None,
}
REVOKED = ("partner with a revoked token", "clinic with a revoked token")
STRONG_NOW = (vocabulary.STRONG_ACRS[-1], timedelta())


@dataclass
class Bearers:
    """`sam` owns the demo data and holds `phone`; `robin` is the other patient."""

    app: Continuum
    superuser: psycopg.Connection[Any]
    sam: Knocker
    robin: Knocker
    phone: Phone
    systems: dict[str, System] = field(default_factory=dict)
    sessions: dict[str, uuid.UUID | None] = field(default_factory=dict)
    registered: dict[str, set[str]] = field(default_factory=dict)
    issued: dict[tuple[str, str | None], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.systems = {name: self._registered(name) for name in SYSTEMS}
        webhooks.furnish(self.superuser, self.systems["partner"].client_id)
        referrals.furnish(self.superuser, self.systems["partner"].client_id, self.sam.id)
        self.sessions = {name: self._app_session(end) for name, end in ENDS.items()}
        self.sessions["patient with another's app session"] = self.robin.app_session_id
        for name in REVOKED:
            self.token(name)

    def headers(self, name: str, *, scope: str | None, method: str, path: str) -> Headers:
        """What the caller `name` sends along where `scope` is asked for."""
        held = self.phone.tokens["access_token"]
        keys = {"patient's phone": self.phone.key, "patient with another phone's proof": Key()}
        if name in keys:
            return {"Authorization": f"DPoP {held}", "DPoP": keys[name].proof(method, ADDRESS + path, token=held)}
        if name == "nobody":
            return {}
        bound = name == "patient with a bound token as bearer"
        acting = ACTING if name in self.systems else {}
        return {**acting, "Authorization": f"Bearer {held if bound else self.token(name, scope)}"}

    def token(self, name: str, scope: str | None = None) -> str:
        """The caller's access token; without the last of `scope` where it is one who lacks that."""
        asked = (name, None if CALLERS[name].scoped else scope)
        if asked not in self.issued:
            self.issued[asked] = self._issued(name, scope)
        return self.issued[asked]

    def _issued(self, name: str, scope: str | None) -> str:
        caller = CALLERS[name]
        assert caller.kind
        last = (scope or "").rpartition(" ")[2]
        scopes = [one for one in vocabulary.SCOPES[caller.kind] if caller.scoped or one != last]
        told = {"kind": caller.kind, "scopes": scopes, **(self._system(name) if caller.system else self._patient(name))}
        if name == "patient with an expired token":
            return self._an_hour_ago(told)
        token: str = self.app.extensions["tokens"].issue(**told)
        if name in REVOKED:
            revoked = self.app.test_client().post("/oauth/revoke", data=self.systems[name].form(token=token))
            assert revoked.status_code == 200, revoked.text
        return token

    def _system(self, name: str) -> Mapping[str, Any]:
        client_id = self.systems[name].client_id
        return {"subject": uuid.UUID(client_id), "client_id": client_id}

    def _patient(self, name: str) -> Mapping[str, Any]:
        who = self.robin if name == "other patient" else self.sam
        said = SIGN_INS.get(name, STRONG_NOW)
        return {
            "subject": who.id,
            "sid": self.sessions.get(name, who.app_session_id),
            "client_id": APP if name == "patient with an unbound token of the app" else config.DEMO_APP,
            "proved": said and auth.Proved(said[0], ("hwk", "user"), clock.wall() - said[1]),
        }

    def _an_hour_ago(self, told: Mapping[str, Any]) -> str:
        then = clock.wall() - timedelta(hours=1)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(clock, "wall", lambda: then)
            token: str = self.app.extensions["tokens"].issue(**told)
        return token

    def _registered(self, name: str) -> System:
        """A client with a key. Ids are made by the house and never chosen: one like a patient's is an accident."""
        caller, patient = CALLERS[name], self.robin if name.startswith("clinic") else self.sam
        assert caller.kind
        scopes = {one for one in vocabulary.SCOPES[caller.kind] if caller.scoped or one != INTROSPECT}
        self.registered[name] = scopes
        called = str(patient.id) if name.endswith("named like a patient") else name
        client_id = add_client(self.superuser, kind=caller.kind, name=called, scopes=scopes)
        if name.endswith("with a patient's id"):
            self.superuser.execute("UPDATE api_clients SET id = %s WHERE id = %s", [patient.id, client_id])
            client_id = patient.id or client_id
        if caller.suspended:
            self.superuser.execute("UPDATE api_clients SET status = 'suspended' WHERE id = %s", [client_id])
        system = System(client_id)
        keys = "INSERT INTO client_keys (client_id, kid, jwk) VALUES (%s, %s, %s)"
        self.superuser.execute(keys, [client_id, system.kid, Jsonb(system.jwk)])
        return system

    def _app_session(self, end: str) -> uuid.UUID | None:
        assert self.sam.id
        made = sign_in(self.app, self.sam.id).app_session_id
        self.superuser.execute(f"UPDATE app_sessions SET {end} WHERE id = %s", [made])
        return made


def signed_in_again(app: Continuum, sam: Knocker, new_phone: Callable[[], Phone], clinic: Knocker) -> Phone:
    """A phone of the patient's own, activated by the clinic's code beside what is there."""
    path = f"/v1/clinic/patients/{sam.external_id}/activation-codes"
    code = clinic.post(path, json={"handed_over": "in_person"}).json["code"]
    phone = new_phone()
    phone.activate(code, keep_authenticators="true")
    return phone

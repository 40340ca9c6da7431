"""Whether a token is good is told to its own client, and to the clinic's gateways; everybody else hears one word."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import jwt
import pytest
from werkzeug.test import TestResponse

from api import auth, clock, config, db, vocabulary
from api.access import service as access
from api.app import Continuum
from tests.access.test_client_tokens import NewSystem, error, new_system, revoked, token
from tests.knocking import Knocker
from tests.system import ISSUER, System

__all__ = ["new_system"]

SQL = Callable[..., list[tuple[Any, ...]]]
THUMBPRINT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
INACTIVE = b'{"active":false}'


@pytest.fixture
def gateway(new_system: NewSystem) -> System:
    return new_system("Gateway", scopes=["tokens:introspect"])


@pytest.fixture
def record_system(new_system: NewSystem) -> System:
    return new_system("Record system", scopes=["patients:read", "alerts:read"])


def asked(visitor: Knocker, system: System, token: str, **changed: Any) -> TestResponse:
    return visitor.post("/oauth/introspect", key="", data=system.form(token=token, **changed))


def test_a_system_asks_about_its_own(visitor: Knocker, record_system: System) -> None:
    answer = asked(visitor, record_system, mine := token(visitor, record_system))
    said = jwt.decode(mine, options={"verify_signature": False})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json == {
        "active": True,
        "scope": "patients:read alerts:read",
        "client_id": record_system.client_id,
        "token_type": "Bearer",
        "exp": said["exp"],
        "iat": said["iat"],
        "sub": record_system.client_id,
        "aud": f"{ISSUER}/v1/clinic",
        "iss": ISSUER,
        "jti": said["jti"],
    }


def test_a_partner_asks_about_its_own(visitor: Knocker, new_system: NewSystem) -> None:
    north = new_system("North", "partner", ["capacity:read"])
    assert asked(visitor, north, token(visitor, north)).json["aud"] == f"{ISSUER}/v1/partner"


def test_a_gateway_asks_about_any(visitor: Knocker, gateway: System, record_system: System, patient: Knocker) -> None:
    assert asked(visitor, gateway, token(visitor, record_system)).json["client_id"] == record_system.client_id
    told = asked(visitor, gateway, patient.headers["Authorization"].split()[1]).json
    assert (told["active"], told["sub"], told["client_id"]) == (True, str(patient.id), config.DEMO_APP)
    assert told["token_type"] == "Bearer" and "sid" not in told


def test_a_phones_token_tells_its_key_and_how_the_patient_signed_in(
    app: Continuum, visitor: Knocker, gateway: System, patient: Knocker
) -> None:
    proved = auth.Proved("phr", ("hwk", "user"), datetime(2026, 11, 1, 12, tzinfo=UTC))
    assert patient.id and patient.app_session_id
    bound = app.extensions["tokens"].issue(
        kind="patient", subject=patient.id, client_id="continuum-app", scopes=["me:read"], sid=patient.app_session_id,
        key=THUMBPRINT, proved=proved,
    )  # fmt: skip
    told = asked(visitor, gateway, bound).json
    assert (told["token_type"], told["cnf"], told["scope"]) == ("DPoP", {"jkt": THUMBPRINT}, "me:read")
    assert (told["acr"], told["auth_time"]) == ("phr", int(proved.at.timestamp()))


def test_others_hear_no_more_than_of_nonsense(
    visitor: Knocker, record_system: System, new_system: NewSystem, patient: Knocker, gateway: System
) -> None:
    north = new_system("North", "partner", ["capacity:read"])
    theirs = (token(visitor, record_system), token(visitor, gateway), patient.headers["Authorization"].split()[1])
    for one in (*theirs, "nonsense"):
        assert asked(visitor, north, one).data == INACTIVE
    for one in (token(visitor, north), *theirs[1:]):
        assert asked(visitor, record_system, one).data == INACTIVE


def test_a_partner_may_not_know_all_whatever_it_was_given(
    visitor: Knocker, new_system: NewSystem, record_system: System
) -> None:
    north = new_system("North", "partner", ["capacity:read", "tokens:introspect"])
    assert asked(visitor, north, token(visitor, record_system)).data == INACTIVE


@pytest.mark.parametrize("nonsense", ["nonsense", "a.b.c", "...", "é", "0" * 5000, "bnVsbA.bnVsbA."])
def test_what_is_no_token_is_not_active(visitor: Knocker, gateway: System, nonsense: str) -> None:
    answer = asked(visitor, gateway, nonsense, token_type_hint="nonsense")
    assert (answer.status_code, answer.data) == (200, INACTIVE)


def signed(app: Continuum, claims: dict[str, Any], **header: Any) -> str:
    key = app.extensions["keys"].current().signing(clock.wall())
    return jwt.encode(claims, key.private, algorithm="ES256", headers={"typ": "at+jwt", "kid": key.kid, **header})


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": int(time.time()) - 10_000},
        {"iss": "https://elsewhere.example"},
        {"aud": f"{ISSUER}/v1/partner"},
        {"aud": ISSUER},
        {"kind": "partner"},
        {"kind": "patient"},
        {"sub": str(uuid4())},
        {"sub": "nobody"},
        {"jti": None},
    ],
)
def test_a_token_with_one_wrong_claim_is_not_active(
    app: Continuum, visitor: Knocker, gateway: System, record_system: System, changed: dict[str, Any]
) -> None:
    claims = jwt.decode(token(visitor, record_system), options={"verify_signature": False})
    assert asked(visitor, gateway, signed(app, claims)).json["active"] is True
    wrong = {name: value for name, value in {**claims, **changed}.items() if value is not None}
    assert asked(visitor, gateway, signed(app, wrong)).data == INACTIVE


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"kid": "unknown"}, {"crit": ["x"], "x": 1}])
def test_a_token_with_another_header_is_not_active(
    app: Continuum, visitor: Knocker, gateway: System, record_system: System, header: dict[str, Any]
) -> None:
    claims = jwt.decode(token(visitor, record_system), options={"verify_signature": False})
    assert asked(visitor, gateway, signed(app, claims, **header)).data == INACTIVE


def test_a_token_ends_here_to_the_second(app: Continuum, visitor: Knocker, gateway: System) -> None:
    """Doors let another half minute pass for clocks that differ; who asks here is told what the token says."""
    claims = jwt.decode(token(visitor, gateway), options={"verify_signature": False})
    just_over = signed(app, {**claims, "exp": int(time.time()) - 1})
    assert app.extensions["tokens"].claims(just_over, kind="clinic")
    assert asked(visitor, gateway, just_over).data == INACTIVE


def test_what_no_longer_stands_is_not_active(
    visitor: Knocker, gateway: System, record_system: System, patient: Knocker, owner_sql: SQL
) -> None:
    revoked(visitor, record_system, ended := token(visitor, record_system))
    assert asked(visitor, gateway, ended).data == INACTIVE
    standing = token(visitor, record_system)
    owner_sql("UPDATE api_clients SET status = 'suspended' WHERE name = 'Record system'")
    assert asked(visitor, gateway, standing).data == INACTIVE
    of_patient = patient.headers["Authorization"].split()[1]
    owner_sql("UPDATE app_sessions SET ended_at = now(), end_reason = 'revoked'")
    assert asked(visitor, gateway, of_patient).data == INACTIVE


def test_a_session_of_somebody_else_makes_no_token_active(
    app: Continuum, visitor: Knocker, gateway: System, patient: Knocker, other_patient: Knocker
) -> None:
    assert patient.id and other_patient.id
    with db.transaction(db.Caller(kind="patient", patient_id=other_patient.id)):
        theirs = access.open_app_session(patient_id=other_patient.id, client_id=config.DEMO_APP).id
    mixed = app.extensions["tokens"].issue(
        kind="patient", subject=patient.id, client_id="x", scopes=vocabulary.PATIENT_SCOPES, sid=theirs
    )
    assert asked(visitor, gateway, mixed).data == INACTIVE


def test_nobody_asks_without_proving_who_they_are(visitor: Knocker, gateway: System) -> None:
    mine = token(visitor, gateway)
    for form in (
        {"token": mine},
        {"token": mine, "client_id": gateway.client_id},
        System(gateway.client_id).form(token=mine),
    ):
        answer = visitor.post("/oauth/introspect", key="", data=form)
        assert error(answer) == (401, "invalid_client") and "WWW-Authenticate" in answer.headers


def test_an_assertion_spent_on_a_token_opens_no_introspection(visitor: Knocker, gateway: System) -> None:
    form = gateway.form(grant_type="client_credentials")
    mine = visitor.post("/oauth/token", key="", data=form).json["access_token"]
    assert visitor.post("/oauth/introspect", key="", data={**form, "token": mine}).status_code == 401


def test_a_question_without_a_token_is_malformed(visitor: Knocker, gateway: System) -> None:
    answer = visitor.post("/oauth/introspect", key="", data=gateway.form())
    assert error(answer) == (400, "invalid_request")

"""A system that proves itself gets five minutes of what it was registered for, and can end them sooner."""

import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import jwt
import psycopg
import pytest
from psycopg.types.json import Jsonb
from werkzeug.test import TestResponse

from api import auth, vocabulary
from api.app import Continuum
from tests.conftest import add_client
from tests.knocking import Knocker
from tests.system import ISSUER, JWT_BEARER, System

SQL = Callable[..., list[tuple[Any, ...]]]
NewSystem = Callable[..., System]


@pytest.fixture
def new_system(app: Continuum, superuser: psycopg.Connection[Any]) -> NewSystem:
    """Makes registered systems, of the clinic with all scopes unless said otherwise."""

    def make(name: str = "Ours", kind: str = "clinic", scopes: Any = vocabulary.CLINIC_SCOPES, **of: Any) -> System:
        system = System(add_client(superuser, kind=kind, name=name, scopes=scopes), **of)
        keys = "INSERT INTO client_keys (client_id, kid, jwk) VALUES (%s, %s, %s)"
        superuser.execute(keys, [system.client_id, system.kid, Jsonb(system.jwk)])
        return system

    return make


@pytest.fixture
def ours(new_system: NewSystem) -> System:
    return new_system()


def granted(visitor: Knocker, system: System, **changed: Any) -> TestResponse:
    return visitor.post("/oauth/token", key="", data=system.form(grant_type="client_credentials", **changed))


def token(visitor: Knocker, system: System, **changed: Any) -> str:
    said: str = granted(visitor, system, **changed).json["access_token"]
    return said


def revoked(visitor: Knocker, system: System, token: str, **changed: Any) -> TestResponse:
    return visitor.post("/oauth/revoke", key="", data=system.form(token=token, **changed))


def opens(visitor: Knocker, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}", "Acting-User": '"u-17";role=counselor'}
    answer = visitor.get("/v1/clinic/alerts", headers=headers)
    assert answer.status_code in (200, 401)
    return answer.status_code == 200


def error(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]


def test_a_grant_has_the_four_members_of_smart_and_no_others(visitor: Knocker, new_system: NewSystem) -> None:
    north = new_system("North", "partner", ["capacity:read"])
    answer = granted(visitor, north)
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    assert {**answer.json, "access_token": ""} == {
        "access_token": "", "token_type": "bearer", "expires_in": 300, "scope": "capacity:read",
    }  # fmt: skip


def test_the_token_says_who_and_for_what(visitor: Knocker, ours: System) -> None:
    said = jwt.decode(token(visitor, ours), options={"verify_signature": False})
    assert (said["sub"], said["client_id"], said["kind"]) == (ours.client_id, ours.client_id, "clinic")
    assert (said["aud"], said["exp"] - said["iat"]) == (f"{ISSUER}/v1/clinic", 300)
    assert said["scope"].split() == list(vocabulary.CLINIC_SCOPES)


def test_the_token_opens_the_door(visitor: Knocker, ours: System) -> None:
    assert opens(visitor, token(visitor, ours))


@pytest.mark.parametrize(
    ("asked", "scopes"),
    [
        ("alerts:read", "alerts:read"),
        ("audit:read alerts:read", "alerts:read audit:read"),
        ("alerts:read alerts:read", "alerts:read"),
        ("", "alerts:read audit:read"),
    ],
)
def test_a_grant_may_be_narrower(visitor: Knocker, new_system: NewSystem, asked: str, scopes: str) -> None:
    system = new_system(scopes=["alerts:read", "audit:read"])
    assert granted(visitor, system, scope=asked).json["scope"] == scopes


@pytest.mark.parametrize("asked", ["patients:read", "alerts:read patients:read", "nothing:known", "me:read", "alerts"])
def test_a_grant_is_never_wider(visitor: Knocker, new_system: NewSystem, asked: str) -> None:
    system = new_system(scopes=["alerts:read", "audit:read"])
    assert error(granted(visitor, system, scope=asked)) == (400, "invalid_scope")


def test_a_scope_that_no_longer_exists_is_not_granted(visitor: Knocker, new_system: NewSystem) -> None:
    system = new_system(scopes=["former:read", "alerts:read"])
    assert granted(visitor, system).json["scope"] == "alerts:read"
    assert error(granted(visitor, new_system("Former", scopes=["former:read"]))) == (400, "invalid_scope")


def test_a_grant_may_name_its_own_resource_and_no_other(visitor: Knocker, ours: System) -> None:
    assert granted(visitor, ours, resource=f"{ISSUER}/v1/clinic").status_code == 200
    for other in (f"{ISSUER}/v1/partner", f"{ISSUER}/v1/me", ISSUER, "https://elsewhere.example"):
        assert error(granted(visitor, ours, resource=other)) == (400, "invalid_target")


def test_a_grant_is_audited(visitor: Knocker, ours: System, new_system: NewSystem, owner_sql: SQL) -> None:
    north = new_system("North", "partner", ["capacity:read"])
    for system in (ours, north):
        token(visitor, system)
    assert owner_sql("SELECT operation, action, caller_kind, client_id, outcome FROM audit_events ORDER BY id") == [
        ("requestToken", "create", kind, UUID(system.client_id), "done")
        for kind, system in (("clinic", ours), ("partner", north))
    ]


# Inferno's SMART Backend Services cases, beside those of test_client_authentication.
@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"grant_type": "not_a_grant_type"}, 400, "unsupported_grant_type"),
        ({"client_assertion_type": "not_an_assertion_type"}, 401, "invalid_client"),
        ({"client_assertion_type": None}, 401, "invalid_client"),
        ({"client_assertion": "not_a_jwt"}, 401, "invalid_client"),
        ({"client_assertion": None}, 401, "invalid_client"),
        ({"client_id": str(uuid4())}, 401, "invalid_client"),
    ],
)
def test_a_bad_request_for_a_token(
    visitor: Knocker, ours: System, changed: dict[str, Any], status: int, code: str
) -> None:
    form = ours.form(**{"grant_type": "client_credentials", **changed})
    answer = visitor.post("/oauth/token", key="", data=form)
    assert error(answer) == (status, code)
    assert "access_token" not in answer.json


def test_an_assertion_is_refused_the_second_time_by_http(visitor: Knocker, ours: System) -> None:
    form = {"client_assertion_type": JWT_BEARER, "client_assertion": ours.assertion()}
    asked = [visitor.post("/oauth/token", key="", data={"grant_type": "client_credentials", **form}) for _ in range(2)]
    assert [one.status_code for one in asked] == [200, 401]


def test_a_revoked_token_opens_nothing_from_the_next_request_on(visitor: Knocker, ours: System) -> None:
    mine, other = token(visitor, ours), token(visitor, ours)
    assert opens(visitor, mine)
    answer = revoked(visitor, ours, mine)
    assert (answer.status_code, answer.data) == (200, b"")
    assert not opens(visitor, mine) and opens(visitor, other)


def test_revoking_again_is_revoking_once(visitor: Knocker, ours: System, owner_sql: SQL) -> None:
    mine = token(visitor, ours)
    assert [revoked(visitor, ours, mine, token_type_hint="refresh_token").status_code for _ in range(2)] == [200, 200]
    assert owner_sql("SELECT count(*) FROM revoked_tokens") == [(1,)]


def test_a_revocation_is_kept_as_long_as_the_token_would_be_good(
    visitor: Knocker, ours: System, owner_sql: SQL
) -> None:
    revoked(visitor, ours, mine := token(visitor, ours))
    end = jwt.decode(mine, options={"verify_signature": False})["exp"] + auth.LEEWAY_SECONDS
    assert owner_sql("SELECT client_id, extract(epoch FROM expires_at)::int FROM revoked_tokens") == [
        (UUID(ours.client_id), end)
    ]


def test_a_revocation_is_audited(visitor: Knocker, ours: System, owner_sql: SQL) -> None:
    revoked(visitor, ours, token(visitor, ours))
    found = owner_sql("SELECT action, client_id FROM audit_events WHERE operation = 'revokeToken'")
    assert found == [("delete", UUID(ours.client_id))]


@pytest.mark.parametrize("nothing", ["nonsense", "a.b.c", "0" * 60, "é"])
def test_what_is_no_token_is_ended_already(visitor: Knocker, ours: System, nothing: str, owner_sql: SQL) -> None:
    assert revoked(visitor, ours, nothing).status_code == 200
    assert owner_sql("SELECT 1 FROM revoked_tokens") == []


def test_anothers_token_is_not_revoked(
    visitor: Knocker, ours: System, new_system: NewSystem, patient: Knocker, owner_sql: SQL
) -> None:
    others = new_system("Others")
    assert error(revoked(visitor, others, mine := token(visitor, ours))) == (400, "unauthorized_client")
    of_patient = patient.headers["Authorization"].split()[1]
    assert error(revoked(visitor, others, of_patient)) == (400, "unauthorized_client")
    assert opens(visitor, mine) and patient.get("/v1/me").status_code == 200
    assert owner_sql("SELECT 1 FROM revoked_tokens") == []


def test_a_partner_revokes_its_own(visitor: Knocker, new_system: NewSystem, owner_sql: SQL) -> None:
    north = new_system("North", "partner", ["capacity:read"])
    assert revoked(visitor, north, token(visitor, north)).status_code == 200
    assert owner_sql("SELECT client_id FROM revoked_tokens") == [(UUID(north.client_id),)]


def test_a_suspension_ends_the_tokens_that_are_out(visitor: Knocker, ours: System, owner_sql: SQL) -> None:
    mine = token(visitor, ours)
    owner_sql("UPDATE api_clients SET status = 'suspended'")
    assert not opens(visitor, mine)
    assert error(granted(visitor, ours)) == (401, "invalid_client")
    owner_sql("UPDATE api_clients SET status = 'active'")
    assert opens(visitor, mine)


def test_a_client_named_like_a_patient_is_not_that_patient(
    visitor: Knocker, superuser: psycopg.Connection[Any], patient: Knocker, new_system: NewSystem
) -> None:
    system = new_system()
    superuser.execute("DELETE FROM client_keys")
    superuser.execute("UPDATE api_clients SET id = %s", [patient.id])
    system.client_id = str(patient.id)
    keys = "INSERT INTO client_keys (client_id, kid, jwk) VALUES (%s, %s, %s)"
    superuser.execute(keys, [patient.id, system.kid, Jsonb(system.jwk)])
    bearer = {"Authorization": f"Bearer {token(visitor, system)}"}
    assert visitor.get("/v1/me", headers=bearer).status_code == 401


def test_a_payload_that_was_changed_is_no_token(visitor: Knocker, ours: System) -> None:
    head, payload, signature = token(visitor, ours).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["exp"] += 1000
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    assert not opens(visitor, f"{head}.{changed}.{signature}")

"""Only a token of ours, for this kind of caller, still alive, opens a door."""

import base64
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from api import auth, clock, vocabulary
from api.app import Continuum
from tests.knocking import Knocker

WHERE = 'resource_metadata="http://127.0.0.1:8000/.well-known/oauth-protected-resource/v1/me"'


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def signed(app: Continuum, claims: dict[str, Any], **headers: Any) -> str:
    key = app.extensions["keys"].current().signing(clock.wall())
    return jwt.encode(claims, key.private, algorithm="ES256", headers={"typ": "at+jwt", "kid": key.kid, **headers})


def knock(patient: Knocker, token: str) -> Any:
    return patient.get("/v1/me", headers={"Authorization": f"Bearer {token}"})


def own(patient: Knocker) -> dict[str, Any]:
    return claims_of(patient.headers["Authorization"].split()[1])


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"exp": 1}, "token-expired"),
        ({"aud": "http://127.0.0.1:8000/v1/clinic"}, "invalid-token"),
        ({"iss": "https://elsewhere.example"}, "invalid-token"),
        ({"kind": "clinic"}, "invalid-token"),
        ({"sub": "not-an-id"}, "invalid-token"),
        ({"sid": None}, "invalid-token"),
        ({"jti": None}, "invalid-token"),
        ({"iat": 99999999999}, "invalid-token"),
    ],
)
def test_a_token_with_one_wrong_claim_is_refused(
    app: Continuum, patient: Knocker, changed: dict[str, Any], problem: str
) -> None:
    claims = {key: value for key, value in (own(patient) | changed).items() if value is not None}
    refused = knock(patient, signed(app, claims))
    assert refused.status_code == 401
    assert refused.json["type"].endswith(f"/problems/{problem}")
    assert refused.headers["WWW-Authenticate"] == f'Bearer error="invalid_token", {WHERE}'
    assert refused.json["retry"] == ("after_refresh" if problem == "token-expired" else "after_sign_in")


@pytest.mark.parametrize(
    "headers", [{"typ": "JWT"}, {"kid": "../../etc/passwd"}, {"kid": "x' OR 1=1"}, {"crit": ["b64"]}]
)
def test_a_token_with_a_wrong_header_is_refused(app: Continuum, patient: Knocker, headers: dict[str, Any]) -> None:
    assert knock(patient, signed(app, own(patient), **headers)).status_code == 401


def test_an_unsigned_token_is_refused(patient: Knocker) -> None:
    token = jwt.encode(own(patient), None, algorithm="none", headers={"typ": "at+jwt"})
    assert knock(patient, token).status_code == 401


def test_the_public_key_is_no_secret_to_sign_with(app: Continuum, patient: Knocker) -> None:
    kid, (key, _) = next(iter(app.extensions["keys"].current().public.items()))
    pem = key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    head = base64.urlsafe_b64encode(json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": kid}).encode()).rstrip(b"=")
    body = base64.urlsafe_b64encode(json.dumps(own(patient)).encode()).rstrip(b"=")
    import hashlib
    import hmac

    mac = base64.urlsafe_b64encode(hmac.new(pem, head + b"." + body, hashlib.sha256).digest()).rstrip(b"=")
    assert knock(patient, b".".join((head, body, mac)).decode()).status_code == 401


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer a.b.c", "Basic c2FtOnNhbQ==", "Bearer " + "x" * 5000])
def test_what_is_no_token_is_refused(patient: Knocker, header: str) -> None:
    assert patient.get("/v1/me", headers={"Authorization": header}).status_code == 401


def test_a_clinics_token_does_not_open_a_patients_door(clinic: Knocker, patient: Knocker) -> None:
    assert clinic.get("/v1/me").status_code == 401
    assert patient.get("/v1/clinic/patients/EHR-1", headers={"Acting-User": '"u";role=r'}).status_code == 401


def test_a_token_without_the_scope_is_told_which_one_it_lacks(app: Continuum, patient: Knocker) -> None:
    refused = knock(patient, signed(app, own(patient) | {"scope": "sessions:read"}))
    assert refused.status_code == 403
    assert refused.headers["WWW-Authenticate"] == f'Bearer error="insufficient_scope", scope="me:read", {WHERE}'


def test_a_remembered_token_still_expires(app: Continuum, patient: Knocker, monkeypatch: pytest.MonkeyPatch) -> None:
    assert patient.get("/v1/me").status_code == 200
    later = datetime.now(UTC) + auth.LIFETIMES["patient"] + timedelta(seconds=auth.LEEWAY_SECONDS + 1)
    monkeypatch.setattr(clock, "wall", lambda: later)
    assert patient.get("/v1/me").json["type"].endswith("/problems/token-expired")


def test_an_ended_app_session_is_refused_though_its_token_is_remembered(
    patient: Knocker, owner_sql: Callable[..., Any]
) -> None:
    assert patient.get("/v1/me").status_code == 200
    owner_sql("UPDATE app_sessions SET ended_at = now() WHERE id = %s", patient.app_session_id)
    assert patient.get("/v1/me").json["type"].endswith("/problems/session-ended")


def test_someone_elses_app_session_does_not_stand_for_me(
    app: Continuum, patient: Knocker, other_patient: Knocker
) -> None:
    mixed = own(patient) | {"sid": str(other_patient.app_session_id)}
    assert knock(patient, signed(app, mixed)).status_code == 401


def test_a_token_cannot_be_issued_with_another_kinds_scopes(app: Continuum) -> None:
    with pytest.raises(ValueError, match="not scopes of a patient"):
        app.extensions["tokens"].issue(
            kind="patient", subject=uuid4(), client_id="app", scopes=vocabulary.CLINIC_SCOPES, sid=uuid4()
        )


def test_verified_tokens_are_remembered_up_to_a_bound(app: Continuum) -> None:
    tokens = auth.Tokens(app.extensions["keys"].current, issuer="https://c.example", remembered=3)
    for _ in range(5):
        token = tokens.issue(kind="clinic", subject=uuid4(), client_id="c", scopes=["audit:read"])
        tokens.caller(token, kind="clinic")
    assert len(tokens._verified) == 3
    assert claims_of(token)["exp"] - time.time() <= auth.LIFETIMES["clinic"].total_seconds()

"""Authlib comes in as a system, and joserfc, the JOSE library under it, agrees with us about keys and tokens."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from cryptography.hazmat.primitives import serialization
from flask import Flask
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey
from requests.adapters import BaseAdapter

from api import auth, clock, dpop, vocabulary
from api.app import Continuum
from tests.access.test_client_tokens import NewSystem, new_system
from tests.dpop import Key
from tests.knocking import Knocker
from tests.phone import Phone
from tests.system import CURVES, ISSUER, System

__all__ = ["new_system"]

SQL = Callable[..., list[tuple[Any, ...]]]
ALERTS = f"{ISSUER}/v1/clinic/alerts"
ACTING = {"Acting-User": '"u-17";role=counselor'}


class Application(BaseAdapter):
    """Carries the library's requests to the application itself."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self._app = app

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        asked = urlsplit(request.url or "")
        told = self._app.test_client().open(
            asked.path,
            method=request.method,
            query_string=asked.query,
            headers=dict(request.headers),
            data=request.body,
        )
        answer = requests.Response()
        answer.status_code, answer._content, answer.request = told.status_code, told.data, request
        answer.headers.update(told.headers)
        return answer

    def close(self) -> None:
        pass


Session = Callable[..., OAuth2Session]


@pytest.fixture
def session(app: Continuum) -> Session:
    """A session of Authlib's for a system. It is good for one assertion: the library keeps the `jti` of the first."""

    def make(system: System, audience: str = ISSUER, **more: Any) -> OAuth2Session:
        made = OAuth2Session(
            system.client_id, private_key(system), token_endpoint_auth_method="private_key_jwt", **more
        )
        made.register_client_auth_method(proof(system, audience))
        made.mount(ISSUER, Application(app))
        return made

    return make


def private_key(system: System) -> ECKey | RSAKey:
    pem = system.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (ECKey if system.alg in CURVES else RSAKey).import_key(pem)


def proof(system: System, audience: str) -> PrivateKeyJWT:
    """Five minutes long: the library's hour is too much for SMART Backend Services, and for us."""
    claims = {"aud": audience, "exp": int(time.time()) + 240}
    return PrivateKeyJWT(claims=claims, headers={"kid": system.kid}, alg=system.alg)


def granted(session: OAuth2Session, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = session.fetch_token(f"{ISSUER}/oauth/token", grant_type="client_credentials", **more)
    return found


@pytest.mark.parametrize("alg", ["ES256", "ES384", "RS256", "RS384"])
def test_it_comes_in_by_its_key(session: Session, new_system: NewSystem, alg: str) -> None:
    ours = session(new_system(alg=alg))
    assert granted(ours)["scope"].split() == list(vocabulary.CLINIC_SCOPES)
    assert ours.get(ALERTS, headers=ACTING).status_code == 200


def test_it_may_ask_for_less(session: Session, new_system: NewSystem) -> None:
    ours = session(new_system(), scope="alerts:read")
    assert granted(ours)["scope"] == "alerts:read"
    assert ours.get(f"{ISSUER}/v1/clinic/tasks", headers=ACTING).status_code == 403


def test_as_a_system_of_smart_it_names_the_token_endpoint(
    session: Session, new_system: NewSystem, owner_sql: SQL
) -> None:
    north = new_system("North", "partner", ["capacity:read"])
    owner_sql("UPDATE api_clients SET assertion_audience = 'token_endpoint'")
    assert granted(session(north, audience=f"{ISSUER}/oauth/token"))["expires_in"] == 300


def test_it_is_told_that_another_key_is_not_its_own(session: Session, new_system: NewSystem) -> None:
    ours = new_system()
    with pytest.raises(OAuthError, match="invalid_client"):
        granted(session(System(ours.client_id)))


def test_it_asks_about_its_token_and_ends_it(session: Session, new_system: NewSystem) -> None:
    ours = new_system()
    token = granted(session(ours))["access_token"]
    assert introspected(session(ours), token)["active"] is True
    ended = session(ours, revocation_endpoint_auth_method="private_key_jwt").revoke_token(
        f"{ISSUER}/oauth/revoke", token
    )
    assert (ended.status_code, ended.content) == (200, b"")
    assert introspected(session(ours), token) == {"active": False}


def introspected(session: OAuth2Session, token: str) -> dict[str, Any]:
    found: dict[str, Any] = session.introspect_token(f"{ISSUER}/oauth/introspect", token).json()
    return found


def verified(visitor: Knocker, token: str) -> jwt.Token:
    """As a resource server would, by the keys that we publish."""
    return jwt.decode(token, KeySet.import_key_set(visitor.get("/oauth/jwks.json").json), algorithms=["ES256"])


def test_our_tokens_are_good_by_the_published_keys(visitor: Knocker, phone: Phone) -> None:
    found = verified(visitor, phone.tokens["access_token"])
    assert found.header["typ"] == "at+jwt"
    assert (found.claims["iss"], found.claims["aud"]) == (ISSUER, auth.audience(ISSUER, "patient"))
    jwt.JWTClaimsRegistry(**{name: {"essential": True} for name in auth.CLAIMS}).validate(found.claims)


def test_a_changed_token_is_not(visitor: Knocker, phone: Phone) -> None:
    head, payload, signature = phone.tokens["access_token"].split(".")
    with pytest.raises(JoseError):
        verified(visitor, f"{head}.{payload[:-2]}AA.{signature}")


def test_the_key_in_a_token_has_the_thumbprint_that_it_computes(visitor: Knocker, phone: Phone) -> None:
    theirs = ECKey.import_key({**phone.key.jwk}).thumbprint()
    assert verified(visitor, phone.tokens["access_token"]).claims["cnf"] == {"jkt": theirs}


def test_thumbprints_are_the_same_for_any_key() -> None:
    for key in (Key() for _ in range(50)):
        proof, nonces = key.proof("GET", ISSUER), dpop.Nonces(b"of no matter")
        ours = dpop.read(proof, method="GET", url=ISSUER, nonces=nonces, at=clock.wall()).thumbprint
        assert ours == ECKey.import_key({**key.jwk}).thumbprint()

"""What clients and phones look up about this server is true, public and kept no longer than it is."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from api import apps, auth, config, vocabulary
from api.access import public, public_keys
from api.app import Continuum
from tests.knocking import Knocker
from tests.system import ISSUER

SERVER = "/.well-known/oauth-authorization-server"
SMART = "/fhir/.well-known/smart-configuration"
KEYS = "/oauth/jwks.json"
RESOURCES = {f"/.well-known/oauth-protected-resource{path}": kind for kind, path in auth.RESOURCES.items()}
PHONES = ("/.well-known/assetlinks.json", "/.well-known/apple-app-site-association")
ALL = (SERVER, SMART, KEYS, *RESOURCES, *PHONES)
FINGERPRINT = ":".join(["AB"] * 32)


def members(said: Any) -> Iterator[tuple[str, Any]]:
    for name, value in said.items():
        yield name, value
        if isinstance(value, dict):
            yield from members(value)


@pytest.mark.parametrize("path", ALL)
def test_anybody_reads_it_and_may_keep_it(visitor: Knocker, path: str) -> None:
    answer = visitor.get(path, headers={"Origin": "https://somebody.example", "Accept": "text/html"})
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == f"public, max-age={300 if path == KEYS else 3600}"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ALL)
def test_it_is_sent_again_only_when_it_has_changed(visitor: Knocker, path: str) -> None:
    tag = visitor.get(path).headers["ETag"]
    again = visitor.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert again.headers["Access-Control-Allow-Origin"] == "*" and "max-age" in again.headers["Cache-Control"]
    assert visitor.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", ALL)
def test_head_says_what_get_would(visitor: Knocker, path: str) -> None:
    whole, head = visitor.get(path), visitor.request("HEAD", path)
    assert head.data == b"" and head.headers["Content-Length"] == str(len(whole.data))
    assert head.headers["ETag"] == whole.headers["ETag"]


@pytest.mark.parametrize("path", ALL)
def test_it_is_only_read(visitor: Knocker, path: str) -> None:
    answer = visitor.post(path, json={})
    assert answer.status_code == 405 and "POST" not in answer.headers["Allow"]


def test_the_authorization_server_describes_itself(visitor: Knocker) -> None:
    said = visitor.get(SERVER).json
    assert said["issuer"] == ISSUER
    assert said["grant_types_supported"] == ["authorization_code", "refresh_token", "client_credentials"]
    assert said["response_types_supported"] == ["code"]
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert said["token_endpoint_auth_methods_supported"] == ["none", "private_key_jwt"]
    assert said["introspection_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    for endpoint in ("token", "revocation", "introspection"):
        algorithms = said[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
        assert algorithms == ["RS384", "ES384", "RS256", "ES256"]
    assert said["dpop_signing_alg_values_supported"] == ["ES256"]
    assert said["acr_values_supported"] == list(vocabulary.ACRS)
    assert set(said["scopes_supported"]) == {one for scopes in vocabulary.SCOPES.values() for one in scopes}
    assert said["protected_resources"] == [auth.audience(ISSUER, kind) for kind in auth.RESOURCES]


@pytest.mark.parametrize("path", [SERVER, SMART])
def test_every_address_that_is_named_is_ours_and_there(app: Continuum, visitor: Knocker, path: str) -> None:
    rules = {rule.rule for rule in app.url_map.iter_rules()}
    named = {name: value for name, value in visitor.get(path).json.items() if name.endswith(("_endpoint", "_uri"))}
    assert len(named) >= 3
    assert all(value.removeprefix(ISSUER) in rules for value in named.values()), named


@pytest.mark.parametrize("path", [SERVER, SMART, *RESOURCES])
def test_what_would_be_empty_is_left_out(visitor: Knocker, path: str) -> None:
    assert [name for name, value in members(visitor.get(path).json) if value in ([], "", None, {})] == []


@pytest.mark.parametrize("path", RESOURCES)
def test_a_resource_is_what_its_tokens_are_for(visitor: Knocker, path: str) -> None:
    said, kind = visitor.get(path).json, RESOURCES[path]
    assert said["resource"] == auth.audience(ISSUER, kind)
    assert path == "/.well-known/oauth-protected-resource" + said["resource"].removeprefix(ISSUER)
    assert said["authorization_servers"] == [ISSUER]
    assert said["bearer_methods_supported"] == ["header"]
    assert said["scopes_supported"] == list(vocabulary.SCOPES[kind])
    assert said.get("dpop_bound_access_tokens_required", False) == (kind == "patient")


def test_a_refusal_leads_to_its_resource(visitor: Knocker) -> None:
    for path, kind in (("/v1/me", "patient"), ("/v1/clinic/alerts", "clinic")):
        challenge = visitor.get(path).headers["WWW-Authenticate"]
        url = challenge.partition('resource_metadata="')[2].partition('"')[0]
        assert visitor.get(url.removeprefix(ISSUER)).json["resource"] == auth.audience(ISSUER, kind)


def test_smart_hears_what_its_backend_services_need(visitor: Knocker) -> None:
    said = visitor.get(SMART).json
    assert said["grant_types_supported"] == ["client_credentials"]
    assert said["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert {"RS384", "ES384"} <= set(said["token_endpoint_auth_signing_alg_values_supported"])
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert "client-confidential-asymmetric" in said["capabilities"]
    assert said["scopes_supported"] == list(vocabulary.PARTNER_SCOPES)
    assert not {"authorization_endpoint", "issuer", "jwks_uri"} & set(said)


def test_permissions_are_claimed_with_the_scopes_that_have_them(
    visitor: Knocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "permission-v2" not in visitor.get(SMART).json["capabilities"]
    monkeypatch.setattr(public.vocabulary, "PARTNER_SCOPES", ("capacity:read", "system/Task.crus"))
    assert "permission-v2" in visitor.get(SMART).json["capabilities"]


def test_the_keys_are_public_ones(visitor: Knocker) -> None:
    keys = visitor.get(KEYS).json["keys"]
    assert keys and not any(set(key) & set(public_keys.PRIVATE_MEMBERS) for key in keys)
    assert all({"kid", "kty", "use", "alg"} <= set(key) and key["use"] == "sig" for key in keys)


def test_phones_that_nobody_named_are_none(visitor: Knocker) -> None:
    links, site = (visitor.get(path).json for path in PHONES)
    assert (links, site["webcredentials"]) == ([], {"apps": []})


@pytest.fixture
def elsewhere(settings: config.Config) -> Knocker:
    """A deployment with apps of its own, at an address of its own."""
    named = {"ANDROID_APPS": f"example.clinic.app={FINGERPRINT}", "APPLE_APPS": "ABCDE12345.example.clinic.app"}
    url = "https://api.clinic.example"
    app: Any = Flask("elsewhere")
    app.settings = replace(settings, public_url=url, apps=apps.read(named, public_url=url, development=False))
    app.register_blueprint(public.discovery)
    return Knocker(app)


def test_phones_find_their_apps(elsewhere: Knocker) -> None:
    links, site = (elsewhere.get(path).json for path in PHONES)
    assert [one["target"]["package_name"] for one in links] == ["example.clinic.app"]
    assert links[0]["target"]["sha256_cert_fingerprints"] == [FINGERPRINT]
    assert site["webcredentials"]["apps"] == ["ABCDE12345.example.clinic.app"]
    assert elsewhere.get(SERVER).json["issuer"] == "https://api.clinic.example"

"""Anyone's door to what clients and phones look for before they trust this server or ask it for a token.

Metadata of the authorization server (RFC 8414) and of each protected resource (RFC 9728), SMART's for systems of
partners, the keys that sign our tokens (RFC 7517), and what Android and iOS check. Each may be read by any website and
kept for a while; members that would be empty are left out (RFC 8414 §3.2).
"""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Blueprint, Response, current_app, request

from api import auth, config, keys, vocabulary
from api.access import public_keys

discovery = Blueprint("discovery", __name__)

MAX_AGE_SECONDS = 3600
KEYS_MAX_AGE_SECONDS = int(keys.PUBLISHED_FOR.total_seconds())
CLIENT_ALGORITHMS = list(public_keys.ALGORITHMS)
RESOURCE_NAMES = {"patient": "The patient's own record", "partner": "Referrals", "clinic": "The clinic's systems"}


@discovery.get("/.well-known/oauth-authorization-server")
def authorization_server() -> Response:
    """RFC 8414 §2, with OAuth for First-Party Apps §4, RFC 9449 §5.1, RFC 9470 §7 and RFC 9728 §4."""
    issuer = _settings().public_url
    by_assertion = ["private_key_jwt"]
    endpoints = {
        "token": ["none", *by_assertion],
        "revocation": ["none", *by_assertion],
        "introspection": by_assertion,
    }
    said: dict[str, Any] = {"issuer": issuer, "jwks_uri": f"{issuer}/oauth/jwks.json"}
    for name, methods in endpoints.items():
        said[f"{name}_endpoint_auth_methods_supported"] = methods
        said[f"{name}_endpoint_auth_signing_alg_values_supported"] = CLIENT_ALGORITHMS
    return _answer(
        {
            **said,
            "authorization_challenge_endpoint": f"{issuer}/oauth/authorize-challenge",
            "token_endpoint": f"{issuer}/oauth/token",
            "revocation_endpoint": f"{issuer}/oauth/revoke",
            "introspection_endpoint": f"{issuer}/oauth/introspect",
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
            "code_challenge_methods_supported": ["S256"],
            "dpop_signing_alg_values_supported": ["ES256"],
            "acr_values_supported": list(vocabulary.ACRS),
            "scopes_supported": sorted({one for scopes in vocabulary.SCOPES.values() for one in scopes}),
            "protected_resources": [auth.audience(issuer, kind) for kind in auth.RESOURCES],
            "service_documentation": f"{issuer}/docs",
        }
    )


@discovery.get("/.well-known/oauth-protected-resource/v1/me")
def patient_resource() -> Response:
    """RFC 9728 §2. Tokens of phones are bound to a key of the phone."""
    bound = {"dpop_signing_alg_values_supported": ["ES256"], "dpop_bound_access_tokens_required": True}
    return _answer({**_resource("patient"), **bound})


@discovery.get("/.well-known/oauth-protected-resource/v1/partner")
def partner_resource() -> Response:
    return _answer(_resource("partner"))


@discovery.get("/.well-known/oauth-protected-resource/v1/clinic")
def clinic_resource() -> Response:
    return _answer(_resource("clinic"))


@discovery.get("/fhir/.well-known/smart-configuration")
def smart_configuration() -> Response:
    """SMART App Launch 2.2, conformance: the profile of backend services. JSON whatever the request accepts."""
    issuer, scopes = _settings().public_url, list(vocabulary.PARTNER_SCOPES)
    # To claim v2 permissions is to take scopes of that grammar.
    permissions = ["permission-v2"] if any(one.startswith("system/") for one in scopes) else []
    return _answer(
        {
            "token_endpoint": f"{issuer}/oauth/token",
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": CLIENT_ALGORITHMS,
            "grant_types_supported": ["client_credentials"],
            "scopes_supported": scopes,
            "introspection_endpoint": f"{issuer}/oauth/introspect",
            "revocation_endpoint": f"{issuer}/oauth/revoke",
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["client-confidential-asymmetric", *permissions],
        }
    )


@discovery.get("/oauth/jwks.json")
def signing_keys() -> Response:
    """Every key that verifies a token of ours, the next one too: kept for less than it takes to come into use."""
    published: keys.KeyFile = current_app.extensions["keys"]
    return _answer(published.current().published(), KEYS_MAX_AGE_SECONDS)


@discovery.get("/.well-known/assetlinks.json")
def asset_links() -> Response:
    """Digital Asset Links: which Android apps are ours."""
    return _answer(_settings().apps.asset_links())


@discovery.get("/.well-known/apple-app-site-association")
def apple_site() -> Response:
    """Which iOS apps are ours. Apple follows no redirect, and wants JSON without the ending."""
    return _answer(_settings().apps.apple_site())


def _resource(kind: str) -> dict[str, Any]:
    issuer = _settings().public_url
    return {
        "resource": auth.audience(issuer, kind),
        "authorization_servers": [issuer],
        "scopes_supported": list(vocabulary.SCOPES[kind]),
        "bearer_methods_supported": ["header"],
        "resource_name": RESOURCE_NAMES[kind],
        "resource_documentation": f"{issuer}/docs",
    }


def _settings() -> config.Config:
    found: config.Config = current_app.settings  # type: ignore[attr-defined]
    return found


def _answer(said: Mapping[str, Any] | list[Any], max_age_seconds: int = MAX_AGE_SECONDS) -> Response:
    response = Response(orjson.dumps(said), mimetype="application/json")
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = f"public, max-age={max_age_seconds}"
    response.add_etag()
    response.make_conditional(request)
    return response

"""Rules of the doors, tried with real requests: who may knock, and what a closed door gives away."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Flask
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

Route = tuple[str, str]

# Frozen: what anybody may read without a token. A further entry is a decision of the clinic, not a convenience.
READ_BY_ANYONE: frozenset[Route] = frozenset(
    ("GET", rule)
    for rule in (
        "/.well-known/apple-app-site-association",
        "/.well-known/assetlinks.json",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource/v1/clinic",
        "/.well-known/oauth-protected-resource/v1/me",
        "/.well-known/oauth-protected-resource/v1/partner",
        "/calendar/<feed_secret>.ics",
        "/docs",
        "/docs/static/<path:filename>",
        "/fhir/.well-known/smart-configuration",
        "/livez",
        "/oauth/jwks.json",
        "/openapi.json",
        "/openapi/<any(public,patient,partner,clinic):audience>.json",
        "/problems/<slug>",
        "/readyz",
        "/unsubscribe/<secret>",
        "/v1/app-config",
        "/v1/instruments",
        "/v1/instruments/<key>",
        "/v1/locations",
        "/v1/locations/<uuid:location_id>",
        "/v1/privacy-notice",
        "/v1/program-comparison",
        "/v1/programs",
        "/v1/programs/<slug>",
    )
)
# Here the form itself says who asks, and proves it.
FORMS: frozenset[Route] = frozenset(
    ("POST", f"/oauth/{name}") for name in ("authorize-challenge", "introspect", "revoke", "token")
)
# RFC 8058: a mail program ends mail without signing in, and whoever holds the address may.
HELD: frozenset[Route] = frozenset([("POST", "/unsubscribe/<secret>")])
# The clinic's website asks for its visitors; scripts of no other may.
WEBSITE: frozenset[Route] = frozenset([("POST", "/v1/referral-requests")])
PUBLIC = READ_BY_ANYONE | FORMS | HELD | WEBSITE

# Frozen: where nobody has a token yet. Each asks for proof of its own kind; a stranger gets nothing from any of them.
OAUTH: frozenset[Route] = frozenset(
    ("POST", rule) for rule in ("/oauth/authorize-challenge", "/oauth/introspect", "/oauth/revoke", "/oauth/token")
)

# Frozen: where a provider calls back, under its signature; everybody else is refused.
SIGNED: frozenset[Route] = frozenset(("POST", rule) for rule in ("/hooks/sms", "/hooks/sms/status"))


def routes(app: Flask) -> list[tuple[str, Rule]]:
    """Every method and rule of `app`, without the ones that Flask answers by itself."""
    return [
        (method, rule) for rule in app.url_map.iter_rules() for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]


def address(app: Flask, rule: Rule, parameters: Mapping[str, Any]) -> str:
    """The path of `rule` with `parameters`, and with something that is nobody's for the others."""
    nobodys = {name: uuid.uuid4() if f"<uuid:{name}>" in rule.rule else "patient" for name in rule.arguments}
    return str(app.url_map.bind("localhost").build(rule.endpoint, {**nobodys, **parameters}))


def open_to_strangers(app: Flask) -> set[Route]:
    """What answers anything but 401 to somebody without a token, who sends no body that could be read."""
    client = app.test_client()
    found = set()
    for method, rule in routes(app):
        answer = client.open(address(app, rule, {}), method=method, data=b"\xff{", content_type="text/nonsense")
        if answer.status_code != 401 or "WWW-Authenticate" not in answer.headers:
            found.add((method, rule.rule))
        answer.close()
    return found


def told_apart(
    ask: Callable[[str, Rule, str], TestResponse],
    app: Flask,
    rules: Iterable[tuple[str, Rule]],
    theirs: Mapping[str, Any],
) -> list[str]:
    """Routes whose answer to somebody else's id is not the 404 that they give for nobody's."""
    found = []
    for method, rule in rules:
        nobodys = ask(method, rule, address(app, rule, {}))
        somebodys = ask(method, rule, address(app, rule, {name: theirs[name] for name in rule.arguments}))
        if said(nobodys) != said(somebodys) or nobodys.status_code != 404:
            found.append(f"{method} {rule.rule}: {somebodys.status_code}, {nobodys.status_code}")
    return found


def said(answer: TestResponse) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers without what differs between any two requests."""
    own = {"X-Request-Id", "traceparent", "RateLimit"}
    headers = {name: value for name, value in answer.headers.items() if name not in own}
    body = {key: value for key, value in (answer.get_json(silent=True) or {}).items() if key != "instance"}
    return answer.status_code, body, headers

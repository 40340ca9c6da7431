"""OAuth's forms in the matrix: each caller proves itself by what it holds, and a token beside the form changes nothing.

Introspection is how partners prove themselves: each hears of its own tokens, and of nobody else's.
"""

from collections.abc import Iterator, Mapping

from flask import Flask
from werkzeug.test import TestResponse

from tests.access.conftest import ADDRESS
from tests.contract.documents import NAMED
from tests.matrix.callers import CALLERS
from tests.matrix.rights import Right, heard
from tests.matrix.tokens import INTROSPECT, Bearers
from tests.phone import APP

Form = Mapping[str, str]
PATHS = {
    "authorizeChallenge": "/oauth/authorize-challenge",
    "requestToken": "/oauth/token",
    "revokeToken": "/oauth/revoke",
    "introspectToken": "/oauth/introspect",
}
PHONE = "patient's phone"
PKCE = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}
# Whose tokens are asked about in introspection.
ABOUT = ("patient", "partner", "other partner", "clinic", "suspended clinic", "clinic without the scope")


def party(caller: str) -> str:
    if caller == PHONE:
        return "phone"
    if not CALLERS[caller].system:
        return "stranger"
    return "suspended" if CALLERS[caller].suspended else "system"


def wrong(app: Flask, bearers: Bearers, name: str, right: Right, caller: str) -> str | None:
    """What is not as the line says when `caller` sends the form of the operation `name`."""
    answer = ask(app, bearers, name, caller, form(bearers, name, caller))
    if str(answer.status_code) not in NAMED[name]["responses"]:
        return f"{answer.status_code} is not in the contract"
    expected, said = heard(right, party(caller)), (answer.get_json(silent=True) or {}).get("error")
    if said != expected or (answer.status_code == 200) != (expected is None):
        return f"{answer.status_code} {said}, and not {expected}"
    if (answer.status_code == 401) != ("WWW-Authenticate" in answer.headers):
        return "no challenge"
    return next(told(app, bearers, name, caller, answer), None) if expected is None else None


def form(bearers: Bearers, name: str, caller: str) -> Form:
    """What the caller has to say for itself; what is to be revoked is no token, so that all of them stay."""
    own = own_proof(bearers, name, caller)
    if name == "authorizeChallenge":
        return {"client_id": APP, "response_type": "code", **PKCE, **own}
    if name == "requestToken" and caller == PHONE:
        refresh = bearers.phone.tokens["refresh_token"]
        return {**own, "grant_type": "refresh_token", "refresh_token": refresh}
    if name == "requestToken":
        return {**own, "grant_type": "client_credentials"}
    return {**own, "token": "no-token"}


def own_proof(bearers: Bearers, name: str, caller: str) -> Form:
    if caller in bearers.systems:
        system = bearers.systems[caller]
        return {"client_id": system.client_id, **({} if name == "authorizeChallenge" else system.form())}
    return {"client_id": APP if caller == PHONE or name == "authorizeChallenge" else "somebody"}


def ask(app: Flask, bearers: Bearers, name: str, caller: str, sent: Form) -> TestResponse:
    """Each caller comes from an address of its own, and brings its access token along."""
    path = PATHS[name]
    headers = bearers.headers(caller, scope=INTROSPECT, method="POST", path=path)
    if party(caller) in ("phone", "stranger") and name != "introspectToken":
        headers["DPoP"] = bearers.phone.key.proof("POST", ADDRESS + path)
    remote = f"192.0.2.{list(CALLERS).index(caller) + 1}"
    return app.test_client().post(path, data=sent, headers=headers, environ_base={"REMOTE_ADDR": remote})


def told(app: Flask, bearers: Bearers, name: str, caller: str, answer: TestResponse) -> Iterator[str]:
    """What is wrong with a success."""
    if name == "requestToken":
        registered = bearers.registered.get(caller)
        if registered is not None and set(answer.json["scope"].split()) != registered:
            yield f"was granted {answer.json['scope']}"
        if caller == PHONE:
            bearers.phone.tokens = answer.json
    if name == "introspectToken":
        for about in ABOUT:
            yield from misheard(app, bearers, caller, about)


def misheard(app: Flask, bearers: Bearers, caller: str, about: str) -> Iterator[str]:
    """Of a token that is its own a client hears, and a gateway of the clinic of every one that stands."""
    proof = bearers.systems[caller].form()
    answer = ask(app, bearers, "introspectToken", caller, {**proof, "token": bearers.token(about)})
    stands = CALLERS[about].refused is None
    hears = stands and (about == caller or INTROSPECT in bearers.registered[caller])
    if answer.json.get("active") is not hears or (not hears and len(answer.json) > 1):
        yield f"hears of the token of {about}: {answer.json}"

"""OAuth's door: signing in on the app's own screens, tokens, revocation, introspection."""

from collections.abc import Mapping
from typing import Any

from flask import Response, current_app

from api import answering, clock, dpop, oauth, observe
from api.access import (
    attempts,
    authenticators,
    challenge,
    client_authentication,
    client_tokens,
    ending,
    grants,
    passwords,
    proving,
    refreshing,
    setting_up,
    terms,
    throttles,
    ways,
)
from api.access.attempts import Asked, Held
from schemas.oauth import (
    ChallengeAnswer,
    ChallengeForm,
    IntrospectionAnswer,
    IntrospectionForm,
    RevocationForm,
    TokenAnswer,
    TokenForm,
)

Form = Mapping[str, str]
EVERYBODY = ("patient", "partner", "clinic")
PASSWORD = ("sign_in_name", "password", "totp")

door = oauth.OAuthDoor("access", kind="oauth", tag="Sign-in", open_to_anyone=True)


@door.post(
    "/authorize-challenge",
    operation="authorizeChallenge",
    summary="Sign a patient in, step by step",
    shown_to=("patient",),
    refusals=(
        oauth.InvalidRequest,
        oauth.UnauthorizedClient,
        oauth.UnsupportedResponseType,
        oauth.InvalidScope,
        oauth.InvalidSession,
        oauth.InsufficientAuthorization,
        oauth.AccessDenied,
        oauth.UnmetRequirements,
        dpop.BadProof,
        dpop.NonceNeeded,
        throttles.TooManyTries,
    ),
)
@door.asks(ChallengeForm)
@door.answers(ChallengeAnswer)
def authorize_challenge(form: Form) -> dict[str, Any]:
    """Answers an authorization code, or `insufficient_authorization` with an `auth_session` and what is needed next:
    `passkey_creation` beside `totp_secret` after an activation code, `passkey_request` else. What is wrong with what
    was presented is never told: a code or an account that does not exist is answered as one that is not yours."""
    asked = _asked(form)
    welcome = _next(form, asked, Patience.of_request(asked.key))
    return {"authorization_code": welcome.authorization_code, "sign_in_name": welcome.sign_in_name}


class Patience(ways.Patience):
    """Where the running request comes from; what is left of its tries is told in its answer."""

    @classmethod
    def of_request(cls, key: str | None) -> "Patience":
        return cls(oauth.client_address(), key)

    def spend(self, flow: str, what: bytes) -> throttles.Spent:
        spent = super().spend(flow, what)
        observe.note().headers = [*observe.note().headers, *spent.fields]
        return spent


def _next(form: Form, asked: Asked, patience: Patience) -> ways.Welcome:
    """The step that the form is about. Raises `oauth.InsufficientAuthorization` with the next one."""
    held = challenge.resume(form["auth_session"], asked) if "auth_session" in form else None
    if held and held.attempt.activation_id:
        return _set_up(form, asked, held)
    if "activation_code" in form:
        first = attempts.again(held, asked) if held else asked
        raise challenge.open_activation(first, form["activation_code"], patience)
    if all(name in form for name in PASSWORD):
        return proving.by_password(held, asked, _password(form), patience, at=clock.wall())
    if held and "passkey" in form:
        return proving.by_passkey(held, asked, form["passkey"], patience, at=clock.wall())
    if held or any(name in form for name in PASSWORD):
        raise oauth.InvalidRequest("Send passkey, or sign_in_name, password and totp together.")
    raise challenge.ask_for_passkey(asked)


def _set_up(form: Form, asked: Asked, held: Held) -> ways.Welcome:
    """The first way in, after an activation code. A choice that cannot be may be made again in the same attempt."""
    keep = form.get("keep_authenticators") == "true"
    if "passkey" in form:
        return setting_up.register_passkey(held, asked, form["passkey"], keep=keep, at=clock.wall())
    if not all(name in form for name in PASSWORD):
        raise oauth.InvalidRequest("Send passkey, or sign_in_name, password and totp together.")
    try:
        return setting_up.register_password(held, asked, _password(form), keep=keep, at=clock.wall())
    except (passwords.PasswordRefused, authenticators.SignInNameRefused) as refused:
        members = {"auth_session": form["auth_session"], "reason": refused.extra.get("reason", "name_refused")}
        raise oauth.InsufficientAuthorization(refused.detail, members=members) from refused


def _password(form: Form) -> ways.Password:
    return ways.Password(form["sign_in_name"], form["password"], form["totp"])


def _asked(form: Form) -> Asked:
    """What the app asks for. Raises `oauth.UnauthorizedClient`, `InvalidRequest`, `InvalidScope`, `dpop.BadProof`."""
    first = "auth_session" not in form
    client_id = form.get("client_id", "")
    if first and form.get("response_type") != "code":
        raise oauth.UnsupportedResponseType if "response_type" in form else oauth.InvalidRequest
    if (first or client_id) and client_id not in terms.current().apps.clients:
        raise oauth.UnauthorizedClient
    _refuse_without_pkce(form, first)
    return Asked(
        client_id=client_id,
        key=_key(client_id),
        scopes=grants.scopes_of(form.get("scope")),
        code_challenge=form.get("code_challenge"),
        acr_values=tuple(form.get("acr_values", "").split()),
        device_name=form.get("device_name"),
    )


def _refuse_without_pkce(form: Form, first: bool) -> None:
    """RFC 9700 §2.1.1. An attempt that the house began, for who was quiet for long, is told the challenge later."""
    if "code_challenge" in form and form.get("code_challenge_method") == "S256":
        return
    if first or "code_challenge" in form or "code_challenge_method" in form:
        raise oauth.InvalidRequest("Send code_challenge with the method S256.")


def _key(client_id: str) -> str | None:
    """The thumbprint of the key that the request proves; only apps that need none may send no proof."""
    nonces: dpop.Nonces = current_app.extensions["nonces of sign-in"]
    proof = oauth.proof(nonces, at=clock.wall())
    if proof is None and client_id not in terms.current().unbound:
        raise dpop.BadProof
    return proof.thumbprint if proof else None


@door.post(
    "/token",
    operation="requestToken",
    summary="Tokens for a code, a refresh token or an assertion",
    shown_to=EVERYBODY,
    refusals=(
        oauth.InvalidRequest,
        oauth.InvalidClient,
        oauth.InvalidGrant,
        oauth.UnauthorizedClient,
        oauth.UnsupportedGrantType,
        oauth.InvalidScope,
        oauth.InvalidTarget,
        oauth.ReauthenticationNeeded,
        dpop.BadProof,
        dpop.NonceNeeded,
    ),
)
@door.asks(TokenForm)
@door.answers(TokenAnswer)
def request_token(form: Form) -> dict[str, Any]:
    """`authorization_code` and `refresh_token` are for the app, with a DPoP proof of the same key as before;
    `client_credentials` with `private_key_jwt` for systems. A refresh token is used up by its answer; should that be
    lost, the same one may be sent again for a day."""
    grant = GRANTS.get(form.get("grant_type", ""))
    if grant is None:
        raise oauth.UnsupportedGrantType if "grant_type" in form else oauth.InvalidRequest
    return grant(form)


def _by_code(form: Form) -> dict[str, Any]:
    client_id, key = _app(form)
    grants.refuse_other_resource(form.get("resource"), kind="patient")
    return grants.exchange(
        code=_needed(form, "code"), client_id=client_id, verifier=_needed(form, "code_verifier"), key=key
    )


def _by_refresh_token(form: Form) -> dict[str, Any]:
    client_id, key = _app(form)
    grants.refuse_other_resource(form.get("resource"), kind="patient")
    token = _needed(form, "refresh_token")
    return refreshing.refresh(token=token, client_id=client_id, key=key, scope=form.get("scope"))


def _by_assertion(form: Form) -> dict[str, Any]:
    if form.get("client_id") in terms.current().apps.clients:
        raise oauth.UnauthorizedClient
    return client_tokens.grant(form, client=_client(form), tokens=terms.current().tokens, issuer=terms.current().issuer)


def _client(form: Form) -> client_authentication.Known:
    """Raises `oauth.InvalidClient`."""
    return client_authentication.authenticate(
        form, issuer=terms.current().issuer, address=oauth.client_address(), at=clock.wall()
    )


GRANTS = {"authorization_code": _by_code, "refresh_token": _by_refresh_token, "client_credentials": _by_assertion}


def _app(form: Form) -> tuple[str, str | None]:
    """The app and its key. Raises `oauth.UnauthorizedClient`, `oauth.InvalidClient`, `dpop.BadProof`."""
    client_id = _needed(form, "client_id")
    if client_id not in terms.current().apps.clients:
        raise oauth.InvalidClient
    return client_id, _key(client_id)


def _needed(form: Form, name: str) -> str:
    if name not in form:
        raise oauth.InvalidRequest(f"Send {name}.")
    return form[name]


@door.post(
    "/revoke",
    operation="revokeToken",
    summary="End what a token opens",
    shown_to=EVERYBODY,
    refusals=(oauth.InvalidRequest, oauth.InvalidClient, oauth.UnauthorizedClient),
)
@door.asks(RevocationForm)
@door.answers(None)
def revoke_token(form: Form) -> Response:
    """An app's refresh or access token ends its app session; a system's access token ends by itself. Unknown tokens are
    answered in the same way (RFC 7009)."""
    if "client_assertion" not in form:
        if (client_id := _needed(form, "client_id")) not in terms.current().apps.clients:
            raise oauth.InvalidClient
        ending.revoke(form["token"], client_id=client_id)
    else:
        client_tokens.revoke_access_token(form["token"], client=_client(form), tokens=terms.current().tokens)
    return answering.nothing()


@door.post(
    "/introspect",
    operation="introspectToken",
    summary="Ask whether a token stands",
    shown_to=("partner", "clinic"),
    refusals=(oauth.InvalidRequest, oauth.InvalidClient),
)
@door.asks(IntrospectionForm)
@door.answers(IntrospectionAnswer)
def introspect_token(form: Form) -> dict[str, Any]:
    """For a system's own tokens, and for any with the scope `tokens:introspect` (RFC 7662). Whatever does not stand,
    and whatever is none of its business, is answered by `active: false` alone."""
    return client_tokens.introspect(form, client=_client(form), tokens=terms.current().tokens, at=clock.wall())

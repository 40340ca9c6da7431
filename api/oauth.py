"""How OAuth's endpoints are asked and how they refuse: forms in, OAuth's own JSON out (RFC 6749 §3.2, §5.2).

A form is read strictly: nothing in the query, no parameter twice, an empty one is absent, an unknown one ignored. The
views run their own transactions, because a hash must not wait in one.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qsl

import marshmallow as ma
import orjson
from flask import Response, current_app, g, request

from api import db, dpop, errors, observe, refusals
from api.blueprint import Door, V
from api.meeting import Meeting
from schemas import base

FORM = "application/x-www-form-urlencoded"
LONGEST_FORM = 65_536
MOST_PARAMETERS = 40
# RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E.
UNSAYABLE = re.compile(r"[^ !#-\[\]-~]")


class OAuthRefusal(errors.BadRequest):
    """A refusal with a code of OAuth's; `members` go into the answer beside it."""

    error: ClassVar[str] = "invalid_request"
    slug = "oauth-error"

    def __init__(self, detail: str | None = None, *, members: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
        super().__init__(detail, **kwargs)
        self.members = dict(members or {})


class InvalidRequest(OAuthRefusal):
    slug = "oauth-invalid-request"
    detail = "A parameter is missing, malformed, or given twice."
    detail_es = "Falta un parámetro, está mal formado o aparece dos veces."


class UnauthorizedClient(OAuthRefusal):
    error = "unauthorized_client"
    detail = "This client may not do that."
    detail_es = "Este cliente no puede hacer eso."


class UnsupportedGrantType(OAuthRefusal):
    error = "unsupported_grant_type"
    detail = "That grant type is not offered."
    detail_es = "Ese tipo de concesión no se ofrece."


class UnsupportedResponseType(OAuthRefusal):
    error = "unsupported_response_type"
    detail = "The response type must be code."
    detail_es = "El tipo de respuesta debe ser code."


class InvalidScope(OAuthRefusal):
    error = "invalid_scope"
    detail = "That scope is unknown, or more than was granted."
    detail_es = "Ese alcance es desconocido o excede lo concedido."


class InvalidTarget(OAuthRefusal):
    """RFC 8707 §2."""

    error = "invalid_target"
    detail = "Tokens of this grant are not for that resource."
    detail_es = "Las credenciales de esta concesión no son para ese recurso."


class InvalidGrant(OAuthRefusal):
    error = "invalid_grant"
    detail = "The code or refresh token is not valid. Please sign in again."
    detail_es = "El código o la credencial de renovación no es válido. Vuelva a iniciar sesión."
    retry = "after_sign_in"


class AccessDenied(OAuthRefusal):
    """One answer for whatever is wrong with what was presented: it tells nobody what exists."""

    error = "access_denied"
    detail = "That did not work. Check what you entered, or ask the clinic for a new activation code."
    detail_es = "No funcionó. Revise lo que escribió o pida a la clínica un nuevo código de activación."
    retry = "after_sign_in"


class InvalidSession(OAuthRefusal):
    """FiPA §5.2.2.1."""

    error = "invalid_session"
    detail = "This sign-in has run out. Please begin again."
    detail_es = "Este inicio de sesión ha vencido. Comience de nuevo."
    retry = "after_sign_in"


class InsufficientAuthorization(OAuthRefusal):
    """FiPA §5.2.2.1: the members say how to go on."""

    error = "insufficient_authorization"
    detail = "One more step is needed to sign in."
    detail_es = "Falta un paso para iniciar sesión."
    retry = "after_sign_in"


class ReauthenticationNeeded(InsufficientAuthorization):
    """FiPA §6.2: the phone was quiet for long; it is still signed in once the patient shows that it is them."""

    status = 403
    detail = "Please confirm that it is you."
    detail_es = "Confirme que es usted."


class UnmetRequirements(OAuthRefusal):
    """RFC 9470 §5."""

    error = "unmet_authentication_requirements"
    detail = "This way to sign in is weaker than what was asked for."
    detail_es = "Esta forma de iniciar sesión es más débil que la solicitada."
    retry = "after_sign_in"


class InvalidClient(OAuthRefusal):
    status = 401
    error = "invalid_client"
    title = "The client is not known"
    detail = "The client could not be authenticated."
    title_es = "No se reconoce al cliente"
    detail_es = "No se pudo autenticar al cliente."
    challenge = {"error": "invalid_client"}


# What refusals of the frame are called in OAuth: the most special class first.
CODES: tuple[tuple[type[errors.Refusal], str, int | None], ...] = (
    (dpop.BadProof, "invalid_dpop_proof", 400),
    (dpop.NonceNeeded, "use_dpop_nonce", 400),
    (errors.TooManyRequests, "temporarily_unavailable", None),
    (errors.Unavailable, "temporarily_unavailable", None),
    (db.SignedOut, "invalid_grant", 400),
    (errors.Internal, "server_error", None),
    (errors.Refusal, "invalid_request", None),
)


class FormMeeting(Meeting):
    """An operation of OAuth meeting requests: it authenticates whoever it wants by itself."""

    def meet(self, parameters: dict[str, Any]) -> Response:
        g.door = "oauth"
        g.operation = self.operation.id
        self._spend(request.remote_addr or "")
        self._receive()
        assert self.operation.asks
        try:
            found = self._view(form(self.operation.asks))
        except OAuthRefusal as refusal:
            self._note(refusal)
            raise
        return found if isinstance(found, Response) else answer(found)

    def _note(self, refusal: OAuthRefusal) -> None:
        """Whoever was not let in is in the audit, whatever the status (ASVS 5.0 16.3.1); a next step refuses nobody."""
        g.audited = True
        if not isinstance(refusal, InsufficientAuthorization):
            noted = {"operation": self.operation.id, "problem": refusal.slug, "request_id": observe.note().request_id}
            refusals.note(caller=None, **noted)


class OAuthDoor(Door):
    """The routes of OAuth."""

    meeting = FormMeeting
    asks_type = FORM

    def asks(self, schema: type[base.Shape]) -> Callable[[V], V]:
        """The form, given to the view as a dict of what `schema` knows."""

        def decorate(view: V) -> V:
            view._asks = schema  # type: ignore[attr-defined]
            return view

        return decorate

    def answers(self, schema: type[base.Answer] | None, *, status: int = 200) -> Callable[[V], V]:
        """What the view's dict is; it is sent as it is."""

        def decorate(view: V) -> V:
            view._answers, view._status = schema, status  # type: ignore[attr-defined]
            return view

        return decorate


def form(shape: type[ma.Schema]) -> dict[str, str]:
    """The running request's parameters that `shape` knows. Raises `InvalidRequest`, and `errors.ContentTooLarge` or
    `UnsupportedMediaType`."""
    if request.query_string:
        raise InvalidRequest("Parameters belong into the body.")
    if request.mimetype != FORM or request.content_encoding:
        raise errors.UnsupportedMediaType(f"Send {FORM}.")
    raw = request.get_data(cache=True)
    if len(raw) > LONGEST_FORM:
        raise errors.ContentTooLarge
    try:
        loaded: dict[str, str] = shape().load(dict(_pairs(raw)))
    except ma.ValidationError as error:
        raise InvalidRequest(
            f"These parameters are missing or malformed: {', '.join(sorted(error.messages_dict))}."
        ) from error
    return loaded


def _pairs(raw: bytes) -> Iterator[tuple[str, str]]:
    """Each parameter once. One without a value is as if it were not there (RFC 6749 §3.2)."""
    try:
        found = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError as error:
        raise InvalidRequest from error
    names = [name for name, _ in found]
    if len(set(names)) < len(names):
        raise InvalidRequest
    yield from ((name, value) for name, value in found if value)


def proof(nonces: dpop.Nonces, *, at: Any) -> dpop.Proof | None:
    """The running request's proof of possession, spent; None without one. Raises `dpop.BadProof`, `NonceNeeded`."""
    if (header := request.headers.get("DPoP")) is None:
        return None
    url = current_app.settings.public_url + request.path  # type: ignore[attr-defined]
    found = dpop.read(header, method=request.method, url=url, nonces=nonces, at=at)
    dpop.spend(found.id)
    return found


def answer(members: Mapping[str, Any], status: int = 200) -> Response:
    """JSON that nobody keeps (RFC 6749 §5.1)."""
    said = orjson.dumps({name: value for name, value in members.items() if value is not None})
    response = Response(said, status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def said(refusal: errors.Refusal, *, base_url: str) -> Response:
    """`refusal` as OAuth says it (RFC 6749 §5.2), with the house's `retry` and the page of the problem beside it."""
    code, status = code_of(refusal)
    members = {
        "error": code,
        "error_description": UNSAYABLE.sub("", refusal.detail),
        "retry": refusal.retry,
        "problem": f"{base_url}/problems/{refusal.slug}",
        **getattr(refusal, "members", {}),
    }
    response = answer(members, status)
    if status == 401:
        response.headers["WWW-Authenticate"] = f'Bearer realm="{base_url}/oauth", error="{code}"'
    response.headers.extend(refusal.headers)
    return response


def code_of(refusal: errors.Refusal | type[errors.Refusal]) -> tuple[str, int]:
    """OAuth's code and the status of a refusal."""
    kind = refusal if isinstance(refusal, type) else type(refusal)
    if issubclass(kind, OAuthRefusal):
        return kind.error, kind.status
    code, status = next((code, status) for one, code, status in CODES if issubclass(kind, one))
    return code, status or kind.status


def client_address() -> str:
    """Where the running request comes from."""
    return request.remote_addr or ""

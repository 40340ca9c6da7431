"""How every refusal leaves the house, and every defect: as a problem document, counted, and audited where it concerns
who somebody is. Whatever the framework refuses by itself leaves in the same way."""

import flask_smorest
import orjson
from flask import Request, Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from api import audit, auth, dpop, errors, language, oauth, observe, refusals

LONGEST_ADDRESS = 8192
# Refusals that concern who somebody is (ASVS 5.0 16.3.1, 16.3.2), beside those of transactions.
AUDITED = (401, 403, 429)


class Api(flask_smorest.Api):
    """flask-smorest, with our words for its refusals."""

    def handle_http_exception(self, error: HTTPException) -> Response:
        kind = errors.BY_STATUS.get(error.code or 500, errors.BadRequest)
        methods = getattr(error, "valid_methods", None)
        return refused(kind(headers={"Allow": ", ".join(sorted(methods))} if methods else {}))


def refuse_the_unreadable() -> None:
    """Methods that nobody knows, and addresses longer than `LONGEST_ADDRESS` bytes."""
    asked: Request = request._get_current_object()  # type: ignore[attr-defined]
    if asked.url_rule:
        observe.note().route = asked.url_rule.rule
    if asked.method not in observe.METHODS:
        raise errors.NotImplementedMethod
    if len(asked.environ.get("QUERY_STRING", "")) + len(asked.path) > LONGEST_ADDRESS:
        raise errors.UriTooLong


def refused(refusal: errors.Refusal) -> Response:
    """The problem document for `refusal`, in the language that the request accepts."""
    observe.note().problem = refusal.slug
    observe.REFUSED.labels(refusal.slug).inc()
    if refusal.status in AUDITED and "audited" not in g:
        _audit(refusal)
    if request.path.startswith("/oauth/"):
        return oauth.said(refusal, base_url=current_app.settings.public_url)  # type: ignore[attr-defined]
    document = refusal.problem(
        base_url=current_app.settings.public_url,  # type: ignore[attr-defined]
        language=language.accepted(),
        instance=f"urn:request:{observe.note().request_id}",
    )
    members = orjson.dumps(document | g.get("refusal_members", {}))
    response = Response(members, refusal.status, mimetype="application/problem+json")
    response.headers["Content-Language"] = language.accepted()
    if (door := g.get("door")) in auth.RESOURCES and (refusal.status == 401 or refusal.challenge):
        scheme = request.headers.get("Authorization", "").partition(" ")[0].lower() or None
        issuer = current_app.settings.public_url  # type: ignore[attr-defined]
        response.headers["WWW-Authenticate"] = auth.challenge(refusal, kind=door, scheme=scheme, issuer=issuer)
    response.headers.extend(refusal.headers)
    return response


def _audit(refusal: errors.Refusal) -> None:
    """Who was not let in, or was let in nowhere: also who never got as far as a transaction. A step on the way in (what
    comes next in a sign-in, a nonce to use) is no refusal of anybody."""
    if isinstance(refusal, oauth.InsufficientAuthorization | dpop.NonceNeeded):
        return
    operation = g.get("operation")
    if operation is not None:
        action = audit.ACTIONS.get(request.method, "read")
        noted = observe.note().request_id
        refusals.note(
            caller=g.get("caller"), operation=operation, problem=refusal.slug, request_id=noted, action=action
        )


def failed(error: Exception) -> Response:
    """A defect of ours: logged without the values of its frames, and told to nobody."""
    noted = observe.note()
    observe.log.error("failed", request_id=noted.request_id, route=noted.route, exc_info=error)
    return refused(errors.Internal())

"""Doors that the matrix must notice: a read that asks for the wrong scope, one that is everybody's, and an offer of an
authenticator without a fresh sign-in."""

from typing import Any

from flask import Flask, Response

from api import errors, observe, refusing
from api.app import Continuum
from api.blueprint import Door

me = Door("bad_me", kind="patient", tag="Me")
anybody = Door("bad_anybody", kind="public", tag="Me", open_to_anyone=True)


@me.get("", operation="getMe", scope="me:write", summary="The wrong scope")
def get_me() -> Response:
    return Response("{}", mimetype="application/json")


@anybody.get("/me/preferences", operation="getMyPreferences", summary="Open to anyone")
def get_my_preferences() -> Response:
    return Response("{}", mimetype="application/json")


@me.post("/totp/options", operation="offerMyTotp", scope="account:write", summary="No fresh sign-in")
def offer_my_totp() -> Response:
    return Response("{}", 400, mimetype="application/json")


def made(like: Continuum) -> Flask:
    """An application with these doors and everything else of the house."""
    app = Continuum("bad", static_folder=None, template_folder=None)
    app.settings = like.settings
    app.config.update(like.config)
    shared: dict[str, Any] = {name: one for name, one in like.extensions.items() if name != "flask-smorest"}
    app.extensions.update(shared)
    app.wsgi_app = observe.Watched(app.wsgi_app)  # type: ignore[method-assign]
    app.register_error_handler(errors.Refusal, refusing.refused)
    smorest = refusing.Api(app)
    for door in (me, anybody):
        smorest.register_blueprint(door)
    return app

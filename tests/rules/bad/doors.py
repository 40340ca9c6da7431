"""Doors that break the rules: one that anybody may open, and one that tells whose a thing is."""

from uuid import UUID

from flask import Blueprint, Response

SOMEBODYS = UUID("0192f7a4-5b1e-7c3d-9a10-3f6c2b8d4e01")

doors = Blueprint("bad", __name__)


@doors.get("/v1/me/letters")
def letters() -> Response:
    return Response('{"items":[]}', mimetype="application/json")


@doors.get("/v1/me/letters/<uuid:letter_id>")
def letter(letter_id: UUID) -> Response:
    return Response("{}", status=403 if letter_id == SOMEBODYS else 404, mimetype="application/json")

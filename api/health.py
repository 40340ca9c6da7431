"""For whoever keeps this running: alive (the process answers) and ready (it could serve a patient)."""

import sqlalchemy as sa
from flask import Blueprint, Response

from api import db, errors

health = Blueprint("health", __name__)


@health.get("/livez")
def alive() -> Response:
    """The process answers; asks nothing of anybody."""
    return Response('{"status":"alive"}', mimetype="application/json")


@health.get("/readyz")
def ready() -> Response:
    """The database answers and has been migrated. Raises `errors.Unavailable`."""
    with db.transaction(db.PUBLIC) as session:
        if session.scalar(sa.text("SELECT to_regclass('patients')")) is None:
            raise errors.Unavailable
    return Response('{"status":"ready"}', mimetype="application/json")

"""For whoever keeps this running: alive (the process answers) and ready (it could serve a patient)."""

import sqlalchemy as sa
from flask import Blueprint, Response

from api import db, errors, queue

SILENT_SECONDS = 30
health = Blueprint("health", __name__)


@health.get("/livez")
def alive() -> Response:
    """The process answers; asks nothing of anybody."""
    return Response('{"status":"alive"}', mimetype="application/json")


@health.get("/readyz")
def ready() -> Response:
    """The database answers and has been migrated. Raises `errors.Unavailable`.

    A worker that is not heard of does not stop the API from serving; it is told, for whoever watches over both.
    """
    with db.transaction(db.PUBLIC) as session:
        if session.scalar(sa.text("SELECT to_regclass('patients')")) is None:
            raise errors.Unavailable
        quiet = queue.quiet_seconds()
    worker = "silent" if quiet is None or quiet > SILENT_SECONDS else "alive"
    return Response(f'{{"status":"ready","worker":"{worker}"}}', mimetype="application/json")

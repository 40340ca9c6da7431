"""For whoever keeps this running: alive (the process answers) and ready (it could serve a patient)."""

from pathlib import Path

import sqlalchemy as sa
from flask import Blueprint, Response

from api import db, errors, queue

SILENT_SECONDS = 30
# Revisions are named by their number, so that a later one sorts behind.
NEWEST = max(file.stem for file in (Path(__file__).parents[1] / "migrations" / "versions").glob("[0-9]*.py"))
_REVISION = sa.text("SELECT version_num FROM alembic_version")
health = Blueprint("health", __name__)


@health.get("/livez")
def alive() -> Response:
    """The process answers; asks nothing of anybody."""
    return Response('{"status":"alive"}', mimetype="application/json")


@health.get("/readyz")
def ready() -> Response:
    """The database answers and stands at this code's last migration, or beyond. Raises `errors.Unavailable`.

    A worker that is not heard of does not stop the API from serving; it is told, for whoever watches over both.
    """
    with db.transaction(db.PUBLIC) as session:
        if (session.scalar(_REVISION) or "") < NEWEST:
            raise errors.Unavailable
        quiet = queue.quiet_seconds()
    worker = "silent" if quiet is None or quiet > SILENT_SECONDS else "alive"
    return Response(f'{{"status":"ready","worker":"{worker}"}}', mimetype="application/json")

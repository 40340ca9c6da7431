"""The login of the app is held to what the house is built on: it passes by no policy (HOUSE decision 2).

Row-level security hides nothing from a superuser, from a role with BYPASSRLS, from the owner of the tables, whose own
policy shows it everything, nor from a login that inherits the rights of a kind of caller. The database is asked at the
start, and again on every connection: one that was out of reach at the start opens nothing to a wrong login afterwards.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc

from api import config, db, roles

# `USAGE`: rights at hand without SET ROLE, by NOINHERIT of the login (PostgreSQL 15) or of each grant (16 and later).
_ASK = """
SELECT login.rolsuper, login.rolbypassrls,
    EXISTS (
        SELECT FROM pg_class AS known
        WHERE known.relnamespace = 'public'::regnamespace AND known.relkind IN ('r', 'p')
          AND pg_has_role(login.oid, known.relowner, 'USAGE')),
    EXISTS (
        SELECT FROM pg_roles AS kind
        WHERE kind.rolname = ANY (%s) AND kind.oid <> login.oid AND pg_has_role(login.oid, kind.oid, 'USAGE'))
FROM pg_roles AS login WHERE login.rolname = session_user
"""
_HELD = [roles.OWNER, *(f"continuum_{kind}" for kind in roles.KINDS)]
_FAULTS = ("is a superuser", "has BYPASSRLS", "owns tables", "inherits the rights of another role")


def open_engine(settings: config.Config) -> None:
    """Open the database for this process. Raises as `refuse_privileged` does."""
    db.open_engine(
        settings.database_url, pool=settings.database_pool, statement_timeout_ms=settings.statement_timeout_ms
    )
    refuse_privileged(db.engine())


def refuse_privileged(engine: sa.Engine) -> None:
    """Have every connection of `engine` refused to a login that passes by the policies, and try one now. Raises
    `config.Misconfigured`; a database out of reach is no fault of the login."""

    @sa.event.listens_for(engine, "connect")
    def refuse(connection: Any, _record: Any) -> None:
        _refuse(connection)

    try:
        engine.connect().close()
    except exc.OperationalError:
        return
    # No connection is left open: the process may fork before it serves.
    engine.dispose()


def _refuse(connection: Any) -> None:
    with connection.transaction():
        found = connection.execute(_ASK, [_HELD]).fetchone()
    for fault, holds in zip(_FAULTS, found, strict=True):
        if holds:
            connection.close()
            raise config.Misconfigured(
                f"The login of DATABASE_URL {fault}, so row-level security would hide nothing from it:"
                f" use the login {roles.APP}, which `python -m api.cli roles` makes."
            )

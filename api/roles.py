"""The database roles of the house as one SQL script, run by an administrator or by the embedded server for itself.

`continuum_owner` migrates. `continuum_app` is what the API and the worker log in as: it owns nothing, inherits nothing
and carries the patient's policies only. The kinds are roles without login that a transaction enters by `SET LOCAL
ROLE`. Running the script again changes nothing. It works on PostgreSQL 15 (where NOINHERIT of the login decides) and
from 16 on (where each grant says so itself), and needs no superuser: CREATEROLE is enough.
"""

from collections.abc import Callable
from typing import Any

import psycopg

Connect = Callable[[str], psycopg.Connection[Any]]

OWNER = "continuum_owner"
APP = "continuum_app"
KINDS = ("clinic", "partner", "worker", "gate", "holder")

_CREATE = """
DO $$
DECLARE
    kind text;
    manner text := '';
BEGIN
    IF current_setting('server_version_num')::int >= 160000 THEN
        manner := ' WITH INHERIT FALSE, SET TRUE';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{owner}') THEN
        CREATE ROLE {owner} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{app}') THEN
        CREATE ROLE {app} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT;
    END IF;
    FOREACH kind IN ARRAY ARRAY[{kinds}] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = kind) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOINHERIT', kind);
        END IF;
        EXECUTE format('GRANT %I TO {app}%s', kind, manner);
    END LOOP;
    IF EXISTS (
        SELECT FROM pg_roles
        WHERE rolname = ANY (ARRAY['{owner}', '{app}', {kinds}])
          AND (rolsuper OR rolbypassrls OR (rolinherit AND rolname = '{app}'))
    ) THEN
        RAISE EXCEPTION 'A role of Continuum passes by row-level security: take SUPERUSER, BYPASSRLS, INHERIT from it.';
    END IF;
END
$$;
"""

_DATABASE = """
REVOKE ALL ON DATABASE {database} FROM PUBLIC;
GRANT CONNECT ON DATABASE {database} TO {owner}, {app};
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO {owner};
GRANT USAGE ON SCHEMA public TO {app}, {kinds};
"""

_SCRIPT = """\
-- Run once with psql, as a role that may create roles and databases; running it again is harmless.
\\set ON_ERROR_STOP on
{roles}
GRANT {owner} TO CURRENT_USER;
SELECT 'CREATE DATABASE {database} OWNER {owner} TEMPLATE template0 ENCODING ''UTF8'''
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}') \\gexec
\\connect {database}
SET ROLE {owner};
{grants}
RESET ROLE;
REVOKE {owner} FROM CURRENT_USER;
-- Then give both logins a password of their own:  \\password {owner}   \\password {app}
"""


def sql(app_password: str | None = None, owner_password: str | None = None) -> str:
    """Plain SQL that makes or repairs the roles; a login keeps the password it has when none is given."""
    kinds = ", ".join(f"'continuum_{kind}'" for kind in KINDS)
    passwords = _password(APP, app_password) + _password(OWNER, owner_password)
    return _CREATE.format(owner=OWNER, app=APP, kinds=kinds) + passwords


def database_sql(database: str) -> str:
    """Plain SQL, run inside the database: only the house's roles get in, and only the owner makes anything there."""
    kinds = ", ".join(f"continuum_{kind}" for kind in KINDS)
    return _DATABASE.format(database=quoted(database), owner=OWNER, app=APP, kinds=kinds)


def apply(connect: Connect, database: str, **passwords: str | None) -> None:
    """Makes the roles and the database, owned by the migrating role; doing it again changes nothing.

    `connect(name)` answers a connection to that database of the server, as one who may; `passwords` are those of `sql`.
    """
    with connect("postgres") as connection:
        connection.autocommit = True
        connection.execute(sql(**passwords).encode())
        connection.execute(f"GRANT {OWNER} TO CURRENT_USER".encode())
        if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [database]).fetchall():
            made = f"CREATE DATABASE {quoted(database)} OWNER {OWNER} TEMPLATE template0 ENCODING 'UTF8'"
            connection.execute(made.encode())
    with connect(database) as connection:
        connection.execute(f"SET LOCAL ROLE {OWNER}".encode())
        connection.execute(database_sql(database).encode())
        connection.execute(b"RESET ROLE")
        connection.execute(f"REVOKE {OWNER} FROM CURRENT_USER".encode())


def script(database: str = "continuum") -> str:
    """The psql script for the administrator of a server of one's own."""
    return _SCRIPT.format(roles=sql(), grants=database_sql(database), database=database, owner=OWNER, app=APP)


def quoted(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def _password(role: str, password: str | None) -> str:
    if password is None:
        return ""
    literal = password.replace("'", "''")
    return f"ALTER ROLE {role} PASSWORD '{literal}';\n"

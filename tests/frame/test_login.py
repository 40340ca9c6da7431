"""A login that passes by row-level security opens no house, in development and production alike."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from api import config, db, login, postgres
from api.app import Continuum

STRANGER = "stranger_to_the_house"


@pytest.fixture
def role(app: Continuum, superuser: psycopg.Connection[Any]) -> Iterator[str]:
    """A login of its own, with no rights."""
    superuser.execute(f"CREATE ROLE {STRANGER} LOGIN NOINHERIT")
    superuser.execute(f"GRANT CONNECT ON DATABASE continuum TO {STRANGER}")
    yield STRANGER
    superuser.execute(f"DROP OWNED BY {STRANGER}")
    superuser.execute(f"DROP ROLE {STRANGER}")


def tried(server: postgres.Server, user: str) -> None:
    engine = sa.create_engine(server.url(user, "continuum"))
    try:
        login.refuse_privileged(engine)
    finally:
        engine.dispose()


def test_the_login_of_the_app_is_let_in(app: Continuum, server: postgres.Server) -> None:
    tried(server, "continuum_app")


@pytest.mark.parametrize(("user", "fault"), [("postgres", "is a superuser"), ("continuum_owner", "owns tables")])
def test_who_owns_the_house_is_not(app: Continuum, server: postgres.Server, user: str, fault: str) -> None:
    with pytest.raises(config.Misconfigured, match=f"DATABASE_URL {fault}"):
        tried(server, user)


@pytest.mark.parametrize(
    ("grants", "fault"),
    [
        ("ALTER ROLE {role} BYPASSRLS", "has BYPASSRLS"),
        ("ALTER ROLE {role} INHERIT; GRANT continuum_clinic TO {role}", "inherits the rights of another role"),
        ("ALTER ROLE {role} INHERIT; GRANT continuum_owner TO {role}", "owns tables"),
    ],
)
def test_rights_that_see_everybodys_rows_are_named(
    role: str, server: postgres.Server, superuser: psycopg.Connection[Any], grants: str, fault: str
) -> None:
    tried(server, role)
    for grant in grants.format(role=role).split(";"):
        superuser.execute(grant)
    with pytest.raises(config.Misconfigured, match=fault):
        tried(server, role)


def test_a_role_that_may_be_entered_is_not_held(
    role: str, server: postgres.Server, superuser: psycopg.Connection[Any]
) -> None:
    superuser.execute(f"GRANT continuum_clinic TO {role}")
    tried(server, role)


def test_a_database_out_of_reach_is_asked_when_it_is_there(
    role: str, server: postgres.Server, superuser: psycopg.Connection[Any]
) -> None:
    superuser.execute(f"ALTER ROLE {role} BYPASSRLS NOLOGIN")
    engine = sa.create_engine(server.url(role, "continuum"))
    login.refuse_privileged(engine)
    superuser.execute(f"ALTER ROLE {role} LOGIN")
    with pytest.raises(config.Misconfigured):
        engine.connect()
    engine.dispose()


def test_the_house_itself_is_guarded(app: Continuum) -> None:
    with db.engine().connect() as connection:
        assert connection.scalar(sa.text("SELECT session_user")) == "continuum_app"
    assert any(one.__module__ == "api.login" for one in db.engine().pool.dispatch.connect)

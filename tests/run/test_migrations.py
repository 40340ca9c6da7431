"""The migrations as a deployment meets them, on every PostgreSQL at hand: up, equal to the models, down, up again."""

import os

import pytest
import sqlalchemy as sa

import migrations
from api import pg_binaries, postgres

BINARIES = [*pg_binaries.system(), *pg_binaries.wheel()]


@pytest.fixture(params=BINARIES, ids=lambda folder: f"pg{pg_binaries.version_of(folder)}")
def connection(request, tmp_path):
    with postgres.running(tmp_path, durable=False, bin_dir=request.param) as cluster:
        postgres.prepare(cluster, "continuum")
        engine = sa.create_engine(cluster.url("continuum_owner", "continuum"), poolclass=sa.NullPool)
        with engine.connect() as connection:
            yield connection


def test_the_versions_that_are_asked_for_are_at_hand():
    """POSTGRES_VERSIONS names those that a machine must check; CI asks for the floor and the newest."""
    asked = set(os.environ.get("POSTGRES_VERSIONS", "").split())
    assert asked <= {str(pg_binaries.version_of(folder)) for folder in BINARIES}


def everything(connection):
    """What stands in the database beside alembic's own table."""
    found = connection.execute(
        sa.text("""
        SELECT nspname || '.' || relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE nspname IN ('public', 'jobs') AND relname NOT LIKE 'alembic%'
        UNION ALL SELECT nspname || '.' || proname || '()' FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace
        WHERE nspname IN ('public', 'jobs')
        UNION ALL SELECT 'type ' || typname FROM pg_type JOIN pg_namespace n ON n.oid = typnamespace
        WHERE nspname IN ('public', 'jobs') AND typname NOT LIKE '%alembic%'""")
    )
    names = sorted(name for (name,) in found)
    connection.rollback()
    return names


def test_up_equal_to_the_models_down_and_up_again(connection):
    migrations.upgrade(connection=connection)
    migrations.check(connection=connection)
    first = everything(connection)
    migrations.downgrade("base", connection=connection)
    assert everything(connection) == []
    migrations.upgrade(connection=connection)
    assert everything(connection) == first

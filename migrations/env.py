"""Alembic's surroundings: migrations run as the owner (DATABASE_OWNER_URL), one migrator at a time.

A migration that cannot get its locks within four seconds gives up rather than stop the clinic. The schema
`jobs` is the queue library's own and is left out of comparisons.
"""

import os

import sqlalchemy as sa
from alembic import context

from api import db, models

MIGRATORS = 0xC0471

assert models
target = db.Base.metadata


def included(name: str | None, kind: str, parents: dict[str, str | None]) -> bool:
    return not (kind == "schema" and name == "jobs")


def run(connection: sa.Connection) -> None:
    context.configure(
        connection=connection, target_metadata=target, include_name=included, transaction_per_migration=True
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    context.configure(dialect_name="postgresql", target_metadata=target)
    with context.begin_transaction():
        context.run_migrations()
elif (given := context.config.attributes.get("connection")) is not None:
    run(given)
else:
    engine = sa.create_engine(os.environ["DATABASE_OWNER_URL"], poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.execute(sa.text("SET lock_timeout = '4s'"))
        connection.execute(sa.text(f"SELECT pg_advisory_lock({MIGRATORS})"))
        connection.commit()
        run(connection)

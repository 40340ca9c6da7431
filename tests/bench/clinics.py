"""Databases with a synthetic clinic of a given size, made by the real migrations and filled by `clinic.sql`."""

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa

import migrations
from api import auth, clock, config, db, keys, postgres, supervisor, vocabulary
from api.app import open_house
from api.programs import catalogue

ISSUER = "http://127.0.0.1"
SIGNED_IN = 2000
INDEXES = """
SELECT indexname, indexdef FROM pg_indexes
WHERE tablename IN ('attendances', 'care_sessions') AND indexname LIKE 'ix%'
"""


class Clinic:
    """One database of the bench, and the patients in it who are signed in."""

    def __init__(self, server: postgres.Server, name: str, patients: int, keys: Path) -> None:
        self.server, self.name, self.patients, self.keys = server, name, patients, keys

    @classmethod
    def loaded(cls, server: postgres.Server, keys: Path, name: str, patients: int) -> "Clinic":
        """With its database made and filled."""
        clinic = cls(server, name, patients, keys)
        clinic.load()
        return clinic

    def load(self) -> None:
        postgres.prepare(self.server, self.name)
        engine = sa.create_engine(self.server.url("continuum_owner", self.name), poolclass=sa.NullPool)
        with engine.connect() as connection:
            migrations.upgrade(connection=connection)
        engine.dispose()
        self._publish()
        with self.unhindered() as connection, _indexed_later(connection):
            connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
            connection.execute("SET work_mem = '256MB'; SET maintenance_work_mem = '256MB'")
            _run(connection, Path(__file__).with_name("clinic.sql").read_text(), patients=self.patients)
        with self.unhindered() as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")

    def _publish(self) -> None:
        """The clinic's programs, as `make run` loads them."""
        open_house(config.read(self.settings()))
        with db.transaction(db.SYSTEM):
            catalogue.load(at=clock.now())
        db.engine().dispose()

    def settings(self) -> dict[str, str]:
        """A server's environment."""
        return {
            **supervisor.DEVELOPMENT,
            "DATABASE_URL": self.server.url("continuum_app", self.name),
            # For the peers: a role that no policy hinders.
            "DSN": f"postgresql://postgres@/{self.name}?host={self.server.sockets}&port={postgres.PORT}",
            "TOKEN_KEYS_FILE": str(self.keys),
            "CURSOR_SECRET": "0123456789abcdef" * 2,
            "ACCESS_SECRET": "fedcba9876543210" * 2,
            "ENCRYPTION_KEYS": "k1:" + "0123456789abcdef" * 4,
            "PUBLIC_URL": ISSUER,
            # One loopback address asks for all programs; counting it stays in the measure, refusing it would not.
            "REQUESTS_PER_MINUTE": "10000000",
        }

    @contextmanager
    def unhindered(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection past every policy."""
        dsn = self.server.dsn(postgres.SUPERUSER, self.name)
        with psycopg.connect(dsn, autocommit=True) as connection:
            yield connection

    def tokens(self) -> dict[UUID, str]:
        """Fresh tokens, good for ten minutes, of the same patients every time."""
        with self.unhindered() as connection:
            rows = connection.execute("SELECT patient_id, id FROM app_sessions ORDER BY id").fetchall()
        chosen = random.Random(7).sample(rows, min(SIGNED_IN, len(rows)))
        issuer = auth.Tokens(keys.KeyFile(self.keys).current, issuer=ISSUER, remembered=0)
        scopes = vocabulary.PATIENT_SCOPES
        return {
            patient: issuer.issue(kind="patient", subject=patient, client_id="demo", scopes=scopes, sid=app_session)
            for patient, app_session in chosen
        }


def new_keys(file: Path) -> Path:
    file.write_text(json.dumps({"keys": [keys.new_key()]}))
    return file


def _run(connection: psycopg.Connection[Any], script: str, **values: Any) -> None:
    connection.execute(psycopg.ClientCursor(connection).mogrify(script, values).encode())


@contextmanager
def _indexed_later(connection: psycopg.Connection[Any]) -> Iterator[None]:
    found = connection.execute(INDEXES).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX {name}".encode())
    yield
    for _, definition in found:
        connection.execute(definition.encode())

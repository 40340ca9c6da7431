"""A real PostgreSQL for every test process, built by the real migrations; tests commit, and are swept after."""

import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import orm

import migrations
from api import clock, config, db, postgres, refusals, vocabulary
from api.access import service as access
from api.keys import new_key
from api.patients import service as patients
from api.programs import catalogue, shelf
from tests.knocking import Knocker

if TYPE_CHECKING:
    from api.app import Continuum

KEPT = ("alembic_version", "programs", "program_revisions", "catalogue_version", "check_in_schedules")
# Made once for a connection: its plans are kept, and a table that is empty costs next to nothing. The catalogue's
# version goes onward, not back: no number may name two catalogues to whoever keeps one of them.
MAKE_SWEEP = """
DO $make$ DECLARE deletes text; BEGIN
  SELECT string_agg(format('DELETE FROM %%I;', tablename), E'\n') INTO deletes
  FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL (%s);
  EXECUTE format($f$
    CREATE FUNCTION pg_temp.sweep() RETURNS void LANGUAGE plpgsql SET session_replication_role = replica AS $$ BEGIN
      IF EXISTS (SELECT FROM program_revisions WHERE number > 1) THEN
        UPDATE programs SET current_revision = 1, version = 1, offered_here = (content ->> 'offered_here')::boolean,
          residential = (content ->> 'residential')::boolean
        FROM program_revisions WHERE program_id = programs.id AND number = 1;
        DELETE FROM program_revisions WHERE number > 1;
        UPDATE catalogue_version SET version = version + 1;
      END IF;
      %%s
    END $$
  $f$, deletes);
END $make$
"""

# Files whose tests take longest begin first, so that none of them is what everybody waits for in the end.
LONGEST_FIRST = ("tests/run/", "tests/faults/", "tests/contract/", "tests/matrix/", "tests/reminders/", "tests/today/")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: a test waits for PostgreSQL, or for a process of its own, half as long as it
    works."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def rank(item: pytest.Item) -> int:
        ranks = (number for number, folder in enumerate(LONGEST_FIRST) if item.nodeid.startswith(folder))
        return next(ranks, len(LONGEST_FIRST))

    items.sort(key=rank)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[postgres.Server]:
    with postgres.running(tmp_path_factory.mktemp("postgres"), durable=False) as running:
        postgres.prepare(running, "continuum")
        migrate(running, "continuum")
        yield running


def migrate(running: postgres.Server, database: str) -> None:
    engine = sa.create_engine(running.url("continuum_owner", database), poolclass=sa.NullPool)
    with engine.connect() as connection:
        migrations.upgrade(connection=connection)
    engine.dispose()


@pytest.fixture(scope="session")
def settings(server: postgres.Server, tmp_path_factory: pytest.TempPathFactory) -> config.Config:
    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    keys.write_text(json.dumps({"keys": [new_key()]}))
    return config.read(
        {
            "CONTINUUM_ENV": "development",
            "DATABASE_URL": server.url("continuum_app", "continuum"),
            "TOKEN_KEYS_FILE": str(keys),
            "CURSOR_SECRET": "0123456789abcdef" * 2,
            "ACCESS_SECRET": "fedcba9876543210" * 2,
            "ENCRYPTION_KEYS": "k1:" + "0123456789abcdef" * 4,
            "REQUESTS_PER_MINUTE": "1000000",
            "DUTY_CONTACTS": "duty-1,duty-2",
            "WEBSITE_ORIGINS": "https://www.clinic.example",
            "REFERRAL_REQUESTS_PER_HOUR": "1000000",
            "DATABASE_POOL": "24",
        }
    )


@pytest.fixture(scope="session")
def app(settings: config.Config) -> "Iterator[Continuum]":
    from api.app import create_app

    made = create_app(settings)
    with db.transaction(db.SYSTEM):
        catalogue.load(at=datetime(2026, 11, 2, 15, tzinfo=UTC))
    yield made
    db.engine().dispose()


@pytest.fixture(scope="session")
def superuser(server: postgres.Server) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(server.dsn("postgres", "continuum"), autocommit=True) as connection:
        connection.execute(psycopg.ClientCursor(connection).mogrify(MAKE_SWEEP, [list(KEPT)]))
        yield connection


@pytest.fixture(autouse=True)
def swept(request: pytest.FixtureRequest) -> Iterator[None]:
    """Empty what a test with a database left behind; the catalogue stays, or becomes again what it was."""
    used = {"app", "server"} & set(request.fixturenames)
    sweeper = request.getfixturevalue("superuser") if used else None
    yield
    if sweeper:
        sweep(sweeper)


def sweep(superuser: psycopg.Connection[Any]) -> None:
    superuser.execute("SELECT pg_temp.sweep()")
    shelf.forget()
    refusals.floods.forget()


@pytest.fixture
def visitor(app: "Continuum") -> Knocker:
    """Somebody without a token."""
    return Knocker(app)


@pytest.fixture
def clinic(app: "Continuum", superuser: psycopg.Connection[Any]) -> Knocker:
    """One of the clinic's own systems, acting for a counselor."""
    client = add_client(superuser, kind="clinic", name="test record system", scopes=vocabulary.CLINIC_SCOPES)
    token = app.extensions["tokens"].issue(
        kind="clinic", subject=client, client_id=str(client), scopes=vocabulary.CLINIC_SCOPES
    )
    return Knocker(app, {"Authorization": f"Bearer {token}", "Acting-User": '"u-17";role=counselor'}, id=client)


def add_client(
    superuser: psycopg.Connection[Any], *, kind: str, name: str, scopes: Iterable[str], partner_kind: str = "other"
) -> uuid.UUID:
    """A client without keys of its own; the tests make its tokens."""
    verified = partner_kind if kind == "partner" else None
    made = "INSERT INTO api_clients (id, kind, name, scopes, partner_kind) VALUES (%s, %s, %s, %s, %s) RETURNING id"
    row = superuser.execute(made, [db.uuid7(), kind, name, list(scopes), verified]).fetchone()
    assert row
    found: uuid.UUID = row[0]
    return found


@pytest.fixture
def new_patient(app: "Continuum") -> Callable[..., Knocker]:
    """Makes signed-in patients; keywords are those of `patients.upsert`."""

    def make(**known: Any) -> Knocker:
        external_id = known.pop("external_id", f"EHR-{uuid.uuid4().hex[:12]}")
        with db.transaction(db.SYSTEM):
            patient = patients.upsert(external_id=external_id, at=clock.now(), **known)
        return sign_in(app, patient.id, external_id)

    return make


def sign_in(
    app: "Continuum",
    patient_id: uuid.UUID,
    external_id: str | None = None,
    *,
    scopes: Iterable[str] = vocabulary.PATIENT_SCOPES,
) -> Knocker:
    with db.transaction(db.Caller(kind="patient", patient_id=patient_id)):
        app_session = access.open_app_session(patient_id=patient_id, client_id=config.DEMO_APP)
    token = app.extensions["tokens"].issue(
        kind="patient",
        subject=patient_id,
        client_id=config.DEMO_APP,
        scopes=scopes,
        sid=app_session.id,
    )
    return Knocker(app, {"Authorization": f"Bearer {token}"}, patient_id, external_id, app_session.id)


@pytest.fixture
def patient(new_patient: Callable[..., Knocker]) -> Knocker:
    return new_patient(preferred_name="Sam")


@pytest.fixture
def other_patient(new_patient: Callable[..., Knocker]) -> Knocker:
    return new_patient(preferred_name="Robin")


@pytest.fixture
def as_worker(app: "Continuum") -> Callable[[], AbstractContextManager[orm.Session]]:
    return lambda: db.transaction(db.WORKER)


@pytest.fixture
def owner_sql(superuser: psycopg.Connection[Any]) -> Callable[..., list[tuple[Any, ...]]]:
    """Looks past every policy: for arranging and for asserting on rows, never for what a caller sees."""

    def run(statement: str, *values: Any) -> list[tuple[Any, ...]]:
        cursor = superuser.execute(statement, values)
        return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def travel(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | datetime], datetime]:
    """Moves the domain's clock, never that of tokens or of the database."""

    def to(when: str | datetime) -> datetime:
        at = datetime.fromisoformat(when).astimezone(UTC) if isinstance(when, str) else when
        monkeypatch.setattr(clock, "now", lambda: at)
        return at

    return to

"""The API as it is served, in processes of its own over a PostgreSQL of its own with durable settings."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api import children, config, postgres, supervisor
from api.keys import new_key
from tests.conftest import migrate
from tests.run.clones import free_port, status, wait_until

ROOT = Path(__file__).parents[2]
LOADING = """
import sys
from pathlib import Path
from api import app, clock, config, db, demo
from api.programs import catalogue
settings = config.read()
app.open_house(settings)
with db.transaction(db.SYSTEM):
    catalogue.load(at=clock.now())
demo.load(settings)
demo.register(settings, sys.argv[2])
demo.write_tokens(settings, Path(sys.argv[1]))
"""


Answered = tuple[int, dict[str, str], bytes]


@dataclass
class House:
    """The served API; `token` is the demo patient's, `clinic` the demo record system's."""

    server: postgres.Server
    port: int
    token: str
    clinic: str
    env: dict[str, str]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}

    def ask(
        self, method: str, path: str, body: Any = None, *, seconds: float = 10
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request(method, path, json.dumps(body) if body else None, self.headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


@contextmanager
def served(folder: Path, *, threads: int) -> Iterator[House]:
    """Migrated, with the demo clinic, answering; all of it ends with the block."""
    keys = folder / "keys.json"
    keys.write_text(json.dumps({"keys": [new_key()]}))
    with postgres.running(folder / "postgres", durable=True) as server:
        postgres.prepare(server, "continuum")
        port = free_port()
        env = {
            **os.environ,
            "CONTINUUM_ENV": "development",
            "DATABASE_URL": server.url("continuum_app", "continuum"),
            "DATABASE_OWNER_URL": server.url("continuum_owner", "continuum"),
            "TOKEN_KEYS_FILE": str(keys),
            "CURSOR_SECRET": "0123456789abcdef" * 2,
            "ACCESS_SECRET": "fedcba9876543210" * 2,
            "ENCRYPTION_KEYS": "k1:" + "0123456789abcdef" * 4,
            "PUBLIC_URL": f"http://127.0.0.1:{port}",
            "THREADS": str(threads),
            "REQUESTS_PER_MINUTE": "1000000",
            "DUTY_CONTACTS": "duty-1",
        }
        migrate(server, "continuum")
        words = ["-c", LOADING, str(folder / "tokens"), env["DATABASE_OWNER_URL"]]
        done = subprocess.run([sys.executable, *words], cwd=ROOT, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        tokens = [(folder / "tokens" / kind).read_text() for kind in ("patient", "clinic")]
        with _answering(env, port, folder / "api.log"):
            yield House(server, port, *tokens, env=env)


@contextmanager
def beside(house: House, log: Path) -> Iterator[int]:
    """The port of one more process of the same API, which knows nothing of the first but the database."""
    port = free_port()
    with _answering(house.env, port, log):
        yield port


@contextmanager
def _answering(env: dict[str, str], port: int, log: Path) -> Iterator[None]:
    api = children.Child("API", supervisor.serve(config.read(env), port), env=env, cwd=ROOT, log=log)
    try:
        wait_until(lambda: _answers(port))
        yield
    finally:
        api.ask_to_stop()
        api.stop(10)


def _answers(port: int) -> bool:
    try:
        return status(port, "/readyz") == 200
    except OSError:
        return False

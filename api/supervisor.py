"""`make run`: the whole house on one machine, for development: database, API and worker, stopped together.

All state lies in `.data/` of the clone; a lock there keeps a second supervisor out. Development's secrets are made
once, readable by their owner only, and reach the processes by their environment as a deployment's would. Whatever part
ends by itself ends the whole. What is heavy to import is imported where it is used: the API and the worker load their
modules at the same time, and the second start is to be a fast one.
"""

import contextlib
import json
import os
import secrets
import shlex
import signal
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import psycopg

from api import carriers, config, loading, postgres, preflight, roles, welcome
from api.children import CannotStart, Child

ROOT = Path(__file__).resolve().parents[1]
DATABASE = "continuum"
READY_SECONDS = 60
STOP_SECONDS = 10
SECONDS_BETWEEN_TOKENS = 240
# Numbers that belong to nobody (555-0100 to 555-0199), for development only.
DEVELOPMENT = {
    "CONTINUUM_ENV": "development",
    "CLINIC_PHONE": "+1 202-555-0142",
    "DUTY_CONTACTS": "demo-duty-1,demo-duty-2",
    # Where `python -m api.cli receiver` listens.
    "WEBHOOK_LOOPBACK": "http://127.0.0.1:8099/webhooks",
}
# A carrier of texts that writes them to the log, and whose answers can be simulated.
TEXTS = {"SMS_URL": carriers.CONSOLE, "SMS_ACCOUNT": "demo", "SMS_FROM": "+12025550100"}


class Told(BaseException):
    """A signal asks for the end."""


class Part(Protocol):
    """What must not end before the whole does."""

    name: str
    log: Path

    def is_up(self) -> bool: ...

    def last_words(self) -> str: ...


def run(env: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Runs until told to stop. Raises CannotStart, Misconfigured, each with a sentence."""
    if env.get("CONTINUUM_ENV", "development") != "development":
        raise CannotStart("This is how Continuum runs in development: elsewhere start `serve` and `worker`.")
    port, data, parts = preflight.port_of(env), ROOT / ".data", list[Part]()
    with listening_to_signals(), contextlib.ExitStack() as house:
        house.enter_context(preflight.only_one(data))
        preflight.refuse_busy(port)
        settings = {**DEVELOPMENT, **env, **house.enter_context(database(env, data, parts)), **made_secrets(env, data)}
        settings.setdefault("PUBLIC_URL", f"http://127.0.0.1:{port}")
        write_settings(settings, data / "settings")
        migrate(settings["DATABASE_OWNER_URL"])
        # The API and the worker load while the demo clinic does: that halves the time to the first answer.
        start(house, settings, data, port, parts)
        load(config.read(settings), data, settings["DATABASE_OWNER_URL"])
        await_ready(port, parts)
        say(welcome.text(settings["PUBLIC_URL"]))
        watch(parts, settings, data)


@contextlib.contextmanager
def listening_to_signals() -> Iterator[None]:
    """Raises Told in the block, and swallows it, at the first signal; later ones do not disturb the stop."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def told(*_: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise Told

    before = {number: signal.signal(number, told) for number in numbers}
    try:
        with contextlib.suppress(Told):
            yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def database(env: Mapping[str, str], data: Path, parts: list[Part]) -> Iterator[dict[str, str]]:
    """The addresses of both logins: the environment's, else those of the embedded server, which runs in the block."""
    given = {name: env[name] for name in ("DATABASE_URL", "DATABASE_OWNER_URL") if env.get(name)}
    if len(given) == 1:
        raise CannotStart(
            "Set both DATABASE_URL (the app's login) and DATABASE_OWNER_URL (for migrations), or neither."
        )
    if given:
        for name, url in given.items():
            preflight.refuse_unreachable(name, url)
        yield given
        return
    with postgres.running(data / "postgres") as server:
        parts.append(server)
        postgres.prepare(server, DATABASE)
        logins = {"DATABASE_URL": roles.APP, "DATABASE_OWNER_URL": roles.OWNER}
        yield {name: server.url(login, DATABASE) for name, login in logins.items()}


def made_secrets(env: Mapping[str, str], data: Path) -> dict[str, str]:
    keys = data / "token-keys.json"
    kept_secret(keys, new_keys)
    made = {"TOKEN_KEYS_FILE": str(keys), "CLOCK_FILE": str(data / "clock")}
    for name in ("cursor-secret", "access-secret", "sms-token"):
        made[name.upper().replace("-", "_")] = kept_secret(data / name, lambda: secrets.token_hex(32))
    made["ENCRYPTION_KEYS"] = kept_secret(data / "encryption-keys", lambda: f"k1:{secrets.token_hex(32)}")
    made |= {} if env.get("SMS_ACCOUNT") else TEXTS
    return {name: env.get(name) or value for name, value in made.items()}


def write_settings(settings: Mapping[str, str], file: Path) -> None:
    """What the processes are told, for whoever types commands beside them: `set -a; . .data/settings; set +a`."""
    names = (
        *("CONTINUUM_ENV", "DATABASE_URL", "DATABASE_OWNER_URL", "TOKEN_KEYS_FILE", "CURSOR_SECRET", "ACCESS_SECRET"),
        *("ENCRYPTION_KEYS", "CLOCK_FILE", "SMS_URL", "SMS_ACCOUNT", "SMS_TOKEN", "SMS_FROM"),
    )
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
        opened.writelines(f"{name}={shlex.quote(settings[name])}\n" for name in (*names, "PUBLIC_URL"))


def new_keys() -> str:
    from api import keys

    return json.dumps({"keys": [keys.new_key()]})


def kept_secret(file: Path, make: Callable[[], str]) -> str:
    """What the file holds; it is made whole and with mode 0600 the first time."""
    if not file.exists():
        fresh = file.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(make())
        fresh.rename(file)
    return file.read_text()


def migrate(url: str) -> None:
    """Brings the database up to date. One that is needs none of the machinery that would find it so."""
    if revision(url) == max(file.stem for file in (ROOT / "migrations" / "versions").glob("[0-9]*.py")):
        return
    import migrations

    os.environ["DATABASE_OWNER_URL"] = url
    migrations.upgrade()


def revision(url: str) -> str | None:
    """The name of the newest migration that the database has seen; files are named as their revisions."""
    with psycopg.connect(postgres.libpq(url)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            return None
    return row[0] if row else None


def load(settings: config.Config, data: Path, owner_url: str) -> None:
    """The catalogue, the demo clinic and its tokens; doing it again changes only what time has used up."""
    with loading.to_stay():
        from api import app, clock, db, demo
        from api.programs import catalogue

    app.open_house(settings)
    with db.transaction(db.SYSTEM):
        catalogue.load(at=clock.now())
    demo.load(settings)
    demo.register(settings, owner_url)
    demo.write_tokens(settings, data / "tokens")


def start(house: contextlib.ExitStack, settings: dict[str, str], data: Path, port: int, parts: list[Part]) -> None:
    env = {name: value for name, value in settings.items() if name != "DATABASE_OWNER_URL"}
    commands = {"API": serve(config.read(settings), port), "worker": [sys.executable, "-m", "api.cli", "worker"]}
    children: list[Child] = []
    house.callback(stop, children)
    for name, command in commands.items():
        children.append(Child(name, command, env=env, cwd=ROOT, log=data / f"{name.lower()}.log"))
        parts.append(children[-1])


def stop(children: list[Child]) -> None:
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.stop(STOP_SECONDS)


def serve(settings: config.Config, port: int, *, host: str = "127.0.0.1") -> list[str]:
    """The command of the API's server, the same for development, measuring and production."""
    words = {
        "--interface": "wsgi",
        "--host": host,
        "--port": str(port),
        "--workers": os.environ.get("WORKERS", "1"),
        "--blocking-threads": str(settings.threads),
        "--http": "1",
        "--http1-header-read-timeout": "10000",
        "--workers-kill-timeout": "5",
        "--log-level": "error",
    }
    return [sys.executable, "-m", "granian", *(part for pair in words.items() for part in pair), "--no-ws", "wsgi:app"]


def await_ready(port: int, parts: list[Part]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not is_ready(port):
        refuse_ended(parts)
        if time.monotonic() > deadline:
            raise CannotStart(f"The API was not ready within {READY_SECONDS} seconds; see .data/api.log.")
        time.sleep(0.05)


def is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def refuse_ended(parts: list[Part]) -> None:
    for part in parts:
        if not part.is_up():
            raise CannotStart(
                f"The {part.name} ended by itself: {part.last_words()} (see {part.log.relative_to(ROOT)})"
            )


def watch(parts: list[Part], settings: dict[str, str], data: Path) -> None:
    """Never returns: a signal ends it, or a part that ends by itself."""
    from api import demo, errors

    due = time.monotonic() + SECONDS_BETWEEN_TOKENS
    while True:
        refuse_ended(parts)
        if time.monotonic() > due:
            # A database that restarts just now is asked again at the next look.
            with contextlib.suppress(errors.Unavailable):
                demo.write_tokens(config.read(settings), data / "tokens")
                due = time.monotonic() + SECONDS_BETWEEN_TOKENS
        time.sleep(0.2)

"""What must hold before anything is started, each with the sentence that says it does not."""

import contextlib
import fcntl
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import sqlalchemy as sa

from api import postgres, roles
from api.children import CannotStart


def port_of(env: Mapping[str, str]) -> int:
    text = env.get("PORT", "8000")
    if not text.isdecimal() or not 1 <= int(text) <= 65_535:
        raise CannotStart(f"PORT must be a whole number from 1 to 65535, not {text!r}.")
    return int(text)


@contextlib.contextmanager
def only_one(data: Path) -> Iterator[None]:
    data.mkdir(mode=0o700, exist_ok=True)
    with (data / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart("Continuum already runs in this folder: stop it first.") from None
        yield


def refuse_busy(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotStart(
                f"Port {port} cannot be used ({error.strerror}): choose another, PORT=8001 make run."
            ) from None


def refuse_unreachable(name: str, url: str) -> None:
    try:
        psycopg.connect(postgres.libpq(url), connect_timeout=5).close()
    except sa.exc.ArgumentError:
        raise CannotStart(f"{name} is not a database address.") from None
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise CannotStart(f"{name} cannot be reached: {reason}") from None


def login(env: Mapping[str, str], name: str) -> sa.URL:
    """The address that a variable names."""
    try:
        return sa.make_url(env.get(name, ""))
    except sa.exc.ArgumentError:
        raise CannotStart(f"{name} is not set to a database address.") from None


def administrator(env: Mapping[str, str]) -> roles.Connect:
    """Connects, as the login of DATABASE_ADMIN_URL, to a database of that server."""
    url = login(env, "DATABASE_ADMIN_URL")
    refuse_unreachable("DATABASE_ADMIN_URL", url.render_as_string(hide_password=False))
    return lambda name: psycopg.connect(
        postgres.libpq(url.set(database=name).render_as_string(hide_password=False)), connect_timeout=5
    )

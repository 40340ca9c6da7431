"""The embedded PostgreSQL of development and tests: found, started, watched and stopped by us.

The server is our child: we reap it, so a killed one never stands in the way of the next. It speaks only over a unix
socket in a folder (0700) of its own under the temporary directory, because a socket's path may not pass 107 bytes
however deep the clone lies. PostgreSQL refuses root, so root hands it to the owner of its data (`nobody`) and lets it
keep the right to pass through folders that are closed to that user. On Linux the kernel ends it when the starting
thread ends, even by SIGKILL: start it from the main thread.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
import sqlalchemy as sa
from psycopg.conninfo import make_conninfo

from api import pg_process, roles
from api.children import CannotStart
from api.pg_binaries import find

__all__ = ["CannotStart", "Server", "libpq", "prepare", "roles_sql", "running"]

SUPERUSER = "postgres"
PORT = "5432"
START_SECONDS = 60
LONGEST_SOCKET_FOLDER = 80
SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT, "kill": signal.SIGKILL}
SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # A failed statement may carry personal data: the server's log shows the error, never the statement.
    "log_min_error_statement": "panic",
}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
LEFT_BEHIND = ("lock file", "shared memory")

roles_sql = roles.sql


class Server:
    """A PostgreSQL that runs until `stop()`; made by `running()`. Logins are trusted: who is at the socket is us."""

    name = "database"

    def __init__(self, home: Path, sockets: Path, bin_dir: Path, *, durable: bool) -> None:
        self.home, self.sockets, self.bin_dir, self.durable = home, sockets, bin_dir, durable
        self.cluster, self.log = home / "cluster", home / "server.log"
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, user: str, database: str) -> str:
        """For SQLAlchemy."""
        place = urlencode({"host": str(self.sockets), "port": PORT}, quote_via=quote)
        return f"postgresql+psycopg://{quote(user)}@/{quote(database)}?{place}"

    def dsn(self, user: str, database: str) -> str:
        """For libpq."""
        return make_conninfo(host=str(self.sockets), port=PORT, user=user, dbname=database)

    def start(self) -> None:
        """Returns once the server answers. Raises CannotStart, and leaves nothing running then."""
        deadline = time.monotonic() + START_SECONDS
        while not self._started(deadline):
            # Backends of a killed server hold its memory for a moment longer.
            time.sleep(0.1)

    def stop(self, mode: str = "fast") -> None:
        """Modes are those of `pg_ctl stop`, and `kill` for SIGKILL. Stopping what is stopped does nothing."""
        process, self.process = self.process, None
        for seconds, how in ((15, mode), (5, "immediate"), (None, "kill")):
            if process is None or process.poll() is not None:
                return
            process.send_signal(SIGNALS[how])
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)

    def restart(self, mode: str = "immediate") -> None:
        """The same address answers again afterwards; `immediate` and `kill` make it recover as after a crash."""
        self.stop(mode)
        self.start()

    def is_up(self) -> bool:
        """Says whether the process runs; a server in recovery is up and does not answer yet."""
        return self.process is not None and self.process.poll() is None

    def last_words(self) -> str:
        """The last complaint in the server's log."""
        return pg_process.reason(self.log.read_text(errors="replace"))

    def _started(self, deadline: float) -> bool:
        pg_process.end_orphan(self.cluster)
        with self.log.open("wb") as log:
            command = [
                *pg_process.dressed(self.cluster),
                str(self.bin_dir / "postgres"),
                "-D",
                str(self.cluster),
                *self._settings(),
            ]
            self.process = pg_process.spawn(command, log)
        while self.is_up():
            if self._answers():
                return True
            if time.monotonic() > deadline:
                self.stop("immediate")
                raise CannotStart(f"PostgreSQL did not answer within {START_SECONDS} seconds; see {self.log}.")
            time.sleep(0.02)
        reason = self.last_words()
        if time.monotonic() < deadline and any(word in reason for word in LEFT_BEHIND):
            return False
        raise CannotStart(f"PostgreSQL stopped while starting: {reason}")

    def _settings(self) -> list[str]:
        chosen = SETTINGS | {"unix_socket_directories": f'"{self.sockets}"'} | ({} if self.durable else FORGETFUL)
        return [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.dsn(SUPERUSER, "postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


@contextlib.contextmanager
def running(data_dir: Path, *, durable: bool = True, bin_dir: Path | None = None) -> Iterator[Server]:
    """Starts the server whose data lies in `data_dir` (made when missing) and stops it at the end.

    A cluster keeps to the major version that made it. `durable=False` loses acknowledged commits in a crash: for tests.
    Raises CannotStart, also where another process of ours already runs a server there.
    """
    home = Path(data_dir).resolve()
    with contextlib.ExitStack() as stack:
        with _plainly(home):
            lock = stack.enter_context(_alone(home))
            _refuse_foreign(home / "cluster")
            sockets = stack.enter_context(_sockets(lock))
            binaries = find(bin_dir, made_by=_made_by(home / "cluster"))
            _initialize(home, binaries, durable=durable)
            server = Server(home, sockets, binaries, durable=durable)
            stack.callback(server.stop)
            server.start()
        yield server


def prepare(server: Server, database: str) -> None:
    """Makes the roles and the database, owned by the migrating role; doing it again changes nothing."""
    roles.apply(lambda name: psycopg.connect(server.dsn(SUPERUSER, name)), database)


def libpq(url: str) -> str:
    """SQLAlchemy's address as libpq reads it. Raises `sqlalchemy.exc.ArgumentError` when it is none."""
    return sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


@contextlib.contextmanager
def _plainly(home: Path) -> Iterator[None]:
    """Turns what the file system refuses into a sentence."""
    try:
        yield
    except OSError as error:
        raise CannotStart(f"Cannot use {home} for the database: {error.strerror}.") from error


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[Path]:
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"Another process already runs the database in {home}.") from None
        yield home / "lock"


def _refuse_foreign(cluster: Path) -> None:
    if cluster.exists() and os.geteuid() not in (0, cluster.stat().st_uid):
        raise CannotStart(f"{cluster} belongs to another user: run as that user, or remove it with `make clean`.")


@contextlib.contextmanager
def _sockets(lock: Path) -> Iterator[Path]:
    """A short folder for the sockets. The lock file names it, so that the next start removes what a killed one left."""
    left = lock.read_text()
    if Path(left).name.startswith("continuum-"):
        shutil.rmtree(left, ignore_errors=True)
    short = len(os.fsencode(tempfile.gettempdir())) < LONGEST_SOCKET_FOLDER
    folder = Path(tempfile.mkdtemp(prefix="continuum-", dir=None if short else "/tmp"))  # noqa: S108
    try:
        lock.write_text(str(folder))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _made_by(cluster: Path) -> int | None:
    marker = cluster / "PG_VERSION"
    return int(marker.read_text()) if marker.exists() else None


def _initialize(home: Path, bin_dir: Path, *, durable: bool) -> None:
    """Makes the cluster aside and renames it when it is whole: a start that is broken off leaves no half of one."""
    if (home / "cluster").exists():
        return
    fresh = home / "cluster.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    pg_process.hand_over(fresh)
    options = ["--username", SUPERUSER, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]
    command = [
        *pg_process.dressed(fresh),
        str(bin_dir / "initdb"),
        "-D",
        str(fresh),
        *options,
        *([] if durable else ["--no-sync"]),
    ]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/", env=pg_process.environment()
    )
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise CannotStart(f"PostgreSQL could not make its files in {home}: {pg_process.reason(done.stderr)}")
    fresh.rename(home / "cluster")

"""The servers that are measured: ours with the command of `make run`, peers on granian with the same flags, and FastAPI
on uvicorn with the fastest loop and parser that there are for it."""

import contextlib
import os
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from api import config, supervisor
from api.children import Child
from tests.bench.clinics import Clinic

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 20


class Server:
    """One server process with its own port."""

    def __init__(self, name: str, port: int, child: Child, env: dict[str, str]) -> None:
        self.name, self.port, self._child, self.env = name, port, child, env

    @property
    def worker_rss_mb(self) -> float:
        """Resident memory of the process that answers: the largest of those that were started."""
        return max(_rss(pid) for pid in _family(self._child.pid)) / 1e6


@contextlib.contextmanager
def serving(name: str, clinic: Clinic, app: str, folder: Path, **settings: str) -> Iterator[Server]:
    """`app` is `wsgi:app` for ours, else a module of the peers; a FastAPI peer is served by uvicorn."""
    port = _free_port()
    env = {**os.environ, **clinic.settings(), **settings, "PYTHONPATH": str(ROOT)}
    command = _uvicorn(app, port) if "fastapi" in app else _granian(app, port, env)
    child = Child(name, command, env=env, cwd=ROOT, log=folder / f"{name}.log")
    try:
        _await(port, child)
        yield Server(name, port, child, env)
    finally:
        child.stop(5)


def command_of(module: str, *words: object) -> list[str]:
    """A program of the bench."""
    return [sys.executable, "-m", module, *map(str, words)]


def _granian(app: str, port: int, env: dict[str, str]) -> list[str]:
    *flags, _ = supervisor.serve(config.read(env), port)
    return [*flags, app]


def _uvicorn(app: str, port: int) -> list[str]:
    flags = ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return [sys.executable, "-m", "uvicorn", "--port", str(port), *flags, app]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int, child: Child) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(port):
        if not child.is_up() or time.monotonic() > deadline:
            raise RuntimeError(f"{child.name} did not start: {child.last_words()} (see {child.log})")
        time.sleep(0.05)


def _answers(port: int) -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


def _family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def _rss(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

"""Fresh clones of this repository in awkward places, run as a newcomer would, and what is left of them afterwards."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]
LEFT_OUT = shutil.ignore_patterns(".venv", ".data", ".git", "node_modules", "__pycache__", ".*_cache", ".hypothesis")
FOREIGN = ("DATABASE_URL", "DATABASE_OWNER_URL", "CONTINUUM_ENV", "PORT", "PG_BIN", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")


class Clone:
    """A copy of the working tree that shares this process's environment of packages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT, folder, ignore=LEFT_OUT)
        self.port = free_port()
        self.process: subprocess.Popen[str] | None = None

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        return kept | {"CONTINUUM_VENV": sys.prefix, "PORT": str(self.port)} | more

    def refused(self, **more: str) -> list[str]:
        """Says what `make run` answers instead of running; make's own last line is left out."""
        done = subprocess.run(
            ["make", "run"], cwd=self.folder, env=self.environment(**more), capture_output=True, text=True, timeout=120
        )
        assert done.returncode != 0
        return [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith("make")]

    def start(self) -> float:
        """Runs until ready; answers how many seconds that took."""
        began = time.monotonic()
        out = (self.folder / "said.txt").open("w")
        self.process = subprocess.Popen(
            ["make", "run"], cwd=self.folder, env=self.environment(), stdout=out, stderr=out, start_new_session=True
        )
        out.close()
        wait_until(lambda: "Logs:" in self.said() or self.process.poll() is not None, 120)
        assert self.process.poll() is None, self.said()
        return time.monotonic() - began

    def said(self) -> str:
        return (self.folder / "said.txt").read_text()

    def end(self, number: signal.Signals) -> int:
        """Sends the signal to the group and answers make's exit code."""
        os.killpg(self.process.pid, number)
        return self.process.wait(60)

    def pids(self) -> list[int]:
        """Processes that were started from this clone."""
        mark = os.fsencode(self.folder)
        return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if mark in started(entry)]

    def pid_of(self, words: str) -> int:
        mark = words.encode().replace(b" ", b"\0")
        return next(pid for pid in self.pids() if mark in read(Path(f"/proc/{pid}/cmdline")))

    def sockets(self) -> Path:
        return Path((self.folder / ".data" / "postgres" / "lock").read_text())

    def remove(self) -> None:
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(Path(sys.prefix, "cache", *self.folder.parts[1:]), ignore_errors=True)


def started(entry: Path) -> bytes:
    """How a process was started and where it stands; nothing for a zombie."""
    try:
        place = os.fsencode(os.readlink(entry / "cwd"))
    except OSError:
        place = b""
    return place + b"\0" + read(entry / "cmdline") if read(entry / "cmdline") else b""


def read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def wait_until(true, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


def body(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return answer.read().decode()

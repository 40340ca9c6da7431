"""How a program of PostgreSQL is started as our child: by whom, with what environment, and how it ends when we do."""

import os
import pwd
import signal
import subprocess
import time
from pathlib import Path
from typing import BinaryIO

from api.children import CannotStart, tied


def hand_over(folder: Path) -> None:
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)


def dressed(folder: Path) -> list[str]:
    """The words before a command that make it the user who owns the folder and tie its life to ours."""
    words = tied("INT")
    if os.geteuid() != 0:
        return [*words, "--"] if words else []
    if not words:
        raise CannotStart(
            "PostgreSQL does not run as root: run as another user, or install setpriv (package util-linux)."
        )
    owner = folder.stat()
    # DAC_OVERRIDE alone is enough, and what a container usually has.
    kept = "-all,+dac_override"
    who = [f"--reuid={owner.st_uid}", f"--regid={owner.st_gid}", "--clear-groups"]
    return [*words, *who, f"--inh-caps={kept}", f"--ambient-caps={kept}", "--"]


def spawn(command: list[str], log: BinaryIO) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C in the terminal reaches us, and we stop the server after those who use it.
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=environment(),
        start_new_session=True,
    )


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C"}


def end_orphan(cluster: Path) -> None:
    """Ends a server whose starter was killed, and forgets one that is gone. The caller holds the lock of the data."""
    pid_file = cluster / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return
    deadline = time.monotonic() + 15
    while _serves(pid, cluster) and time.monotonic() < deadline:
        os.kill(pid, signal.SIGINT)
        time.sleep(0.1)
    pid_file.unlink(missing_ok=True)


def _serves(pid: int, cluster: Path) -> bool:
    """Says whether this process is a server of this cluster; numbers are used again, and zombies run nothing."""
    told = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self").exists():
        return os.fsencode(cluster) in (told.read_bytes() if told.exists() else b"").split(b"\0")
    listed = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True)
    return str(cluster) in listed.stdout


def reason(output: str) -> str:
    """The last complaint in a log, without its prefix."""
    if "No space left on device" in output:
        return "the disk is full."
    marks = ("FATAL:", "PANIC:", "error:")
    complaints = [line.partition(mark)[2].strip() for line in output.splitlines() for mark in marks if mark in line]
    return complaints[-1] if complaints else (output.strip().splitlines() or ["it said nothing."])[-1]

"""Processes that live no longer than the one that started them, each with a log file."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


class CannotStart(Exception):
    """The one sentence for whoever wanted something to run."""


def tied(how: str) -> list[str]:
    """The words before a command that have the kernel send it signal `how` when the thread that starts it ends.

    Empty where there is no such thing; then only an orderly stop ends the child.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    return [setpriv, "--pdeathsig", how] if setpriv else []


class Child:
    """A process in a session of its own: Ctrl-C reaches us alone, and we decide who ends first."""

    def __init__(self, name: str, command: list[str], *, env: Mapping[str, str], cwd: Path, log: Path) -> None:
        self.name, self.log = name, log
        words = tied("TERM")
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [*words, *(["--"] if words else []), *command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=env,
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_up(self) -> bool:
        return self._process.poll() is None

    def ask_to_stop(self) -> None:
        if self.is_up():
            self._process.send_signal(signal.SIGTERM)

    def stop(self, seconds: float) -> None:
        """Ends it and what it started: first by asking, after `seconds` by SIGKILL."""
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def last_words(self) -> str:
        """The last line of its log that is no entry of a structured log, for the sentence that says why it ended."""
        lines = [line for line in self.log.read_text(errors="replace").splitlines() if line and line[0] != "{"]
        return lines[-1][:300] if lines else "it gave no reason"

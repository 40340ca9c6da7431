"""`make mutation`: whether the tests notice when what judges here is changed.

mutmut changes api/auth.py and the parts of api/access that need no database (pyproject names them and their tests), a
little at a time, in a copy of the tracked files outside of the clone, and asks the tests about each change. Those that
no test noticed are printed; more than 5 % of them, or more than an hour, is a failure. A survivor that compares a time,
a scope, an audience or a key is one too many at any share: whoever reads the list looks for it.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOST_SECONDS = 3600
MOST_SURVIVE = 0.05
# A change that breaks the program, or has it run for ever, is noticed; one that no test reaches is not.
NOTICED = ("killed", "timeout", "segfault", "caught by type check")
MUTMUT = ("nice", "-n", "12", sys.executable, "-m", "mutmut")


def main() -> int:
    """The exit code."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="continuum-mutation-") as name:
        folder = Path(name)
        copy_tracked(folder)
        print("Changing what judges, and testing each change: at most an hour ...", flush=True)
        run(folder)
        found = statuses(asked(folder, "results", "--all", "true"))
        survivors = unnoticed(found)
        for one in survivors:
            print(f"{one}: {one_line(asked(folder, 'show', one))}")
    print(f"{told(survivors, found)}, in {(time.monotonic() - began) / 60:.0f} minutes")
    return int(not found or share(survivors, found) > MOST_SURVIVE)


def copy_tracked(folder: Path) -> None:
    """The tracked files as they are now, committed or not."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for source in (ROOT / name for name in names.split("\0") if name):
        if source.is_file():
            target = folder / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def run(folder: Path) -> None:
    """Exits with the end of what mutmut said unless every change was tested within the hour."""
    log = folder / "mutmut.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*MUTMUT, "run"], cwd=folder, env=environment(folder), stdout=out, stderr=out, start_new_session=True
        )
        try:
            code = process.wait(MOST_SECONDS)
        except subprocess.TimeoutExpired:
            sys.exit("The hour is over, and not every change was tested.")
        finally:
            # It tests in processes of its own, which do not end with it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    if code:
        sys.exit(f"mutmut did not come to its end:\n{log.read_text(errors='replace')[-4000:]}")


def environment(folder: Path) -> Mapping[str, str]:
    """Nothing of the changed code, and no example that broke it, is remembered outside of the folder."""
    return os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_STORAGE_DIRECTORY": str(folder / ".hypothesis")}


def asked(folder: Path, *words: str) -> str:
    command = [*MUTMUT, *words]
    return subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=True
    ).stdout


def statuses(results: str) -> dict[str, str]:
    """By the name of each change, what became of it: the lines of `mutmut results --all true`."""
    pairs = (line.strip().rpartition(": ") for line in results.splitlines() if "__mutmut_" in line)
    return {name: status for name, _, status in pairs}


def unnoticed(found: Mapping[str, str]) -> list[str]:
    return [name for name, status in found.items() if status not in NOTICED]


def one_line(diff: str) -> str:
    """What was there, and what stood there instead, of the diff that `mutmut show` gives."""
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    return f"{_joined('-', lines)}  ->  {_joined('+', lines) or 'nothing'}"


def _joined(sign: str, lines: Iterable[str]) -> str:
    return " ".join(line[1:].strip() for line in lines if line.startswith(sign))


def share(survivors: list[str], found: Mapping[str, str]) -> float:
    return len(survivors) / max(1, len(found))


def told(survivors: list[str], found: Mapping[str, str]) -> str:
    return f"{len(survivors)} of {len(found)} changes went unnoticed: {share(survivors, found):.1%}"


if __name__ == "__main__":
    sys.exit(main())

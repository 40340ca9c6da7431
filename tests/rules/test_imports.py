"""Imports follow the table of the house: a room uses only what stands below it."""

import subprocess
import sys
import tomllib
from pathlib import Path

from tests.rules.code import ROOT

BAD = Path(__file__).parent / "bad"
CHECK = """
import sys
from importlinter.cli import lint_imports
sys.exit(lint_imports(config_filename=sys.argv[1], cache_dir=None))
"""


def lint(config: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CHECK, str(config)], cwd=folder, capture_output=True, text=True, check=False
    )


def test_imports_follow_the_table() -> None:
    checked = lint(ROOT / "pyproject.toml", ROOT)
    assert checked.returncode == 0 and "0 broken" in checked.stdout, checked.stdout


def test_an_upward_import_is_refused() -> None:
    checked = lint(BAD / "imports.toml", BAD)
    assert checked.returncode == 1 and "house.patients -> house.sessions" in checked.stdout, checked.stdout


def test_every_slice_has_its_place_in_the_table() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    named = {word.strip("()") for contract in contracts for row in contract.get("layers", ()) for word in row.split()}
    assert named >= {folder.parent.name for folder in (ROOT / "api").glob("*/__init__.py")}


def test_what_answers_requests_loads_no_library_that_asks_others() -> None:
    """`api.messages.providers`, `api.exchanges`: they would take a fifth of the start, and memory."""
    them = {"aiohttp", "h2", "httpcore", "httpx", "pywebpush", "requests"}
    asked = f"import sys, api.app; print(sorted({them} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout == "[]\n"

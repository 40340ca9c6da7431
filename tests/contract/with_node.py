"""What needs Node: Spectral's rules, and a generated client that compiles and works. `make contract` runs this."""

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from api import reading
from api.app import Continuum
from tests.access.conftest import invite
from tests.contract import node
from tests.dpop import Key
from tests.knocking import Knocker
from tests.system import ISSUER
from tests.world import sam

__all__ = ["invite", "sam"]

HERE = Path(__file__).parent
NAMES = ("openapi", *reading.AUDIENCES)


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False, env=environment or None)


def spectral(*files: Path) -> subprocess.CompletedProcess[str]:
    rules = ["--ruleset", str(HERE / "spectral.yaml"), "--fail-severity", "hint"]
    return run(node.tool("spectral", "lint", *rules, *map(str, files)))


def test_spectral_finds_nothing() -> None:
    checked = spectral(*(reading.DOCUMENTS / f"{name}.json" for name in NAMES))
    assert checked.returncode == 0, checked.stdout


def test_spectral_finds_what_is_wrong(tmp_path: Path) -> None:
    """OpenAPI's and OWASP's rules are both in force: an operation without a tag, a text without an end, and a change
    that anybody may make."""
    document = json.loads((reading.DOCUMENTS / "patient.json").read_text())
    del document["paths"]["/v1/me"]["get"]["tags"]
    del document["components"]["schemas"]["Problem"]["properties"]["detail"]["maxLength"]
    document["paths"]["/v1/me/preferences"]["put"]["security"] = []
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(document))
    checked = spectral(bad)
    assert checked.returncode == 1
    found = ("operation-tags", "owasp:api4:2023-string-limit", "owasp:api2:2023-write-restricted")
    assert all(one in checked.stdout for one in found), checked.stdout


@pytest.fixture(scope="module")
def client() -> Path:
    """A folder beside the installed packages with the types of every document and the app's source."""
    folder = node.MODULES / ".client"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(HERE / "typescript", folder)
    (folder / "package.json").write_text('{"type": "module"}')
    for name in NAMES:
        source, types = reading.DOCUMENTS / f"{name}.json", folder / f"{name}.d.ts"
        made = run(node.tool("openapi-typescript", str(source), "--output", str(types)))
        assert made.returncode == 0, made.stderr
    return folder


def compiled(folder: Path, *files: str) -> subprocess.CompletedProcess[str]:
    settings = json.loads((folder / "tsconfig.json").read_text()) | {"files": list(files)}
    (folder / "tsconfig.json").write_text(json.dumps(settings))
    return run(node.tool("tsc", "--project", str(folder)))


@pytest.fixture
def address(app: Continuum) -> Iterator[str]:
    """The application, served on a port of its own."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_document_gives_types_that_compile(client: Path) -> None:
    checked = compiled(client, *(f"{name}.d.ts" for name in NAMES))
    assert checked.returncode == 0, checked.stdout


def test_strict_mode_refuses_a_misreading(client: Path) -> None:
    checked = compiled(client, "misread.ts")
    assert checked.returncode != 0 and "no_such_member" in checked.stdout


def test_a_generated_client_reads_the_demo_patients_today(client: Path, sam: Knocker, address: str) -> None:
    built = compiled(client, "today.ts")
    assert built.returncode == 0, built.stdout
    token = sam.headers["Authorization"].removeprefix("Bearer ")
    ran = run([*node.node(), str(client / "today.js")], API=address, TOKEN=token)
    assert ran.returncode == 0, ran.stderr
    read, asked = json.loads(ran.stdout), sam.get("/v1/me/today").json
    assert read["sessions"] == asked["sessions"] and read["level"] == asked["level"]


def test_a_generated_client_is_told_when_it_may_not(client: Path, address: str) -> None:
    assert compiled(client, "today.ts").returncode == 0
    ran = run([*node.node(), str(client / "today.js")], API=address, TOKEN="none")
    assert ran.returncode == 1 and "401" in ran.stderr and "after_sign_in" in ran.stderr


def test_a_generated_client_begins_to_sign_in(
    client: Path, patient: Knocker, invite: Callable[..., str], address: str
) -> None:
    built = compiled(client, "sign-in.ts")
    assert built.returncode == 0, built.stdout
    proof = Key().proof("POST", f"{ISSUER}/oauth/authorize-challenge")
    given = {"API": address, "CODE": invite(patient), "CHALLENGE": "a" * 43, "PROOF": proof}
    ran = run([*node.node(), str(client / "sign-in.js")], **given)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == ["insufficient_authorization", True, True, "after_sign_in"]

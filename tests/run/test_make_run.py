"""`make run` as a newcomer meets it: the whole of it, started and ended in earnest. A start takes seconds, so the tests
share one clone, one after another, and each start tells several things."""

import os
import shutil
import signal
import socket
import stat
import subprocess

import psycopg
import pytest

from tests.run.clones import Clone, body, status, wait_until


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """In a private folder, deep enough for a socket's path not to fit, with spaces."""
    private = tmp_path_factory.mktemp("private")
    private.chmod(0o700)
    made = Clone(private / ("deep and deeper " * 5).strip() / "my clone")
    yield made
    made.remove()


def owner(clone):
    return psycopg.connect(host=str(clone.sockets()), user="continuum_owner", dbname="continuum", autocommit=True)


def lines(clone):
    return [line for line in clone.said().splitlines() if line.startswith("curl ")]


def answered(clone, line):
    """The status that the line gets when it is pasted in the clone's folder."""
    pasted = ["sh", "-c", f"{line} -o /dev/null -w '%{{http_code}}'"]
    return subprocess.run(pasted, cwd=clone.folder, capture_output=True, text=True).stdout


def pasted(clone, words):
    """How the README's lines end that hold these words, pasted in the clone's folder, and the problems they met."""
    lines = next(block for block in (clone.folder / "README.md").read_text().split("```") if words in block)
    shell = lines.removeprefix("sh\n").replace("127.0.0.1:8000", f"127.0.0.1:{clone.port}")
    pasted = subprocess.run(
        ["bash", "-e", "-c", shell], cwd=clone.folder, env=clone.environment(), capture_output=True, text=True
    )
    answered = pasted.stdout + pasted.stderr
    return pasted.returncode, [line for line in answered.splitlines() if "/problems/" in line or "Traceback" in line]


def test_it_runs_and_ends_with_its_group(clone):
    before = {entry.name for entry in clone.folder.iterdir()}
    clone.start()
    with owner(clone) as connection:
        connection.execute("CREATE TABLE kept ()")
    assert [status(clone.port, path) for path in ("/livez", "/readyz", "/v1/me")] == [200, 200, 401]
    wait_until(lambda: '"worker":"alive"' in body(clone.port, "/readyz"))
    assert clone.refused() == ["Continuum already runs in this folder: stop it first."]
    assert [(line, answered(clone, line)) for line in lines(clone)] == [(line, "200") for line in lines(clone)]
    assert pasted(clone, "$API/v1/me") == (0, [])
    assert pasted(clone, "cli clients list") == (0, [])
    assert pasted(clone, "cli clock next") == (0, [])
    assert pasted(clone, "partner keys >") == (0, [])
    sockets = clone.sockets()
    clone.end(signal.SIGTERM)
    wait_until(lambda: not clone.pids())
    assert not sockets.exists()
    assert {entry.name for entry in clone.folder.iterdir()} - before == {".data", "said.txt"}


def test_what_it_said_fits_a_screen_and_its_secrets_are_private(clone):
    said = clone.said()
    assert f"http://127.0.0.1:{clone.port}/docs" in said
    screen = said[said.index("Continuum runs") :]
    assert (said.count("curl "), len(screen.splitlines()) <= 24, "Traceback" in said) == (6, True, False)
    for name in ("token-keys.json", "cursor-secret", "access-secret", "encryption-keys", "settings", "phone.json"):
        assert stat.S_IMODE((clone.folder / ".data" / name).stat().st_mode) == 0o600


def test_it_keeps_its_data_and_ends_when_a_part_dies(clone):
    clone.start()
    with owner(clone) as connection:
        connection.execute("SELECT FROM kept")
    os.kill(clone.pid_of("-m granian"), signal.SIGKILL)
    assert clone.process.wait(60) == 2
    assert "The API ended by itself" in clone.said()
    assert "Traceback" not in clone.said()
    wait_until(lambda: not clone.pids())


def test_nothing_outlives_a_killed_supervisor(clone):
    clone.start()
    os.kill(clone.pid_of("api.cli run"), signal.SIGKILL)
    clone.process.wait(60)
    wait_until(lambda: not clone.pids())


def test_a_busy_port_is_one_sentence(clone):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = clone.refused(PORT=str(port))
    assert said == [f"Port {port} cannot be used (Address already in use): choose another, PORT=8001 make run."]


@pytest.mark.parametrize(
    ("python", "found"), [("#!/bin/sh\n[ $1 = --version ] && echo Python 3.9.2\n", "Python 3.9.2"), ("", "no Python")]
)
def test_an_old_or_missing_python_is_one_sentence(clone, tmp_path, python, found):
    for tool in ("make", "sh", "cksum", "dirname", "tr", "cat", "env"):
        os.symlink(shutil.which(tool), tmp_path / tool)
    if python:
        (tmp_path / "python3").write_text(python)
        (tmp_path / "python3").chmod(0o755)
    said = clone.refused(PATH=str(tmp_path), CONTINUUM_VENV=str(tmp_path / "none"))
    assert said == [f"Continuum needs Python 3.11 or newer, and here is {found}: install it, or name one with PYTHON=."]

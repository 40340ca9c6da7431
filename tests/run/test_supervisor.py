"""What stands in the way of `make run`, each told in one sentence; in this process, for a start takes seconds."""

import contextlib
import os
import signal
import socket
import stat
import time
from types import SimpleNamespace

import pytest

from api import cli, postgres, preflight, supervisor
from api.children import CannotStart, Child
from tests.run.clones import free_port, wait_until

NOWHERE = "postgresql://continuum_app@127.0.0.1:1/continuum"


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "ROOT", tmp_path)
    monkeypatch.setattr(cli, "ROOT", tmp_path)
    return tmp_path / ".data"


def sentence(capsys, monkeypatch, **env):
    """What `python -m api.cli run` says when it fails."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "CONTINUUM_ENV", "PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ({"PORT": str(free_port())} | env).items():
        monkeypatch.setenv(name, value)
    assert cli.main(["run"]) == 1
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err.strip()


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"PORT": "eighty"}, "PORT must be a whole number from 1 to 65535, not 'eighty'."),
        ({"PORT": "70000"}, "PORT must be a whole number from 1 to 65535, not '70000'."),
        ({"CONTINUUM_ENV": "production"}, "This is how Continuum runs in development: elsewhere start `serve` and"),
        ({"DATABASE_URL": NOWHERE}, "Set both DATABASE_URL (the app's login) and DATABASE_OWNER_URL"),
        ({"DATABASE_URL": NOWHERE, "DATABASE_OWNER_URL": NOWHERE}, "DATABASE_URL cannot be reached: connection"),
        ({"DATABASE_URL": "nonsense", "DATABASE_OWNER_URL": NOWHERE}, "DATABASE_URL is not a database address."),
    ],
)
def test_what_cannot_run_says_why(data, capsys, monkeypatch, env, said):
    assert sentence(capsys, monkeypatch, **env).startswith(said)


def test_a_password_is_not_in_the_sentence(data, capsys, monkeypatch):
    url = "postgresql://continuum_app:open-sesame@127.0.0.1:1/continuum"
    assert "sesame" not in sentence(capsys, monkeypatch, DATABASE_URL=url, DATABASE_OWNER_URL=url)


def test_a_defect_is_a_sentence_and_its_traceback_a_file(data, capsys, monkeypatch):
    def broken(*_):
        raise ZeroDivisionError("what was in hand")

    monkeypatch.setattr(supervisor, "run", broken)
    data.mkdir()
    assert "what was in hand" not in sentence(capsys, monkeypatch)
    assert "what was in hand" in (data / "defect.log").read_text()


@pytest.mark.parametrize(
    ("complaint", "said"),
    [
        ("initdb: error: could not write to file: No space left on device", "the disk is full."),
        ("initdb: error: something else\ninitdb: removing", "something else"),
    ],
)
def test_a_full_disk_says_so(tmp_path, complaint, said):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, body in {"postgres": "echo postgres 15.1", "initdb": f"echo '{complaint}' >&2; exit 1"}.items():
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    with pytest.raises(CannotStart, match=said), postgres.running(tmp_path / "data", bin_dir=programs):
        raise AssertionError("it started")
    assert not (tmp_path / "data" / "cluster").exists()


def test_a_second_one_is_refused(data):
    with preflight.only_one(data), pytest.raises(CannotStart, match="already runs"), preflight.only_one(data):
        raise AssertionError("it started")


def test_a_port_in_use_is_refused():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CannotStart, match="Address already in use"):
            preflight.refuse_busy(taken.getsockname()[1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_block_and_the_stop_is_not_disturbed_by_more(number):
    stopped = []
    with supervisor.listening_to_signals(), contextlib.ExitStack() as house:
        house.callback(lambda: (os.kill(os.getpid(), number), stopped.append(number)))
        os.kill(os.getpid(), number)
        time.sleep(5)
        raise AssertionError("it went on")
    assert stopped == [number]


@pytest.mark.parametrize("name", ["API", "worker", "database"])
def test_a_part_that_ended_ends_the_whole(data, name):
    log = data / "log"
    up = SimpleNamespace(name="other", is_up=lambda: True)
    part = SimpleNamespace(name=name, is_up=lambda: False, last_words=lambda: "no more memory", log=log)
    with pytest.raises(CannotStart, match=f"The {name} ended by itself: no more memory"):
        supervisor.refuse_ended([up, part])


def test_a_secret_is_made_once_and_for_its_owner_only(tmp_path):
    file = tmp_path / "secret"
    made = [supervisor.kept_secret(file, lambda: os.urandom(8).hex()) for _ in range(2)]
    assert made[0] == made[1]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def child(tmp_path, script):
    return Child("part", ["sh", "-c", script], env=os.environ, cwd=tmp_path, log=tmp_path / "part.log")


def test_a_child_that_does_not_listen_is_killed_with_what_it_started(tmp_path):
    part = child(tmp_path, "trap '' TERM; (trap '' TERM; sleep 60) & echo $!; wait; sleep 60")
    while not (said := part.last_words().strip()).isdecimal():
        time.sleep(0.01)
    part.stop(0.2)
    assert not part.is_up()
    with pytest.raises(ProcessLookupError):
        while True:
            os.kill(int(said), 0)
            time.sleep(0.01)


def test_the_last_words_of_a_child_are_no_log_entries(tmp_path):
    part = child(tmp_path, "echo 'PORT is taken'; echo '{\"event\":\"request\"}'")
    wait_until(lambda: not part.is_up())
    assert part.last_words() == "PORT is taken"


def test_the_roles_script_is_printed(capsys):
    assert cli.main(["roles"]) == 0
    assert "CREATE ROLE continuum_app LOGIN NOSUPERUSER NOBYPASSRLS" in capsys.readouterr().out

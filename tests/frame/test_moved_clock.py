"""Development's domain may run ahead; tokens and leases never do."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from api import cli, clock, config, keys
from tests.frame.test_config import GOOD

NEAR = timedelta(seconds=5)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    clock.use(tmp_path / "clock")
    yield tmp_path / "clock"
    clock.use(None)


@pytest.fixture
def development(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Settings as `make run` leaves them."""
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [keys.new_key()]}))
    monkeypatch.chdir(tmp_path)
    for name, value in {**GOOD, "CONTINUUM_ENV": "development", "CLOCK_FILE": "clock"}.items():
        monkeypatch.setenv(name, value)
    yield
    clock.use(None)


def real() -> datetime:
    return datetime.now(UTC)


def test_without_a_file_it_is_the_real_time(file: Path) -> None:
    assert abs(clock.now() - real()) < NEAR


def test_the_domain_runs_ahead_and_tokens_do_not(file: Path) -> None:
    clock.move(file, ahead=timedelta(days=2))
    assert abs(clock.now() - real() - timedelta(days=2)) < NEAR
    assert abs(clock.wall() - real()) < NEAR


def test_it_can_be_moved_again_and_come_back(file: Path) -> None:
    clock.move(file, ahead=timedelta(days=2))
    assert clock.now() > real() + timedelta(days=1)
    clock.move(file, ahead=timedelta(hours=3))
    os.utime(file, ns=(1, 1))
    assert abs(clock.now() - real() - timedelta(hours=3)) < NEAR
    clock.move(file, ahead=timedelta())
    assert abs(clock.now() - real()) < NEAR


def test_by_command_steps_add_up(development: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert [cli.main(["clock", word]) for word in ("+26h", "+90m")] == [0, 0]
    assert "1 day, 3:30:00 ahead" in capsys.readouterr().out
    assert cli.main(["clock", "real"]) == 0
    assert "0:00:00 ahead" in capsys.readouterr().out


@pytest.mark.parametrize("word", ["26h", "+h", "+3w", "-1h", "soon"])
def test_other_words_are_refused(word: str) -> None:
    with pytest.raises(SystemExit):
        cli.main(["clock", word])


def test_without_a_file_there_is_nothing_to_move(
    development: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CLOCK_FILE")
    assert cli.main(["clock", "+1h"]) == 1
    assert "in development only" in capsys.readouterr().err


def test_production_refuses_to_start_with_such_a_file(development: None) -> None:
    with pytest.raises(config.Misconfigured, match="CLOCK_FILE"):
        config.read(GOOD | {"CLOCK_FILE": "clock", "TOKEN_KEYS_FILE": "keys.json"})

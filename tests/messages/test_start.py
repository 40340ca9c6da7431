"""Only development takes messages nowhere: whoever says that duty staff are told must be able to tell them."""

import dataclasses
import json

import pytest

from api import cli, config, keys

NAMED = {
    "DATABASE_URL": "postgresql://continuum_app@localhost/nothing",
    "TOKEN_KEYS_FILE": "keys.json",
    "CURSOR_SECRET": "0123456789abcdef" * 2,
    "ACCESS_SECRET": "fedcba9876543210" * 2,
    "ENCRYPTION_KEYS": "k1:" + "0123456789abcdef" * 4,
    "PUBLIC_URL": "https://api.example.org",
}


@pytest.fixture(autouse=True)
def key_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [keys.new_key()]}))


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_production_without_a_gateway_does_not_start(command, monkeypatch, capsys):
    for name, value in NAMED.items():
        monkeypatch.setenv(name, value)
    for name in ("CONTINUUM_ENV", "MESSAGES_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.execv", lambda *_: pytest.fail("it starts"))
    monkeypatch.setattr("api.worker.main", lambda *_: pytest.fail("it starts"))
    assert cli.main([command]) == 1
    said = capsys.readouterr().err
    assert said.startswith("MESSAGES_FILE is not set")
    assert said.count("\n") == 1


def test_production_with_a_gateway_reads_its_settings():
    assert str(config.read(NAMED | {"MESSAGES_FILE": "messages"}).messages_file) == "messages"


def test_no_way_of_making_settings_leaves_production_without_a_gateway():
    development = config.read(NAMED | {"CONTINUUM_ENV": "development"})
    assert development.messages_file is None
    with pytest.raises(config.Misconfigured, match="MESSAGES_FILE"):
        dataclasses.replace(development, environment="production")

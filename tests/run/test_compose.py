"""What is shipped for production fits the code: settings that are read, commands that exist, a proxy that lets through
what the API wants to refuse in its own words."""

import re
from pathlib import Path

import pytest
import yaml

from api import cli, config

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
PROXY = COMPOSE["configs"]["proxy"]["content"]
GIVEN = re.compile(r"\$\{(\w+):?[-?]?([^}]*)\}")
API = COMPOSE["services"]["api"]
OURS = ("prepare", "api", "worker")


def filled(value):
    """As an administrator fills it in: what has a default keeps it."""
    return GIVEN.sub(lambda found: found[2] or "s" * 40, str(value))


@pytest.mark.parametrize("service", OURS)
def test_the_settings_of_each_process_can_be_read(service):
    env = {name: filled(value) for name, value in COMPOSE["services"][service]["environment"].items()}
    read = config.read(env)
    assert (read.development, read.proxies, read.duty_contacts != ()) == (False, 1, True)


def test_every_setting_is_one_that_is_read():
    read = (ROOT / "api").glob("*.py")
    code = "".join(file.read_text() for file in read)
    named = {name for service in OURS for name in COMPOSE["services"][service]["environment"]}
    assert [name for name in sorted(named) if f'"{name}"' not in code] == []


def test_the_worker_writes_messages_where_something_else_can_read_them():
    worker = COMPOSE["services"]["worker"]
    (folder,) = (place.rpartition(":")[2] for place in worker["volumes"])
    assert Path(worker["environment"]["MESSAGES_FILE"]).parent == Path(folder)


def test_every_command_is_one_that_there_is():
    told = str([COMPOSE["services"][service].get("command") for service in OURS])
    told += (ROOT / "Dockerfile").read_text().replace('", "', " ")
    commands = re.findall(r"api\.cli'?,? '?(\w+)", told)
    assert sorted(commands) == ["catalogue", "migrate", "prepare", "serve", "worker"]
    assert set(commands) <= set(cli.COMMANDS)


def test_the_proxy_takes_requests_whole_and_lets_the_api_refuse_a_large_one():
    (limit,) = re.findall(r"client_max_body_size (\d+)m;", PROXY)
    own = config.read({name: filled(value) for name, value in API["environment"].items()}).body_limit
    assert int(limit) * 1_048_576 > own
    assert "proxy_request_buffering on;" in PROXY


def test_the_owner_s_password_reaches_the_step_that_migrates_alone():
    having = [name for name in OURS if "DATABASE_OWNER_URL" in COMPOSE["services"][name]["environment"]]
    assert having == ["prepare"]

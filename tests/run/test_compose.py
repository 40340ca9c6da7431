"""What is shipped for production fits the code: settings that are read, commands that exist, a proxy that lets through
what the API wants to refuse in its own words."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from api import cli, config, keys, meeting
from api.programs import crisis
from api.programs.about import Clinic

ROOT = Path(__file__).parents[2]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
PROXY = COMPOSE["configs"]["proxy"]["content"]
GIVEN = re.compile(r"\$\{(\w+):?[-?]?([^}]*)\}")
API = COMPOSE["services"]["api"]
OURS = ("prepare", "api", "worker")
CHECK_INS = re.search(r"location = /v1/me/check-ins \{(.*?)\n {4}\}", PROXY, re.DOTALL)[1]
REST = PROXY.replace(CHECK_INS, "")


ADMINISTRATORS = {
    "PUBLIC_URL": "https://api.example.org",
    "ACCESS_SECRET": "fedcba9876543210" * 2,
    "ENCRYPTION_KEYS": "k1:" + "0123456789abcdef" * 4,
}


@pytest.fixture(autouse=True, scope="module")
def key_file(tmp_path_factory):
    """What the container finds where its secrets are mounted."""
    file = tmp_path_factory.mktemp("secrets") / "token-keys"
    file.write_text(json.dumps({"keys": [keys.new_key()]}))
    ADMINISTRATORS["TOKEN_KEYS_FILE"] = str(file)


def filled(value):
    """As an administrator fills it in: what has a default keeps it."""
    return GIVEN.sub(lambda found: found[2] or "0123456789abcdef" * 3, str(value))


def settings_of(service):
    written = {name: filled(value) for name, value in COMPOSE["services"][service]["environment"].items()}
    return config.read(written | ADMINISTRATORS)


@pytest.mark.parametrize("service", OURS)
def test_the_settings_of_each_process_can_be_read(service):
    read = settings_of(service)
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


def megabytes(where):
    (limit,) = re.findall(r"client_max_body_size (\d+)m;", where)
    return int(limit) * 1_048_576


def test_the_proxy_takes_requests_whole_and_lets_the_api_refuse_a_large_one():
    own = settings_of("api").body_limit
    assert megabytes(REST) > own
    assert "proxy_request_buffering on;" in PROXY


def test_the_proxy_keeps_no_check_in_from_being_looked_at():
    assert megabytes(CHECK_INS) > meeting.MOST_LOOKED_AT
    everywhere = PROXY[: PROXY.index("location")]
    assert "limit_conn connections" in REST
    assert "limit_conn connections" not in everywhere + CHECK_INS, "whoever shares an address shares the count"
    assert "proxy_pass http://api;" in CHECK_INS


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_the_proxy_refuses_of_check_ins_carries_the_help(language):
    (told,) = re.findall({"en": r"default +'([^']*)';", "es": r"~\*\^es +'([^']*)';"}[language], PROXY)
    known = crisis.help_at(datetime(2026, 11, 23, tzinfo=UTC), clinic=Clinic(), locations=(), language=language)
    assert json.loads(told) == known
    assert "$" not in told
    everywhere = dict(re.findall(r"error_page ([\d ]+?)(?: =)? @(\w+);", REST))
    here = dict(re.findall(r"error_page ([\d ]+?)(?: =)? @(\w+);", CHECK_INS))
    assert {codes: f"{page}_with_help" for codes, page in everywhere.items() if codes != "429"} == here
    for page in here.values():
        body = re.search(rf"location @{page} \{{.*?return \d+ '(.*?)';", PROXY, re.DOTALL)[1]
        assert json.loads(body.replace("$$help", told))["help"] == known


def test_the_owner_s_password_reaches_the_step_that_migrates_alone():
    having = [name for name in OURS if "DATABASE_OWNER_URL" in COMPOSE["services"][name]["environment"]]
    assert having == ["prepare"]

"""Clients are written by the owner's command line, which takes public keys only and tells everything in a sentence."""

import argparse
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from api import db, demo, postgres, vocabulary
from api.access import clients, commands, key_commands
from api.access.clients import Unfit
from api.app import Continuum
from api.config import Config, Misconfigured
from api.keys import new_key
from tests.system import System

SQL = Callable[..., list[tuple[Any, ...]]]
Type = Callable[..., list[str]]
KIND = ("--kind", "partner", "--partner-kind", "treating_provider")
ADD = ("add", *KIND, "--name", "North Hospital", "--scopes", "capacity:read")


@pytest.fixture
def type_(app: Continuum, server: postgres.Server) -> Type:
    """Types a command, and gives the lines that it said."""

    def typed(*words: str) -> list[str]:
        parser = argparse.ArgumentParser()
        commands.arguments(parser)
        said: list[str] = []
        commands.run(parser.parse_args(words), server.url("continuum_owner", "continuum"), said.append)
        return said

    return typed


@pytest.fixture
def owner(app: Continuum, server: postgres.Server) -> Iterator[None]:
    with db.opened_by_owner(server.url("continuum_owner", "continuum")):
        yield


@pytest.fixture
def jwks(tmp_path: Path) -> Callable[..., str]:
    """Writes keys to a file."""

    def write(*keys: Any) -> str:
        (file := tmp_path / "jwks.json").write_text(json.dumps({"keys": keys}))
        return str(file)

    return write


def register(**changed: Any) -> UUID:
    asked = {"kind": "partner", "partner_kind": "treating_provider", "name": "North Hospital"}
    asked |= {"scopes": ["capacity:read"], "jwks": [System().jwk]}
    with db.transaction(db.OWNER):
        return clients.register(**{**asked, **changed})


def rotate(*keys: dict[str, Any], **changed: Any) -> None:
    with db.transaction(db.OWNER):
        clients.rotate(**{"name": "North Hospital", "jwks": keys, **changed})


def retirements(owner_sql: SQL) -> dict[str, float | None]:
    """In how many hours each key retires."""
    found = owner_sql("SELECT kid, extract(epoch FROM retires_at - now()) / 3600 FROM client_keys")
    return {kid: hours if hours is None else round(float(hours), 1) for kid, hours in found}


def test_a_client_is_added_by_its_public_keys(type_: Type, jwks: Callable[..., str], owner_sql: SQL) -> None:
    (said,) = type_(*ADD, "--jwks", jwks(System().jwk))
    assert owner_sql("SELECT id, kind, name, scopes, status, assertion_audience, jwks_url FROM api_clients") == [
        (UUID(said), "partner", "North Hospital", ["capacity:read"], "active", "issuer", None)
    ]
    assert owner_sql("SELECT client_id, kid, retires_at FROM client_keys") == [(UUID(said), "k-1", None)]


def test_a_client_is_added_by_the_address_of_its_keys(type_: Type, owner_sql: SQL) -> None:
    type_(*ADD, "--jwks-url", "https://keys.partner.example/jwks", "--audience", "token_endpoint")
    assert owner_sql("SELECT assertion_audience, jwks_url FROM api_clients") == [
        ("token_endpoint", "https://keys.partner.example/jwks")
    ]


def test_every_act_is_audited_and_names_its_client(type_: Type, jwks: Callable[..., str], owner_sql: SQL) -> None:
    (said,) = type_(*ADD, "--jwks", jwks(System().jwk))
    type_("rotate", "North Hospital", "--jwks", jwks(System(kid="k-2").jwk))
    type_("verify", "North Hospital", "--partner-kind", "criminal_justice")
    type_("suspend", "North Hospital")
    type_("resume", "North Hospital")
    columns = "operation, action, caller_kind, acting_user, acting_role, resource_id, outcome"
    found = owner_sql(f"SELECT {columns} FROM audit_events ORDER BY id")
    by = ("owner", "operator", "command line", UUID(said), "done")
    verbs = ("register", "rotate", "set-partner-kind", "suspend", "resume")
    assert found == [(f"clients.{verb}", "create" if verb == "register" else "update", *by) for verb in verbs]


def test_the_list_shows_names_of_keys_and_never_keys(type_: Type, jwks: Callable[..., str]) -> None:
    system = System()
    (client_id,) = type_(*ADD, "--jwks", jwks(system.jwk))
    type_("rotate", "North Hospital", "--jwks", jwks(System(kid="k-2").jwk))
    type_("suspend", "North Hospital")
    (line,) = type_("list")
    shown = (
        client_id,
        "partner (treating_provider)",
        "suspended",
        "North Hospital",
        "capacity:read",
        "issuer",
        "k-1 until 20",
        "k-2",
    )
    assert all(one in line for one in shown)
    assert system.jwk["x"] not in line


def test_the_operator_states_what_a_partner_was_verified_to_be(
    type_: Type, jwks: Callable[..., str], owner_sql: SQL
) -> None:
    (said,) = type_(*ADD, "--jwks", jwks(System().jwk))
    assert owner_sql("SELECT kind, partner_kind FROM api_clients") == [("partner", "treating_provider")]
    assert type_("verify", "North Hospital", "--partner-kind", "other") == [said]
    assert owner_sql("SELECT partner_kind FROM api_clients") == [("other",)]


def test_the_operator_states_who_looks_after_a_client(type_: Type, jwks: Callable[..., str], owner_sql: SQL) -> None:
    (said,) = type_(*ADD, "--jwks", jwks(System().jwk), "--contact", "ops@partner.example")
    kept = "SELECT contact_email FROM api_clients"
    assert owner_sql(kept) == [("ops@partner.example",)] and type_("list")[0].endswith("  ops@partner.example")
    assert type_("contact", "North Hospital", "--contact", "desk@partner.example") == [said]
    assert owner_sql(kept) == [("desk@partner.example",)]
    type_("contact", "North Hospital")
    assert owner_sql(kept) == [(None,)]


@pytest.mark.parametrize("contact", ["", "ops", "ops@partner.example\nBcc: x@y.example", f"ops@{'a.' * 130}example"])
def test_a_contact_is_a_mailbox(type_: Type, jwks: Callable[..., str], contact: str) -> None:
    with pytest.raises(Unfit, match="mailbox"):
        type_(*ADD, "--jwks", jwks(System().jwk), "--contact", contact)


def test_a_system_of_the_clinics_own_is_of_no_such_kind(type_: Type, jwks: Callable[..., str], owner_sql: SQL) -> None:
    type_("add", "--kind", "clinic", "--name", "Ours", "--scopes", "audit:read", "--jwks", jwks(System().jwk))
    with pytest.raises(Unfit, match="Only a partner"):
        type_("verify", "Ours", "--partner-kind", "other")
    assert owner_sql("SELECT partner_kind FROM api_clients") == [(None,)]


@pytest.mark.parametrize(("kind", "partner_kind"), [("partner", None), ("partner", "hospital"), ("clinic", "other")])
def test_the_database_takes_no_partner_without_a_kind(
    app: Continuum, owner_sql: SQL, kind: str, partner_kind: str | None
) -> None:
    made = "INSERT INTO api_clients (id, kind, name, scopes, partner_kind) VALUES (%s, %s, 'North', '{}', %s)"
    with pytest.raises(psycopg.errors.CheckViolation):
        owner_sql(made, db.uuid7(), kind, partner_kind)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"kind": "patient", "partner_kind": None}, "one of: partner, clinic"),
        ({"kind": "clinic"}, "Only a partner"),
        ({"partner_kind": None}, "treating_provider, criminal_justice, other"),
        ({"partner_kind": "hospital"}, "treating_provider, criminal_justice, other"),
        ({"scopes": ["capacity:read", "patients:read"]}, "not scopes of a partner: patients:read"),
        ({"scopes": []}, "without a scope"),
        ({"name": ""}, "short text"),
        ({"name": "a\nb"}, "short text"),
        ({"jwks": None}, "either keys or an address"),
        ({"jwks_url": "https://keys.partner.example/"}, "either keys or an address"),
        ({"jwks": []}, "1 to 50 keys"),
        ({"jwks": [System().jwk] * 2}, "a kid of its own"),
        ({"jwks": [System().jwk, "text"]}, "Key 2 cannot be used: a key is a JSON object"),
        ({"jwks": [{**System().jwk, "d": "AQAB"}]}, r"private parts \(d\) stay with the client"),
        ({"jwks": None, "jwks_url": "http://keys.partner.example/"}, r"cannot be asked \(url\)"),
        ({"jwks": None, "jwks_url": "https://127.0.0.1/jwks"}, r"cannot be asked \(host\)"),
        ({"jwks": None, "jwks_url": "https://keys.partner.example:8443/"}, r"cannot be asked \(port\)"),
        ({"audience": "anybody"}, "issuer, token_endpoint"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    owner: None, owner_sql: SQL, changed: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(Unfit, match=sentence):
        register(**changed)
    assert owner_sql("SELECT 1 FROM api_clients UNION ALL SELECT 1 FROM audit_events") == []


def test_a_name_is_given_once(owner: None, owner_sql: SQL) -> None:
    register()
    with pytest.raises(Unfit, match="a client of that name"):
        register(scopes=["capacity:read"], jwks=[System(kid="theirs").jwk])
    assert owner_sql("SELECT kid FROM client_keys") == [("k-1",)]


def test_the_former_keys_stand_for_a_day(owner: None, owner_sql: SQL) -> None:
    register()
    rotate(System(kid="k-2").jwk)
    assert retirements(owner_sql) == {"k-1": 24.0, "k-2": None}


def test_a_second_rotation_lets_no_key_stand_longer(owner: None, owner_sql: SQL) -> None:
    register()
    rotate(System(kid="k-2").jwk, overlap=timedelta(hours=2))
    rotate(System(kid="k-3").jwk, overlap=timedelta(hours=8))
    assert retirements(owner_sql) == {"k-1": 2.0, "k-2": 8.0, "k-3": None}


def test_a_key_that_is_named_again_stays(owner: None, owner_sql: SQL) -> None:
    register(jwks=[(first := System()).jwk])
    rotate(System(kid="k-2").jwk)
    rotate(first.jwk, overlap=timedelta(0))
    assert retirements(owner_sql) == {"k-1": None, "k-2": 0.0}


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"jwks": [System(kid="k-1").jwk]}, "a new kid"),
        ({"jwks": [System(kid="k-1", alg="RS384").jwk]}, "a new kid"),
        ({"jwks": []}, "1 to 50 keys"),
        ({"jwks": [{**System(kid="k-2").jwk, "d": "AQAB"}]}, "private parts"),
        ({"name": "South Hospital"}, "no client of that name"),
        ({"overlap": timedelta(seconds=-1)}, "cannot be negative"),
    ],
)
def test_a_rotation_that_cannot_be_changes_nothing(
    owner: None, owner_sql: SQL, changed: dict[str, Any], sentence: str
) -> None:
    register()
    with pytest.raises(Unfit, match=sentence):
        rotate(**{"jwks": [System(kid="k-2").jwk], **changed})
    assert retirements(owner_sql) == {"k-1": None}


def test_a_client_with_an_address_rotates_by_itself(owner: None) -> None:
    register(jwks=None, jwks_url="https://keys.partner.example/jwks")
    with pytest.raises(Unfit, match="by itself"):
        rotate(System().jwk)


@pytest.mark.parametrize("act", ["suspend", "resume"])
def test_nobody_of_that_name_can_be_suspended(type_: Type, act: str) -> None:
    with pytest.raises(Unfit, match="no client of that name"):
        type_(act, "North Hospital")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"keys": {}}', "null", "-----BEGIN PUBLIC KEY-----"])
def test_a_file_that_is_no_key_set_is_said_to_be_none(type_: Type, tmp_path: Path, content: str) -> None:
    (file := tmp_path / "keys.json").write_text(content)
    with pytest.raises(Unfit, match=r"keys\.json is not"):
        type_(*ADD, "--jwks", str(file))


def test_a_file_that_is_not_there_is_named(type_: Type, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        type_(*ADD, "--jwks", str(tmp_path / "nothing.json"))


@pytest.mark.parametrize("hours", ["-1", "soon", "1.5", "999999999"])
def test_an_overlap_is_a_number_of_hours(type_: Type, jwks: Callable[..., str], hours: str) -> None:
    with pytest.raises(SystemExit):
        type_("rotate", "North Hospital", "--jwks", jwks(System().jwk), "--overlap-hours", hours)


def test_a_list_tells_the_time_in_utc(
    type_: Type, jwks: Callable[..., str], superuser: psycopg.Connection[Any]
) -> None:
    type_(*ADD, "--jwks", jwks(System().jwk))
    superuser.execute("UPDATE client_keys SET retires_at = '2026-11-23T12:00:00-05:00'")
    superuser.execute("ALTER ROLE continuum_owner SET timezone = 'Asia/Kolkata'")
    try:
        assert "k-1 until 2026-11-23T17:00Z" in type_("list")[0]
    finally:
        superuser.execute("ALTER ROLE continuum_owner RESET timezone")


def test_a_database_out_of_reach_is_told(app: Continuum) -> None:
    parser = argparse.ArgumentParser()
    commands.arguments(parser)
    with pytest.raises(Unfit, match="out of reach"):
        commands.run(parser.parse_args(["list"]), "postgresql+psycopg://nobody@127.0.0.1:9/nothing", print)


def test_the_api_itself_can_write_no_client(app: Continuum, owner_sql: SQL) -> None:
    for caller in (db.SYSTEM, db.WORKER, db.PUBLIC, db.Caller(kind="holder", client_id=db.uuid7())):
        with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), db.transaction(caller):
            clients.register(kind="clinic", name="Ours", scopes=["audit:read"], jwks=[System().jwk])
    assert owner_sql("SELECT 1 FROM api_clients") == []


def test_the_demo_system_is_registered_without_a_key(
    settings: Config, app: Continuum, server: postgres.Server, owner_sql: SQL
) -> None:
    for _ in range(2):
        demo.register(settings, server.url("continuum_owner", "continuum"))
    assert owner_sql("SELECT kind, name, scopes FROM api_clients") == [
        ("clinic", demo.CLIENT, list(vocabulary.CLINIC_SCOPES))
    ]
    assert owner_sql("SELECT 1 FROM client_keys") == []


def typed_keys(file: Path, act: str, at: datetime) -> list[str]:
    parser, said = argparse.ArgumentParser(), list[str]()
    key_commands.arguments(parser)
    key_commands.run(parser.parse_args([act]), file, said.append, at=at)
    return said


def test_our_own_keys_rotate_by_a_command(tmp_path: Path) -> None:
    first, at = new_key(), datetime(2026, 11, 23, 12, tzinfo=UTC)
    (file := tmp_path / "keys.json").write_text(json.dumps({"keys": [first]}))
    old, new = typed_keys(file, "rotate", at)
    assert old == f"{first['kid']}  signs" and new.endswith("  signs from 2026-11-23T12:10:00Z")
    later = typed_keys(file, "list", at + timedelta(minutes=10))
    assert later == [f"{first['kid']}  verifies", f"{new.split()[0]}  signs"]
    assert first["d"] not in "".join(later)


def test_a_rotation_too_soon_changes_nothing(tmp_path: Path) -> None:
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    (file := tmp_path / "keys.json").write_text(json.dumps({"keys": [new_key()]}))
    typed_keys(file, "rotate", at)
    before = file.read_text()
    with pytest.raises(Misconfigured, match="does not sign yet"):
        typed_keys(file, "rotate", at + timedelta(minutes=9))
    assert file.read_text() == before


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"keys": 1}', '{"keys": [{}]}', '{"keys": []}'])
@pytest.mark.parametrize("act", ["rotate", "list"])
def test_a_broken_key_file_is_told(tmp_path: Path, act: str, content: str) -> None:
    (file := tmp_path / "keys.json").write_text(content)
    with pytest.raises(Misconfigured, match="TOKEN_KEYS_FILE"):
        typed_keys(file, act, datetime(2026, 11, 23, tzinfo=UTC))
    assert file.read_text() == content

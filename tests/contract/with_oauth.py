"""Signing in and systems' tokens, by somebody else's client library over a served API. `make contract` runs this.

The library is oauth4webapi, a client that the OpenID Foundation certified. The phone answers the challenge itself,
which no library knows yet; everything after it is plain OAuth.
"""

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.conftest import add_client
from tests.contract import node
from tests.contract.waiting import Waiting
from tests.faults.house import House, served
from tests.phone import over_http
from tests.system import System

SCRIPTS = Path(__file__).parent / "oauth"
PATIENT = "EHR-100234"
# How WebCrypto calls what JWA calls so.
ALGORITHMS = {
    "ES256": {"name": "ECDSA", "namedCurve": "P-256"},
    "ES384": {"name": "ECDSA", "namedCurve": "P-384"},
    "RS256": {"name": "RSASSA-PKCS1-v1_5", "hash": "SHA-256"},
    "RS384": {"name": "RSASSA-PKCS1-v1_5", "hash": "SHA-384"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("house")


@pytest.fixture(scope="module")
def house(folder: Path) -> Iterator[House]:
    with served(folder, threads=4) as house:
        yield house


@pytest.fixture(scope="module")
def superuser(house: House) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(house.server.dsn("postgres", "continuum"), autocommit=True) as connection:
        yield connection


def run(script: str, house: House, **given: Any) -> str:
    """What the script prints. Fails with what it says on its way out."""
    environment = {"INPUT": json.dumps({"issuer": address(house), **given})}
    ran = subprocess.run(
        [*node.node(), str(SCRIPTS / script)], capture_output=True, text=True, check=False, env=environment, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def address(house: House) -> str:
    return f"http://127.0.0.1:{house.port}"


@pytest.fixture
def phone(house: House) -> Waiting:
    return Waiting(address(house), over_http)


@pytest.fixture
def code(house: House, folder: Path) -> str:
    """An activation code for the demo patient."""
    headers = {
        "Authorization": f"Bearer {(folder / 'tokens' / 'clinic').read_text()}",
        "Acting-User": '"u-17";role=counselor',
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid.uuid4()),
    }
    url = f"{address(house)}/v1/clinic/patients/{PATIENT}/activation-codes"
    told = over_http("POST", url, headers, b'{"handed_over": "in_person"}')
    assert told.status == 201, told.body
    return str(told.json["code"])


def registered(superuser: psycopg.Connection[Any], kind: str, scope: str, alg: str) -> System:
    system = System(add_client(superuser, kind=kind, name=f"{kind} {alg}", scopes=[scope]), alg=alg)
    keys = "INSERT INTO client_keys (client_id, kid, jwk) VALUES (%s, %s, %s)"
    superuser.execute(keys, [system.client_id, system.kid, Jsonb(system.jwk)])
    return system


def private_jwk(system: System) -> dict[str, Any]:
    algorithm = jwt.algorithms.ECAlgorithm if system.alg.startswith("ES") else jwt.algorithms.RSAAlgorithm
    return {**algorithm.to_jwk(system.private, as_dict=True), "kid": system.kid}


def test_a_phone_signs_in_reads_refreshes_and_leaves(house: House, phone: Waiting, code: str) -> None:
    phone.activate(code)
    key = {**phone.key.jwk, "d": phone.key.state()["private"]}
    said = run("phone.js", house, client_id=phone.client_id, key=key, code=phone.code, verifier=phone.verifier)
    assert "sessions:read" in json.loads(said)["scope"].split()


@pytest.mark.parametrize("alg", ALGORITHMS)
@pytest.mark.parametrize(("kind", "scope"), [("partner", "capacity:read"), ("clinic", "alerts:read")])
def test_a_system_comes_in_by_its_key(
    house: House, superuser: psycopg.Connection[Any], alg: str, kind: str, scope: str
) -> None:
    system = registered(superuser, kind, scope, alg)
    run(
        "system.js",
        house,
        client_id=system.client_id,
        key=private_jwk(system),
        algorithm=ALGORITHMS[alg],
        resource=f"/v1/{kind}",
        scope=scope,
    )

"""Our own keys rotate by one command, under running processes, and no token is refused for it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import pytest
from flask import Flask

from api import auth, keys, vocabulary
from api.access import public, public_keys
from api.app import Continuum
from api.keys import AHEAD, PUBLISHED_FOR, RETIRED_AFTER, KeyFile, KeySet, new_key, rotated
from tests.knocking import Knocker
from tests.system import ISSUER

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LONGEST_LIFE = max(auth.LIFETIMES.values()) + timedelta(seconds=auth.LEEWAY_SECONDS)
# One worker: makes a token at an empty line, and says of any other line whether it is a token.
WORKER = f"""
import sys, uuid
from pathlib import Path
import structlog
from api import auth, keys
structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
tokens = auth.Tokens(keys.KeyFile(Path(sys.argv[1])).current, issuer={ISSUER!r}, remembered=0)
for line in sys.stdin:
    try:
        if token := line.strip():
            said = tokens.caller(token, kind="clinic").kind
        else:
            said = tokens.issue(kind="clinic", subject=uuid.uuid4(), client_id="ours", scopes=["alerts:read"])
    except Exception as error:
        said = type(error).__name__
    print(said, flush=True)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (made := tmp_path / "keys.json").write_text(json.dumps({"keys": [new_key()]}))
    return made


class Worker:
    """A process of its own that makes and judges tokens with the keys of the file."""

    def __init__(self, file: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", WORKER, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=10)

    def ask(self, line: str = "") -> str:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key file that the workers follow."""
    (made := tmp_path_factory.mktemp("followed") / "keys.json").write_text(json.dumps({"keys": [new_key()]}))
    return made


@pytest.fixture(scope="module")
def workers(followed: Path) -> Iterator[list[Worker]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Worker(followed)) for _ in range(2)]


def kid_of(token: str) -> str:
    kid: str = jwt.get_unverified_header(token)["kid"]
    return kid


def test_no_token_is_refused_while_two_processes_follow_a_rotation(followed: Path, workers: list[Worker]) -> None:
    """The new key signs three seconds after it was published, where each process looks every second."""
    made, judged = [one.ask() for one in workers], list[str]()
    keys.rotate(followed, at=datetime.now(UTC) - AHEAD + timedelta(seconds=3))
    end = time.monotonic() + 5
    while time.monotonic() < end:
        made += [one.ask() for one in workers]
        judged += [one.ask(token) for one in workers for token in (*made[-6:], made[0])]
        time.sleep(0.01)
    assert set(judged) == {"clinic"} and len(judged) > 100
    old, new = (jwk["kid"] for jwk in json.loads(followed.read_text())["keys"])
    assert [kid_of(token) for token in (made[0], made[-1])] == [old, new]
    assert {kid_of(token) for token in made} == {old, new}


def test_a_key_that_is_not_ours_opens_nothing_in_any_process(workers: list[Worker]) -> None:
    forged = auth.Tokens(lambda: KeySet.of({"keys": [new_key()]}), issuer=ISSUER, remembered=0).issue(
        kind="clinic", subject=uuid4(), client_id="ours", scopes=["alerts:read"]
    )
    assert [one.ask(forged) for one in workers] == ["InvalidToken"] * 2


def test_a_file_that_is_broken_for_a_while_takes_no_key_away(followed: Path, workers: list[Worker]) -> None:
    token, whole = workers[0].ask(), followed.read_text()
    followed.write_text("{")
    time.sleep(keys.LOOK_SECONDS + 0.2)
    assert [one.ask(token) for one in workers] == ["clinic"] * 2
    followed.write_text(whole)
    assert workers[1].ask(workers[0].ask()) == "clinic"


@pytest.mark.parametrize("minutes", [10, 11, 15, 16, 25, 26, 60, 1440])
def test_a_key_stays_until_its_last_token_has_expired(minutes: int) -> None:
    """However often the operator rotates: what signs at any minute is there as long as its tokens live, and was
    published for longer than caches keep the set."""
    document: dict[str, Any] = {"keys": [new_key()]}
    sets = [(NOON, KeySet.of(document))]
    for number in range(1, 6):
        at = NOON + timedelta(minutes=minutes * number)
        document = rotated(document, at=at)
        sets.append((at, KeySet.of(document)))

    def in_force(at: datetime) -> KeySet:
        return [keyset for since, keyset in sets if since <= at][-1]

    for minute in range(minutes * 5 + 60):
        at = NOON + timedelta(minutes=minute)
        kid = in_force(at).signing(at).kid
        assert kid in in_force(at + LONGEST_LIFE).public
        assert kid in in_force(max(NOON, at - PUBLISHED_FOR)).public


def test_keys_that_were_superseded_long_ago_go(file: Path) -> None:
    first = json.loads(file.read_text())["keys"][0]["kid"]
    keys.rotate(file, at=NOON)
    keys.rotate(file, at=NOON + AHEAD + RETIRED_AFTER + timedelta(seconds=1))
    kids = [jwk["kid"] for jwk in json.loads(file.read_text())["keys"]]
    assert len(kids) == 2 and first not in kids


def test_the_file_stays_its_owners(file: Path) -> None:
    file.chmod(0o600)
    keys.rotate(file, at=NOON)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in file.parent.iterdir()] == ["keys.json"]


@pytest.fixture
def published(file: Path) -> Callable[[], list[dict[str, Any]]]:
    """What anybody reads of the keys in the file, a second later."""
    app = Flask("published")
    app.register_blueprint(public.discovery)
    app.extensions["keys"] = KeyFile(file)

    def read() -> list[dict[str, Any]]:
        app.extensions["keys"]._looked = 0
        found: list[dict[str, Any]] = app.test_client().get("/oauth/jwks.json").json["keys"]
        return found

    return read


def test_the_next_key_is_public_before_it_signs(file: Path, published: Callable[[], list[dict[str, Any]]]) -> None:
    (first,) = published()
    keys.rotate(file, at=NOON)
    assert published()[0] == first and len(published()) == 2
    assert KeySet.read(file).signing(NOON + AHEAD - timedelta(seconds=1)).kid == first["kid"]
    assert KeySet.read(file).signing(NOON + AHEAD).kid == published()[1]["kid"]


def test_no_private_member_is_ever_published(file: Path, published: Callable[[], list[dict[str, Any]]]) -> None:
    keys.rotate(file, at=NOON)
    secret = {jwk["d"] for jwk in json.loads(file.read_text())["keys"]}
    for key in published():
        assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
        assert not set(key) & set(public_keys.PRIVATE_MEMBERS) and not set(key.values()) & secret


def test_others_verify_our_tokens_by_what_is_published(file: Path, published: Callable[[], list[Any]]) -> None:
    tokens = auth.Tokens(KeyFile(file).current, issuer=ISSUER, remembered=0)
    token = tokens.issue(kind="partner", subject=uuid4(), client_id="north", scopes=vocabulary.PARTNER_SCOPES)
    (key,) = published()
    assert jwt.decode(token, jwt.PyJWK(key).key, algorithms=[key["alg"]], audience=f"{ISSUER}/v1/partner")


@pytest.mark.parametrize("kid", ["unknown", "", "../../keys", "' OR 1=1 --", "é"])
def test_an_unknown_kid_opens_no_door(app: Continuum, clinic: Knocker, kid: str) -> None:
    good = clinic.headers["Authorization"].split()[1]
    claims = jwt.decode(good, options={"verify_signature": False})
    key = app.extensions["keys"].current().signing(datetime.now(UTC))
    forged = jwt.encode(claims, key.private, algorithm="ES256", headers={"typ": "at+jwt", "kid": kid})
    answer = clinic.get("/v1/clinic/alerts", headers={"Authorization": f"Bearer {forged}"})
    assert answer.status_code == 401 and 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert clinic.get("/v1/clinic/alerts").status_code == 200

"""A client is the one whose key signed; whoever else asks learns nothing, and can lock nobody out."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from limits import RateLimitItemPerHour
from psycopg.types.json import Jsonb

from api import clock, db, outward
from api.access import client_authentication, keyrings, throttles
from api.access.client_authentication import Known
from api.app import Continuum
from api.oauth import InvalidClient
from tests.conftest import add_client
from tests.frame.test_outward import Host
from tests.statements import watched
from tests.system import ISSUER, JWT_BEARER, System

SQL = Callable[..., list[tuple[Any, ...]]]
NORTH, ELSEWHERE = "192.0.2.1", "198.51.100.7"
REPLAYED = "replayed"


@pytest.fixture
def north(app: Continuum, superuser: psycopg.Connection[Any]) -> System:
    """A partner's system, registered with its key."""
    return registered(superuser, System(add_client(superuser, kind="partner", name="North", scopes=["capacity:read"])))


def registered(superuser: psycopg.Connection[Any], *systems: System) -> System:
    for one in systems:
        superuser.execute(
            "INSERT INTO client_keys (client_id, kid, jwk) VALUES (%s, %s, %s)",
            [one.client_id, one.kid, Jsonb(one.jwk)],
        )
    return systems[0]


def proven(form: dict[str, str], address: str = NORTH) -> Known:
    return client_authentication.authenticate(form, issuer=ISSUER, address=address, at=clock.wall())


def refused(form: dict[str, str]) -> bool:
    with pytest.raises(InvalidClient):
        proven(form)
    return True


def test_a_system_proves_itself_by_its_key(north: System) -> None:
    known = proven(north.form())
    assert known == Known(UUID(north.client_id), "partner", ("capacity:read",))
    assert known.caller == db.Caller(kind="partner", client_id=known.id, scopes=frozenset(["capacity:read"]))


@pytest.mark.parametrize("alg", ["RS384", "ES384", "RS256", "ES256"])
def test_each_algorithm_will_do(app: Continuum, superuser: psycopg.Connection[Any], alg: str) -> None:
    system = System(add_client(superuser, kind="clinic", name="Ours", scopes=["audit:read"]), alg=alg)
    assert proven(registered(superuser, system).form()).kind == "clinic"


def like(it: System, *, client_id: object = None, **changed: Any) -> System:
    """A system that is `it` but for what is `changed`."""
    return System(str(client_id or it.client_id), **{"alg": it.alg, "kid": it.kid, "private": it.private, **changed})


# Each of PK-1 to PK-6 and of Inferno's cases: what is changed, by name, for a system that would be let in.
WRONG: dict[str, Callable[[System], dict[str, str]]] = {
    "no form": lambda _: {},
    "no assertion": lambda it: it.form(client_assertion=None),
    "no type": lambda it: it.form(client_assertion_type=None),
    "another type": lambda it: it.form(
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
    ),
    "not an exact type": lambda it: it.form(client_assertion_type=JWT_BEARER + " "),
    "no JWT": lambda it: it.form(client_assertion="not-a-jwt"),
    "a JWT of nothing": lambda it: it.form(client_assertion=".."),
    "a cut signature": lambda it: it.form(client_assertion=it.assertion()[:-8]),
    "no signature": lambda it: it.form(client_assertion=it.assertion().rpartition(".")[0] + "."),
    "another's key": lambda it: like(it, private=None).form(),
    "a key of no name": lambda it: like(it, kid="k-2").form(),
    "another kind of key": lambda it: System(it.client_id, alg="RS384").form(),
    "another curve": lambda it: System(it.client_id, alg="ES256").form(),
    "nobody's id": lambda it: like(it, client_id=uuid4()).form(),
    "no id": lambda it: like(it, client_id="north").form(),
    "an id in capitals": lambda it: like(it, client_id=it.client_id.upper()).form(),
    "no issuer": lambda it: it.form(client_assertion=it.assertion(iss=None)),
    "another subject": lambda it: it.form(client_assertion=it.assertion(sub=str(uuid4()))),
    "another client_id": lambda it: it.form(client_id=str(uuid4())),
    "another audience": lambda it: it.form(client_assertion=it.assertion(aud="https://elsewhere.example")),
    "the audience of others": lambda it: it.form(client_assertion=it.assertion(aud=f"{ISSUER}/oauth/token")),
    "two audiences": lambda it: it.form(client_assertion=it.assertion(aud=[ISSUER, "https://elsewhere.example"])),
    "an audience with a slash": lambda it: it.form(client_assertion=it.assertion(aud=f"{ISSUER}/")),
    "no end": lambda it: it.form(client_assertion=it.assertion(exp=None)),
    "ended": lambda it: it.form(client_assertion=it.assertion(exp=int(time.time()) - 60)),
    "too long": lambda it: it.form(client_assertion=it.assertion(exp=int(time.time()) + 400)),
    "of the future": lambda it: it.form(client_assertion=it.assertion(nbf=int(time.time()) + 200)),
    "no jti": lambda it: it.form(client_assertion=it.assertion(jti=None)),
    "no kid": lambda it: it.form(client_assertion=it.assertion(header={"kid": None})),
    "a key of its own": lambda it: System(it.client_id).form(
        client_assertion=System(it.client_id).assertion(header={"jwk": it.jwk})
    ),
    "an address of keys": lambda it: it.form(client_assertion=it.assertion(header={"jku": "https://k.example/"})),
    "another token": lambda it: it.form(client_assertion=it.assertion(header={"typ": "at+jwt"})),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_whatever_is_wrong_is_one_refusal(north: System, wrong: str) -> None:
    assert refused(WRONG[wrong](north))
    assert proven(north.form())


def test_a_suspended_client_is_refused_like_nobody(north: System, owner_sql: SQL) -> None:
    owner_sql("UPDATE api_clients SET status = 'suspended'")
    assert refused(north.form())


def test_a_client_without_keys_is_nobody(app: Continuum, superuser: psycopg.Connection[Any]) -> None:
    assert refused(System(add_client(superuser, kind="clinic", name="Ours", scopes=["audit:read"])).form())


def test_an_audience_may_be_a_list_of_one_and_client_id_may_agree(north: System) -> None:
    assert proven(north.form(client_id=north.client_id, client_assertion=north.assertion(aud=[ISSUER])))


def test_a_client_of_smart_names_the_token_endpoint_and_nothing_else(north: System, owner_sql: SQL) -> None:
    owner_sql("UPDATE api_clients SET assertion_audience = 'token_endpoint'")
    assert proven(north.form(client_assertion=north.assertion(aud=f"{ISSUER}/oauth/token")))
    assert refused(north.form())


def test_an_assertion_opens_something_once(north: System) -> None:
    form = north.form()
    assert proven(form) and refused(form)


def test_of_twenty_at_once_one_is_let_in(north: System) -> None:
    form = north.form()

    def opens(_: int) -> bool:
        try:
            return bool(proven(form))
        except InvalidClient:
            return False

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(opens, range(20))).count(True) == 1


def test_two_clients_may_use_the_same_jti(north: System, superuser: psycopg.Connection[Any]) -> None:
    other = System(add_client(superuser, kind="partner", name="South", scopes=["capacity:read"]))
    registered(superuser, other)
    for system in (north, other):
        assert proven(system.form(client_assertion=system.assertion(jti="1")))


def test_what_was_refused_is_not_spent(north: System, owner_sql: SQL) -> None:
    refused(north.form(client_id=str(uuid4())))
    assert owner_sql("SELECT 1 FROM spent_assertions") == []


def test_a_retired_key_signs_nothing(north: System, superuser: psycopg.Connection[Any], owner_sql: SQL) -> None:
    new = registered(superuser, System(north.client_id, kid="k-2"))
    owner_sql("UPDATE client_keys SET retires_at = now() + interval '1 hour' WHERE kid = 'k-1'")
    assert proven(north.form()) and proven(new.form())
    owner_sql("UPDATE client_keys SET retires_at = now() - interval '1 second' WHERE kid = 'k-1'")
    assert refused(north.form()) and proven(new.form())


@pytest.fixture
def asked(app: Continuum, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """All statements that are asked, of either kind, and all signatures that are checked."""
    claims = client_authentication.assertions._claims
    with watched() as told:
        monkeypatch.setattr(
            client_authentication.assertions, "_claims", lambda *given: (told.append("signature"), claims(*given))[1]
        )
        yield told


@pytest.mark.parametrize("alg", ["ES384", "ES256", "RS384"])
def test_nobody_and_somebody_cost_the_same(
    app: Continuum, superuser: psycopg.Connection[Any], owner_sql: SQL, asked: list[Any], alg: str
) -> None:
    system = System(add_client(superuser, kind="partner", name="North", scopes=["capacity:read"]), alg=alg)
    registered(superuser, system)
    cases = [WRONG[one] for one in ("nobody's id", "no id", "another's key", "a key of no name", "another client_id")]
    costs = []
    for make in (*cases, WRONG["no type"], System.form):
        if make is System.form:
            owner_sql("UPDATE api_clients SET status = 'suspended'")
        form = make(system)
        asked.clear()
        refused(form)
        costs.append(list(asked))
    assert all(one == costs[0] for one in costs)
    assert len(costs[0]) == 4 and costs[0].count("signature") == 1


def test_all_refusals_say_the_same(north: System, owner_sql: SQL) -> None:
    said = set()
    for make in WRONG.values():
        with pytest.raises(InvalidClient) as refusal:
            proven(make(north))
        said.add(json.dumps(refusal.value.problem(base_url="", language="en", instance="")))
    assert len(said) == 1


@pytest.fixture
def few() -> Iterator[None]:
    client_authentication.use(RateLimitItemPerHour(3))
    yield
    client_authentication.use(throttles.PER_ADDRESS)


def test_failures_of_an_address_are_counted(north: System, few: None) -> None:
    for _ in range(3):
        refused(System(north.client_id).form())
    with pytest.raises(throttles.TooManyTries) as refusal:
        proven(System(north.client_id).form())
    assert 0 < int(refusal.value.headers["Retry-After"]) <= 3600
    assert refusal.value.headers["RateLimit-Policy"] == '"address";q=3;w=3600'
    with pytest.raises(InvalidClient):
        proven(System(north.client_id).form(), ELSEWHERE)


def test_a_stranger_locks_no_client_out(north: System, few: None) -> None:
    for _ in range(6):
        with pytest.raises((InvalidClient, throttles.TooManyTries)):
            proven(System(north.client_id).form())
    assert proven(north.form()) and proven(north.form(), ELSEWHERE)


def test_those_who_prove_themselves_are_not_counted(north: System, few: None, owner_sql: SQL) -> None:
    assert all(proven(north.form()) for _ in range(5))
    assert owner_sql("SELECT 1 FROM throttle_windows") == []


class Published:
    """A partner that serves its keys at an address of its own, by TLS."""

    def __init__(self, host: Host, superuser: psycopg.Connection[Any]) -> None:
        self.host, self.client_id = host, add_client(superuser, kind="partner", name="North", scopes=["capacity:read"])
        superuser.execute("UPDATE api_clients SET jwks_url = %s", [host.url()])

    def system(self, kid: str) -> System:
        return System(self.client_id, kid=kid)

    def publish(self, *systems: System, more: str = "Cache-Control: max-age=300\r\n") -> None:
        body = json.dumps({"keys": [one.jwk for one in systems]}).encode()
        head = f"HTTP/1.1 200 OK\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode()
        self.host.script = lambda peer, _: peer.sendall(head + body)


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What to add to the clock that kept keys grow old by; nothing is kept from other tests."""
    ahead = [0.0]
    ring = keyrings.KeysByUrl(monotonic=lambda: time.monotonic() + ahead[0])
    monkeypatch.setattr(client_authentication, "_keys_by_url", ring)
    return ahead


@pytest.fixture
def published(
    app: Continuum, superuser: psycopg.Connection[Any], tmp_path: Path, seconds: list[float]
) -> Iterator[Published]:
    host, before = Host(tmp_path), outward.current()
    outward.use(host.asking())
    yield Published(host, superuser)
    outward.use(before)
    host.close()


def test_keys_at_an_address_are_asked_once(published: Published) -> None:
    published.publish(system := published.system("a"))
    assert all(proven(system.form()) for _ in range(5))
    assert len(published.host.asked) == 1


def test_a_client_that_rotates_at_its_address_is_never_refused(published: Published, seconds: list[float]) -> None:
    old, new = published.system("a"), published.system("b")
    published.publish(old)
    assert proven(old.form())
    published.publish(old, new)
    seconds[0] += 31
    assert proven(old.form()) and proven(new.form()) and proven(old.form())
    assert len(published.host.asked) == 2
    published.publish(new)
    seconds[0] += 301
    assert proven(new.form()) and refused(old.form())


def test_the_address_in_the_header_must_be_the_registered_one(published: Published) -> None:
    published.publish(system := published.system("a"))
    right = system.assertion(header={"jku": published.host.url()})
    assert proven(system.form(client_assertion=right))
    assert refused(system.form(client_assertion=system.assertion(header={"jku": published.host.url("k.example")})))


@pytest.mark.parametrize("answer", [b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", b"nonsense\r\n\r\n"])
def test_an_address_that_answers_nonsense_has_no_keys(published: Published, answer: bytes) -> None:
    published.host.script = lambda peer, _: peer.sendall(answer)
    assert refused(published.system("a").form())


def test_no_transaction_is_open_while_keys_are_fetched(published: Published, owner_sql: SQL) -> None:
    waiting: list[Any] = []
    system = published.system("a")
    published.publish(system)
    answer = published.host.script

    def slowly(peer: Any, said: bytes) -> None:
        state = "SELECT 1 FROM pg_stat_activity WHERE usename = 'continuum_app' AND state = 'idle in transaction'"
        waiting.append(owner_sql(state))
        answer(peer, said)

    published.host.script = slowly
    assert proven(system.form()) and waiting == [[]]


def test_an_assertion_is_remembered_longer_than_it_is_good(north: System, owner_sql: SQL) -> None:
    """The worker forgets those spent ten minutes ago; the longest life, with every leeway, is shorter."""
    from api.access import assertions, worker

    form = north.form(client_assertion=north.assertion(exp=int(time.time()) + 300))
    assert proven(form)
    worker.run()
    assert refused(form)
    assert timedelta(minutes=10) > assertions.LIFETIME + 2 * assertions.LEEWAY

"""The keys of a client are those it has now; what it cannot show, it does not have."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from api.access import keyrings
from api.access.keyrings import KeysByUrl
from api.outward import Answer, NotReached

URL = "https://keys.partner.example/jwks"
AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NUMBERS = jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True)


def jwk(kid: str, **more: Any) -> dict[str, Any]:
    return {**NUMBERS, "kid": kid, **more}


class Partner:
    """A fake of the way outward: answers what it is told to, and counts."""

    def __init__(self, *kids: str, **headers: str) -> None:
        self.body: Any = {"keys": [jwk(kid) for kid in kids]}
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.status, self.asked, self.now = 200, 0, 1000.0
        self.error: BaseException | None = None
        self.meanwhile: Callable[[], object] = lambda: None
        self.ring = KeysByUrl(lambda: self, monotonic=lambda: self.now)

    def get(self, url: str, *, most_bytes: int, seconds: float) -> Answer:
        assert url.startswith(URL) and most_bytes == 65536 and seconds <= 5
        self.asked += 1
        self.meanwhile()
        if self.error:
            raise self.error
        body = self.body if isinstance(self.body, bytes) else orjson.dumps(self.body)
        return Answer(self.status, self.headers, body)

    def publish(self, *kids: str) -> None:
        self.body = {"keys": [jwk(kid) for kid in kids]}

    def kids(self, kid: str = "a", after: float = 0) -> list[str]:
        self.now += after
        return [one["kid"] for one in self.ring.get(URL, kid=kid)]


@pytest.fixture(autouse=True)
def alarms(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was logged as nobody's plan."""
    heard = list[str]()
    monkeypatch.setattr(keyrings, "log", SimpleNamespace(exception=heard.append))
    return heard


def kept_for(**headers: str) -> int:
    """For how many seconds a fetched key set is used again."""
    partner = Partner("a", **headers)
    partner.kids()
    for second in range(400):
        partner.now = 1000.0 + second
        if partner.kids() and partner.asked > 1:
            return second
    raise AssertionError("for ever")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 60),
        ({"cache_control": "public"}, 60),
        ({"cache_control": "max-age=10"}, 10),
        ({"cache_control": "private, Max-Age = 120 , stale-if-error=9000"}, 120),
        ({"cache_control": 'max-age="20"'}, 20),
        ({"cache_control": "max-age=86400"}, 300),
        ({"cache_control": "max-age=" + "9" * 5000}, 300),
        ({"cache_control": "max-age=90, max-age=15"}, 15),
        ({"cache_control": "s-maxage=200"}, 60),
        ({"cache_control": "max-age=100", "age": "70"}, 30),
        ({"cache_control": "max-age=100", "age": "101"}, 0),
        ({"cache_control": "max-age=100", "age": "X70"}, 100),
        ({"cache_control": "max-age=9999999999", "age": "999999990"}, 9),
        ({"cache_control": "max-age=0"}, 0),
        ({"cache_control": "max-age=-5"}, 0),
        ({"cache_control": "max-age=soon"}, 0),
        ({"cache_control": "No-Store"}, 0),
        ({"cache_control": "no-store, max-age=60"}, 0),
        ({"cache_control": "max-age=60, no-cache"}, 0),
    ],
)
def test_keys_are_kept_as_long_as_their_owner_allows(headers: dict[str, str], seconds: int) -> None:
    assert kept_for(**headers) == seconds


def test_keys_that_may_not_be_kept_are_still_given() -> None:
    partner = Partner("a", cache_control="no-store")
    assert [partner.kids(), partner.kids()] == [["a"], ["a"]]
    assert partner.asked == 2


def test_a_new_key_is_found_though_the_old_ones_are_fresh() -> None:
    partner = Partner("a", cache_control="max-age=300")
    partner.kids("a")
    partner.publish("a", "b")
    assert partner.kids("b", after=29) == ["a"] and partner.asked == 1
    assert partner.kids("b", after=1) == ["a", "b"] and partner.asked == 2
    assert partner.kids("a") == ["a", "b"] and partner.asked == 2


def test_unknown_names_cost_the_partner_one_request_in_thirty_seconds() -> None:
    partner = Partner("a", cache_control="max-age=300")
    for n in range(120):
        partner.kids(f"unknown-{n}", after=0.5)
    assert partner.asked == 2


def test_a_withdrawn_key_is_gone_with_the_next_fetch() -> None:
    partner = Partner("a", "b")
    partner.kids()
    partner.publish("b")
    assert partner.kids("a", after=60) == ["b"]


@pytest.mark.parametrize("reason", ["timeout", "address", "tls", "too_large"])
def test_an_address_that_is_not_reached_has_no_keys(reason: Any, alarms: list[str]) -> None:
    partner = Partner("a")
    partner.error = NotReached(reason)
    assert partner.kids() == [] == alarms


def test_a_failure_that_nobody_thought_of_is_no_keys_either(alarms: list[str]) -> None:
    partner = Partner("a")
    partner.error = RuntimeError("surprise")
    assert partner.kids() == [] and alarms == ["the keys of a client were not read"]
    partner.error = None
    assert partner.kids(after=5) == ["a"]


def test_a_failure_is_not_repeated_at_once() -> None:
    partner = Partner("a")
    partner.error = NotReached("connect")
    assert [partner.kids(after=1) for _ in range(5)] == [[]] * 5 and partner.asked == 1
    partner.error = None
    assert partner.kids(after=1) == ["a"] and partner.asked == 2


def test_a_failure_takes_no_fresh_keys_away_and_brings_no_old_ones_back() -> None:
    partner = Partner("a", cache_control="max-age=100")
    partner.kids()
    partner.error = NotReached("connect")
    assert partner.kids("unknown", after=50) == ["a"] and partner.asked == 2
    assert partner.kids("unknown", after=29) == ["a"] and partner.asked == 2
    assert partner.kids("a", after=21) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"null",
        {},
        {"keys": None},
        {"keys": {"a": 1}},
        {"keys": [jwk(f"k{n}") for n in range(51)]},
    ],
)
def test_what_is_not_a_key_set_has_no_keys(body: Any, alarms: list[str]) -> None:
    partner = Partner()
    partner.body = body
    assert partner.kids() == [] == alarms


@pytest.mark.parametrize("status", [201, 204, 301, 302, 304, 404, 500])
def test_only_an_answer_that_is_one_is_read(status: int, alarms: list[str]) -> None:
    partner = Partner("a")
    partner.status = status
    assert partner.kids() == [] == alarms


def test_fifty_keys_are_read() -> None:
    partner = Partner(*(f"k{n}" for n in range(50)))
    assert len(partner.kids()) == 50


def test_keys_that_are_none_of_ours_are_passed_over() -> None:
    partner = Partner()
    others = [
        jwk("private", d="AQAB"),
        jwk("enc", use="enc"),
        {"kty": "OKP", "kid": "ed"},
        {**NUMBERS},
        "text",
        None,
        [],
    ]
    partner.body = {"keys": [*others, jwk("a")]}
    assert partner.kids() == ["a"]


def test_what_a_caller_does_to_its_list_is_its_own_affair() -> None:
    partner = Partner("a")
    partner.ring.get(URL, kid="a").clear()
    partner.ring.get(URL, kid="a").clear()
    assert partner.kids() == ["a"] and partner.asked == 1


def test_addresses_are_kept_apart_and_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyrings, "MOST_URLS", 2)
    partner = Partner("a")
    for n in (1, 2, 3, 3, 2):
        partner.ring.get(f"{URL}/{n}", kid="a")
    assert partner.asked == 3
    partner.ring.get(f"{URL}/1", kid="a")
    assert partner.asked == 4


def test_the_address_that_was_asked_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyrings, "MOST_URLS", 2)
    partner = Partner("a", cache_control="max-age=300")
    for n, kid in ((1, "a"), (2, "a"), (1, "new"), (3, "a")):
        partner.now += 30
        partner.ring.get(f"{URL}/{n}", kid=kid)
    assert partner.asked == 4
    partner.ring.get(f"{URL}/1", kid="a")
    assert partner.asked == 4
    partner.ring.get(f"{URL}/2", kid="a")
    assert partner.asked == 5


def test_what_may_not_be_kept_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyrings, "MOST_URLS", 1)
    partner = Partner("a")
    partner.ring.get(f"{URL}/1", kid="a")
    partner.headers = {"cache-control": "no-store"}
    partner.ring.get(f"{URL}/2", kid="a")
    partner.ring.get(f"{URL}/1", kid="a")
    assert partner.asked == 2


@pytest.mark.parametrize("error", [None, NotReached("timeout"), RuntimeError("surprise")])
def test_a_fetch_under_way_is_shared(error: Exception | None) -> None:
    partner, found, asked, may_answer = Partner("a"), list[list[str]](), threading.Event(), threading.Event()
    partner.error, partner.meanwhile = error, lambda: (asked.set(), may_answer.wait(5))
    threads = [threading.Thread(target=lambda: found.append(partner.kids())) for _ in range(8)]
    for one in threads:
        one.start()
    assert asked.wait(5) and not found
    threading.Timer(0.2, may_answer.set).start()
    for one in threads:
        one.join(10)
    assert found == [["a"] if error is None else []] * 8 and partner.asked == 1


def test_whoever_waits_for_a_fetch_that_is_broken_off_has_no_keys() -> None:
    partner, asked, may_answer = Partner("a"), threading.Event(), threading.Event()
    partner.error, partner.meanwhile = SystemExit(), lambda: (asked.set(), may_answer.wait(5))
    with ThreadPoolExecutor(2) as pool:
        broken_off = pool.submit(partner.kids)
        assert asked.wait(5)
        waiting = pool.submit(partner.kids)
        threading.Timer(0.2, may_answer.set).start()
        assert waiting.result(10) == [] and broken_off.exception(10) is partner.error
    assert partner.asked == 1


def test_a_registered_key_stands_until_it_retires() -> None:
    later, earlier = AT + timedelta(seconds=1), AT - timedelta(seconds=1)
    registered = [
        jwk("a"),
        jwk("b", retires_at=None),
        jwk("c", retires_at=later),
        jwk("d", retires_at=later.isoformat()),
        jwk("e", retires_at="2026-11-23T12:00:01Z"),
        jwk("f", retires_at=AT),
        jwk("g", retires_at=earlier.isoformat()),
        jwk("h", retires_at="someday"),
        jwk("i", retires_at="2030-01-01T00:00:00"),
        jwk("j", retires_at=5),
    ]
    standing = keyrings.by_value(registered, at=AT)
    assert standing == [jwk(kid) for kid in "abcde"]

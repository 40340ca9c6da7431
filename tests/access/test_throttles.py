"""Guesses at secrets are counted exactly, by whom and at what; nobody's guesses lock a patient out."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import http_sf
import pytest
from limits import RateLimitItemPerHour, RateLimitItemPerMinute

from api import db, errors, hotlines
from api.access import sealing, throttles, windows
from api.app import Continuum

ROOT = Path(__file__).parents[2]
SECRET = b"for the tests of throttles only!"
SAM, NOBODY = b"index of a name that exists", b"index of a name of nobody"
MINE, OTHERS = "thumbprint-of-my-phone", "thumbprint-of-another"
HOME, CAFE = "203.0.113.7", "198.51.100.1"
SQL = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def keyed(app: Continuum) -> Iterator[None]:
    before = sealing._secret
    sealing.use(SECRET)
    yield
    throttles.use(throttles.Tries())
    if before:
        sealing.use(before)


@pytest.fixture
def statements(app: Continuum, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The names of all statements that were asked on the lines."""
    asked: list[bytes] = []
    ask = hotlines.Lines.ask

    def noted(self: hotlines.Lines, statement: hotlines.Prepared, values: Any) -> Any:
        asked.append(statement.name)
        return ask(self, statement, values)

    monkeypatch.setattr(hotlines.Lines, "ask", noted)
    return asked


def attempt(what: bytes = SAM, *, address: str = HOME, key: str | None = MINE, flow: str = "password") -> Any:
    return throttles.spend(flow=flow, what=what, address=address, key=key)


def refused(what: bytes = SAM, **where: Any) -> throttles.TooManyTries:
    with pytest.raises(throttles.TooManyTries) as refusal:
        attempt(what, **where)
    return refusal.value


def strangers_use_up(what: bytes = SAM) -> None:
    for number in range(10):
        attempt(what, address=f"192.0.2.{number}", key=f"stranger-{number}")


def left(spent: throttles.Spent) -> dict[str, int]:
    """What is left of each limit that was counted, as the house sees it."""
    found: dict[str, int] = {}
    for one in spent.counted:
        remaining = throttles._counting.get_window_stats(one.item, one.policy, *one.whose).remaining
        found[one.policy] = min(found.get(one.policy, remaining), remaining)
    return found


def told(spent: throttles.Spent) -> dict[str, int]:
    """The same as the answer tells it."""
    parsed = http_sf.parse(dict(spent.fields)["RateLimit"].encode(), tltype="list")
    return {name: members["r"] for name, members in parsed}


def test_ten_wrong_tries_an_hour_are_all_that_an_account_has() -> None:
    strangers_use_up()
    assert refused(address=CAFE, key=OTHERS).status == 429
    attempt(NOBODY, address=CAFE, key=OTHERS)


def test_a_hundred_wrong_tries_in_thirty_days_are_all_that_an_account_has(owner_sql: SQL) -> None:
    throttles.use(throttles.Tries(address=RateLimitItemPerHour(1000), device=RateLimitItemPerHour(1000)))
    for _hour in range(10):
        for _ in range(10):
            attempt()
        owner_sql("DELETE FROM throttle_windows WHERE expires_at < now() + interval '2 hours'")
    assert int(refused().headers["Retry-After"]) > 29 * 86400


def test_one_address_has_a_hundred_failures_an_hour_and_one_device_twenty() -> None:
    for number in range(100):
        attempt(b"%d" % number, key=f"phone-{number}")
    assert '"address";r=0' in refused(NOBODY, key=OTHERS).headers["RateLimit"]
    for number in range(20):
        attempt(b"%d" % number, address=f"192.0.2.{number}", key="one-phone")
    assert '"device";r=0' in refused(NOBODY, address=CAFE, key="one-phone").headers["RateLimit"]


def test_who_is_refused_for_the_address_spends_none_of_the_accounts_tries() -> None:
    throttles.use(throttles.Tries(address=RateLimitItemPerHour(1)))
    attempt(NOBODY, address=CAFE, key=OTHERS)
    for _ in range(20):
        refused(address=CAFE, key=OTHERS)
    assert left(attempt())["account"] == 9


def test_success_gives_back_to_address_and_device() -> None:
    attempt()
    throttles.succeeded(attempt())
    assert left(attempt(NOBODY)) == {"address": 98, "device": 18, "account": 9}


def test_nothing_is_given_back_below_zero(owner_sql: SQL) -> None:
    spent = attempt()
    for _ in range(3):
        throttles.succeeded(spent)
    assert left(attempt(NOBODY)) == {"address": 99, "device": 19, "account": 9}
    assert owner_sql("SELECT min(hits) FROM throttle_windows") == [(0,)]


def test_a_secret_that_was_never_looked_at_costs_no_try() -> None:
    throttles.know(what=SAM, key=MINE)
    attempt()
    throttles.unspend(attempt())
    assert left(attempt()) == {"device": 18, "account": 8}


def test_a_try_that_was_right_opens_a_window_that_was_refusing() -> None:
    spent = [attempt(bytes([number]), key=None) for number in range(100)]
    for _ in range(5):
        refused(NOBODY, key=None)
    for one in spent[:2]:
        throttles.succeeded(one)
    attempt(NOBODY, key=None)


def test_somebody_elses_guesses_do_not_touch_a_phone_that_has_signed_in() -> None:
    throttles.succeeded(attempt())
    strangers_use_up()
    refused(address=CAFE, key=OTHERS)
    assert left(attempt())["account"] == 9


def test_a_known_phone_has_no_more_tries_than_strangers_and_begins_afresh_when_it_is_right() -> None:
    throttles.know(what=SAM, key=MINE)
    spent = [attempt() for _ in range(10)]
    refused()
    throttles.succeeded(spent[-1])
    assert left(attempt())["account"] == 9


def test_a_phone_is_known_for_one_account_only() -> None:
    throttles.know(what=SAM, key=MINE)
    strangers_use_up(NOBODY)
    refused(NOBODY)


def test_a_strangers_success_shows_in_nobody_elses_tries() -> None:
    assert left(attempt(address=CAFE, key=OTHERS))["account"] == 9
    throttles.succeeded(attempt())
    assert left(attempt(address=CAFE, key=OTHERS))["account"] == 8


def test_flows_have_tries_of_their_own() -> None:
    strangers_use_up()
    attempt(flow="activation")


def test_without_a_device_key_address_and_account_are_counted() -> None:
    spent = attempt(key=None)
    assert left(spent) == {"address": 99, "account": 9}
    throttles.succeeded(spent)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("", "unix", False),
    ],
)
def test_an_ipv6_site_is_one_address(one: str, other: str, same: bool) -> None:
    assert (throttles.network(one) == throttles.network(other)) is same


def test_a_window_ends(owner_sql: SQL) -> None:
    strangers_use_up()
    refused()
    owner_sql("UPDATE throttle_windows SET expires_at = now() - interval '1 second'")
    assert left(attempt()) == {"address": 99, "device": 19, "account": 9}


def test_what_is_left_of_an_accounts_tries_is_told_to_its_own_phones_alone() -> None:
    """Who asks about a name is not to learn that somebody else just used it."""
    assert told(attempt(address=CAFE, key=OTHERS)) == {"address": 99, "device": 19}
    throttles.know(what=SAM, key=MINE)
    assert told(attempt()) == {"device": 19, "account": 9}


def test_a_known_phone_is_not_held_to_what_others_do_from_its_address() -> None:
    throttles.know(what=SAM, key=MINE)
    throttles.use(throttles.Tries(address=RateLimitItemPerHour(1)))
    attempt(NOBODY, key=OTHERS)
    assert refused(NOBODY, key=OTHERS).status == 429
    attempt()


def test_fields_name_every_policy_and_parse() -> None:
    throttles.know(what=SAM, key=MINE)
    fields = dict(attempt().fields)
    policies = dict(http_sf.parse(fields["RateLimit-Policy"].encode(), tltype="list"))
    assert policies == {
        "device": {"q": 20, "w": 3600},
        "account": {"q": 10, "w": 3600},
    }
    limits = dict(http_sf.parse(fields["RateLimit"].encode(), tltype="list"))
    assert {name: one["r"] for name, one in limits.items()} == {"device": 19, "account": 9}
    assert all(3590 <= one["t"] <= 3600 for one in limits.values())


def test_a_refusal_says_when_to_come_back() -> None:
    strangers_use_up()
    headers = refused().headers
    limits = dict(http_sf.parse(headers["RateLimit"].encode(), tltype="list"))
    assert limits["account"] == {"r": 0, "t": int(headers["Retry-After"])}


@pytest.mark.parametrize("right", [True, False])
def test_names_that_exist_and_names_of_nobody_cost_the_same_statements(statements: list[bytes], right: bool) -> None:
    throttles.know(what=SAM, key=OTHERS)
    counts = []
    for what in (SAM, NOBODY):
        statements.clear()
        spent = attempt(what)
        if right:
            throttles.succeeded(spent)
        counts.append(statements.copy())
    assert counts[0] == counts[1]
    assert len(counts[0]) == (5 if right else 3)


def test_refusals_are_the_same_for_names_that_exist_and_for_those_of_nobody(statements: list[bytes]) -> None:
    throttles.know(what=SAM, key=OTHERS)
    told = []
    for what in (SAM, NOBODY):
        strangers_use_up(what)
        statements.clear()
        refusal = refused(what)
        told.append((str(refusal), refusal.headers["RateLimit-Policy"], len(statements)))
    assert told[0] == told[1]


def test_a_rollback_gives_no_try_back() -> None:
    with pytest.raises(errors.NotFound), db.transaction(db.PUBLIC):
        attempt()
        raise errors.NotFound
    assert left(attempt())["account"] == 8


def test_what_is_counted_cannot_be_read_off_the_table(owner_sql: SQL) -> None:
    attempt()
    keys = [bytes(key) for (key,) in owner_sql("SELECT key FROM throttle_windows")]
    assert {len(key) for key in keys} == {32}
    sealing.use(SECRET[::-1])
    assert left(attempt()) == {"address": 99, "device": 19, "account": 9}


def test_the_storage_speaks_as_the_library_expects() -> None:
    storage, item = windows.Windows(), RateLimitItemPerMinute(5)
    key = item.key_for("somebody")
    assert (storage.incr(key, 60), storage.incr(key, 60, 2), storage.get(key)) == (1, 3, 3)
    counting = windows.Counting()
    assert counting.test(item, "somebody", cost=2) and not counting.test(item, "somebody", cost=3)
    assert counting.get_window_stats(item, "somebody").remaining == 2
    assert storage.check()
    storage.clear(key)
    assert storage.get(key) == 0
    assert storage.incr(key, 60) == 1
    assert (storage.reset(), storage.get(key)) == (1, 0)


GUESSER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from limits import RateLimitItemPerHour
from api import db
from api.access import sealing, throttles

db.open_engine(sys.argv[1], pool=8, statement_timeout_ms=5000)
sealing.use(b"for the tests of throttles only!")
throttles.use(throttles.Tries(address=RateLimitItemPerHour(1000), device=RateLimitItemPerHour(1000)))

def guess(number):
    try:
        throttles.spend(flow="password", what=b"one name", address="203.0.113.7", key=f"phone-{number}")
    except throttles.TooManyTries:
        return 0
    return 1

with ThreadPoolExecutor(8) as threads:
    sys.stdout.write(str(sum(threads.map(guess, range(100)))))
"""


def test_two_processes_of_eight_threads_get_ten_tries_together(app: Continuum) -> None:
    def process(_: int) -> int:
        command = [sys.executable, "-c", GUESSER, app.settings.database_url]
        return int(subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=120).stdout)

    with ThreadPoolExecutor(2) as both:
        assert sum(both.map(process, range(2))) == 10

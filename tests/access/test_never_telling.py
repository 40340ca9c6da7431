"""Nobody learns from a sign-in that was refused who is a patient here (42 CFR 2.13(c)(2); ASVS 5.0 6.3.8).

Whatever the cause, the same bytes and headers come back after the same hashes and the same statements in the same
order. `make timing` asks the clock the same question.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.access import causes
from tests.access.causes import CAUSES, House
from tests.access.meter import Cost, Meter, metering
from tests.access.ways import begin
from tests.knocking import Knocker
from tests.phone import Answer, Phone

SQL = Callable[..., list[tuple[Any, ...]]]
HASHES = {"password": 1, "typed code": 1, "link": 0, "passkey": 0}


@pytest.fixture
def house(new_phone: Callable[..., Phone], invite: Callable[..., str], patient: Knocker, owner_sql: SQL) -> House:
    assert patient.id
    return House(new_phone, patient.id, lambda form: invite(patient, form), owner_sql)


@pytest.fixture
def meter(house: House) -> Iterator[Meter]:
    with metering() as made:
        yield made


def seen(answer: Answer) -> tuple[int, bytes, dict[str, str]]:
    """All that a stranger sees, but for the names of the request and the seconds until tries come back."""
    headers = {
        name: re.sub(r"t=\d+", "t=", value)
        for name, value in answer.headers.items()
        if name not in ("x-request-id", "traceparent", "date")
    }
    return answer.status, answer.body, headers


@pytest.mark.parametrize(
    ("flow", "cause"), [(flow, cause) for flow, listed in CAUSES.items() for cause in listed if cause != "nobody"]
)
def test_every_cause_looks_like_nobody(house: House, meter: Meter, flow: str, cause: str) -> None:
    nobody, cost = meter.of(CAUSES[flow]["nobody"](house))
    other, its_cost = meter.of(CAUSES[flow][cause](house))
    assert (nobody.status, nobody.json["error"]) == (400, "access_denied")
    assert seen(other) == seen(nobody)
    assert its_cost == cost == Cost(HASHES[flow], cost.statements) and cost.statements


@pytest.mark.parametrize("right", [causes.password(), causes.code("code"), causes.code("link_code"), causes.passkey()])
def test_the_same_request_lets_in_where_nothing_is_wrong(house: House, right: causes.Cause) -> None:
    answer = right(house)()
    assert "authorization_code" in answer.json or "passkey_creation" in answer.json


@pytest.mark.parametrize("name", ["theirs", "nobody-0000"])
def test_the_eleventh_try_in_an_hour_is_refused_whether_or_not_there_is_such_a_name(house: House, name: str) -> None:
    said = {"sign_in_name": house.named.name if name == "theirs" else name, "password": "guessed", "totp": "000000"}
    answers = [house.stranger().challenge(**begin(**said)) for _ in range(11)]
    assert [one.status for one in answers] == [400] * 10 + [429]
    assert ["account" in one.headers["ratelimit"] for one in answers] == [False] * 10 + [True]
    assert (answers[-1].json["error"], answers[-1].json["retry"]) == ("temporarily_unavailable", "later")
    assert int(answers[-1].headers["retry-after"]) > 3000


def test_the_eleventh_try_at_a_code_is_refused_whether_or_not_it_exists(house: House) -> None:
    shown = house.code("link_code", wrong_tries="5")
    for code in (shown, causes.of_nobody(shown)):
        tries = [house.stranger().challenge(**begin(activation_code=code)).status for _ in range(11)]
        assert tries == [400] * 10 + [429]


def test_an_attempt_of_somebody_else_is_like_none(house: House) -> None:
    theirs = house.phone.challenge(**begin()).json["auth_session"]
    stranger = house.stranger()
    tried = [stranger.challenge(auth_session=session, passkey="{}") for session in (theirs, "never-begun")]
    assert [(one.status, one.body) for one in tried[:1]] == [(one.status, one.body) for one in tried[1:]]
    assert tried[0].json["error"] == "invalid_session" and tried[0].headers.keys() == tried[1].headers.keys()

"""A quota is told in RateLimit fields, and a spent one says when to come back."""

from uuid import uuid4

import pytest

from api import errors, throttle
from tests.knocking import Knocker


def test_what_is_left_is_told_on_every_answer(patient: Knocker, visitor: Knocker) -> None:
    first, second = (patient.get("/v1/me").headers for _ in range(2))
    assert first["RateLimit-Policy"] == '"minute";q=1000000;w=60'
    left = [int(one["RateLimit"].partition(";r=")[2].partition(";")[0]) for one in (first, second)]
    assert left[0] - left[1] == 1
    assert "RateLimit" in visitor.get("/v1/me").headers


def test_a_spent_quota_says_when_to_come_back() -> None:
    quota, key = throttle.Throttle(2), str(uuid4())
    assert [dict(quota.spend(key))["RateLimit"][:12] for _ in range(2)] == ['"minute";r=1', '"minute";r=0']
    with pytest.raises(errors.TooManyRequests) as refused:
        quota.spend(key)
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 60
    assert f"t={refused.value.headers['Retry-After']}" in refused.value.headers["RateLimit"]


def test_one_callers_quota_is_not_anothers() -> None:
    quota = throttle.Throttle(1)
    quota.spend("a")
    assert '"minute";r=0;' in dict(quota.spend("b"))["RateLimit"]

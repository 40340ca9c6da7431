"""A safety answer is found in whatever body it comes, and a harmless one is left alone."""

import time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.checkins import safety
from api.checkins.safety import Hit

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
ITEM_9 = {"item": "phq9_9"}


@pytest.mark.parametrize("number", [1, 2, 3])
def test_any_answer_to_item_9_above_not_at_all_is_a_hit(number: int) -> None:
    assert safety.hits({"answers": [ITEM_9 | {"number": number}]}) == [Hit("phq-9", "phq9_9", str(number))]


def test_not_safe_now_is_a_hit() -> None:
    assert safety.hits({"answers": [{"item": "safe_now", "choice": "no"}]}) == [Hit("daily", "safe_now", "no")]


@pytest.mark.parametrize(
    "body",
    [
        {"answers": [ITEM_9 | {"number": 0}]},
        {"answers": [{"item": "safe_now", "choice": "yes"}]},
        {"answers": [ITEM_9]},
        {"answers": [ITEM_9 | {"number": None}]},
        {"answers": [{"item": "phq9_1", "number": 3}, {"item": "used", "choice": "yes"}]},
        {"answers": [{"item": "note", "text": "phq9_9"}]},
        {"answers": [{"item": {"key": "phq9_9"}, "number": 0}]},
        {"answers": [{"item": ["phq9_9", "phq9_1"], "number": 0}]},
        {},
    ],
    ids=[
        "item 9 not at all",
        "safe",
        "no answer",
        "null",
        "other items",
        "a note that names it",
        "nested",
        "doubled",
        "nothing",
    ],
)
def test_a_harmless_body_is_no_hit(body: dict[str, Any]) -> None:
    assert safety.hits(body) == []


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"answers": [ITEM_9 | {"value": "2"}]}, "2"),
        ({"answers": [ITEM_9 | {"number": 2.0}]}, "2"),
        ({"answers": [ITEM_9 | {"number": 7}]}, "unreadable"),
        ({"answers": [ITEM_9 | {"number": "Nearly every day"}]}, "unreadable"),
        ({"answers": [ITEM_9 | {"number": True}]}, "unreadable"),
        ({"answers": [ITEM_9 | {"answer": {"number": 3}}]}, "3"),
        ({"answers": {"phq9_9": 1}}, "1"),
        ({"answers": {"PHQ9_9": [1]}}, "1"),
        ({"answer": [[{"code": "44260-8", "number": 1}]]}, "1"),
        ({"answers": [{"item": {"key": "phq9_9"}, "number": 3}]}, "3"),
        ({"answers": [{"item": {"key": "phq9_9", "number": 3}}]}, "3"),
        ({"answers": [{"code": {"coding": [{"code": "44260-8"}]}, "valueInteger": 3}]}, "3"),
        ({"answers": [{"item": "phq9_9", "code": {"number": 3}}]}, "3"),
        ({"question": {"phq9_9": 3}}, "3"),
        ({"name": [ITEM_9 | {"number": 3}]}, "3"),
        ({"id": {"id": [{"key": {"PHQ9-9": 3}}]}}, "3"),
        ({"answers": [{"questionId": "phq9_9", "number": 3}]}, "3"),
        ({"instrument": "no such", "whatever": 1, "answers": [ITEM_9 | {"number": 1, "mood": 0}]}, "1"),
    ],
)
def test_a_malformed_body_still_says_it(body: dict[str, Any], answer: str) -> None:
    assert Hit("phq-9", "phq9_9", answer) in safety.hits(body)


@pytest.mark.parametrize(
    "answers",
    [
        {"safeNow": "no"},
        {"Safe now": "no"},
        {"safe-now": False},
        [{"item": "safeNow", "choice": "no"}],
        [{"item": {"name": "safe now"}, "choice": "no"}],
    ],
)
def test_however_the_name_is_spelled(answers: Any) -> None:
    assert [(hit.instrument, hit.item) for hit in safety.hits({"answers": answers})] == [("daily", "safe_now")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_in_whatever_unicode_it_comes(encoding: str) -> None:
    raw = '{"answers":[{"item":"safe_now","choice":"no"}]}'.encode(encoding)
    assert safety.hits(safety.read(raw)) == [Hit("daily", "safe_now", "no")]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"answers":[{"item":"phq9_9","number":3,"number":0}]}',
        b'{"answers":[{"item":"phq9_9","number":3}],"answers":[]}',
        b'{"answers":[{"item":"phq9_9","number":3}],"x":' + b"9" * 5000 + b"}",
        b'{"answers":[{"item":"phq9_9","number":3}],"x":"\\ud800\\u0000"}',
        b'{"answers":[{"item":"phq9_9","number":3}],"x":"\xff"}',
        b'{"answers":[{"item":"phq9_9","number":3}],"x":NaN}',
        b'{"answers":[{"item":"phq9_9","number":3}],"x":' + b"[" * 200 + b"]" * 200 + b"}",
        b'\xef\xbb\xbf{"answers":[{"item":"phq9_9","number":3}]}',
    ],
    ids=["doubled", "doubled outside", "5,000 digits", "surrogate", "bytes", "NaN", "deep", "byte order mark"],
)
def test_a_body_that_will_be_refused_is_still_looked_at(raw: bytes) -> None:
    assert safety.hits(safety.read(raw)) == [Hit("phq-9", "phq9_9", "3")]


@pytest.mark.parametrize("raw", [b"", b"not json", b"[" * 100_000, b'{"answers":[{"item":"phq9_9","numb'])
def test_what_is_no_json_holds_nothing(raw: bytes) -> None:
    assert safety.hits(safety.read(raw)) == []


@given(JSON)
def test_no_body_can_break_the_look(body: object) -> None:
    safety.hits(body)


@given(JSON, st.sampled_from([1, 2, 3]))
def test_a_safety_answer_is_found_however_deep_it_lies(around: object, number: int) -> None:
    body = {"around": [around, {"inner": [ITEM_9 | {"number": number}]}]}
    assert Hit("phq-9", "phq9_9", str(number)) in safety.hits(body)


@given(st.integers(-5, 9))
def test_the_raw_look_and_the_parsed_look_agree(number: int) -> None:
    body = {"answers": [ITEM_9 | {"number": number}]}
    assert safety.hits(safety.read(orjson.dumps(body))) == safety.hits(body)


def test_a_large_body_made_to_be_slow_is_looked_at_once() -> None:
    body: Any = {"item": "phq9_9", "number": [0] * 100_000}
    for _ in range(500):
        body = {"item": "phq9_9", "inner": body}
    began = time.thread_time()
    assert safety.hits(body) == []
    assert time.thread_time() - began < 5


def test_names_inside_names_are_looked_at_once() -> None:
    body: Any = ["phq9_9"] * 100_000
    for _ in range(500):
        body = {"item": body}
    began = time.thread_time()
    safety.hits(body)
    assert time.thread_time() - began < 5

"""JSON put together by PostgreSQL is JSON: whatever a text holds, whatever is NULL, however many there are."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from api import db, hotjson
from api.app import Continuum


def said(app: Continuum, expression: Any) -> Any:
    with db.transaction(db.PUBLIC) as session:
        return orjson.loads(session.scalar(sa.select(expression)) or "")


def text_of(value: str | None) -> Any:
    return sa.bindparam(None, value, sa.Text)


@pytest.mark.parametrize("text", ["", 'a"b', "a\\", "\n\t\u2028\x7f", "</script>", "año ✓ 𝄞", "{}", "%s :x"])
def test_any_text_comes_through(app: Continuum, text: str) -> None:
    assert said(app, hotjson.object_(hotjson.text("said", text_of(text)))) == {"said": text}


def test_what_is_null_is_absent(app: Continuum) -> None:
    members = [hotjson.text("a", text_of(None)), hotjson.word("b", text_of(None)), hotjson.value("c", text_of(None))]
    assert said(app, hotjson.object_(hotjson.value("first", sa.literal(1)), *members)) == {"first": 1}


def test_numbers_booleans_words_and_objects_stay_what_they_are(app: Continuum) -> None:
    inner = hotjson.object_(hotjson.value("yes", sa.true()))
    whole = hotjson.object_(
        hotjson.value("minutes", sa.literal(-7)), hotjson.word("kind", text_of("group")), hotjson.value("inner", inner)
    )
    assert said(app, whole) == {"minutes": -7, "kind": "group", "inner": {"yes": True}}


@pytest.mark.parametrize("values", [[], [1], [3, 1, 2]])
def test_a_list_keeps_the_order_of_its_rows(app: Continuum, values: list[int]) -> None:
    rows = sa.func.unnest(sa.bindparam(None, values, sa.ARRAY(sa.Integer))).table_valued("n").render_derived()
    assert said(app, sa.select(hotjson.array(sa.cast(rows.c.n, sa.Text))).scalar_subquery()) == values


def test_instants_are_written_in_utc_and_cut_to_whole_seconds(app: Continuum) -> None:
    at = sa.bindparam(None, datetime(2026, 11, 1, 5, 30, 0, 711793, tzinfo=UTC), sa.DateTime(timezone=True))
    assert said(app, hotjson.object_(hotjson.word("at", hotjson.utc(at)))) == {"at": "2026-11-01T05:30:00Z"}

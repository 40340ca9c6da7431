"""House fields become JSON Schema that generated clients can use."""

from typing import Any

import pytest
from marshmallow import fields

from api import contract_fields
from schemas import base


def written(field: fields.Field[Any], parent: type[base.Shape] = base.Answer) -> dict[str, Any]:
    shape = type("Shape", (parent,), {"it": field})
    _, converter = contract_fields.empty()
    return dict(converter.schema2jsonschema(shape())["properties"]["it"])


def test_a_decimal_travels_as_text() -> None:
    assert written(fields.Decimal(as_string=True))["type"] == "string"


def test_a_whole_number_says_how_wide_it_is() -> None:
    assert written(base.Whole(min=0, max=10))["format"] == "int32"
    assert written(base.Whole(min=0, max=2**31))["format"] == "int64"


def test_a_word_is_a_plain_string_and_where_asked_a_pattern() -> None:
    answered, asked = (written(base.Word(("not_now", "a-b")), parent) for parent in (base.Answer, base.Ask))
    assert "enum" not in answered and answered["examples"] == ["not_now", "a-b"]
    assert asked["pattern"] == "^(not_now|a-b)$"


def test_a_nullable_field_keeps_its_type_and_a_query_has_no_null() -> None:
    assert written(base.Text(max=5, load_default=None), base.Ask)["type"] == ["string", "null"]
    assert written(base.Text(max=5, load_default=None), base.Query)["type"] == "string"


def test_every_text_is_bounded_and_has_an_ecma_pattern() -> None:
    assert written(base.LocalTime())["pattern"] == r"^([01]\d|2[0-3]):[0-5]\d$"
    assert written(base.Text(max=5))["pattern"] == r"^[^\u0000]*$"
    assert written(base.Id())["maxLength"] == 36


def test_a_trimmed_shape_is_refused() -> None:
    class PlaceAnswer(base.Answer):
        name = base.Text(max=5)

    _, converter = contract_fields.empty()
    with pytest.raises(contract_fields.TwoShapes):
        converter.resolve_nested_schema(PlaceAnswer(only=("name",)))


def test_two_shapes_of_one_name_are_refused() -> None:
    names = contract_fields.Names()
    first, second = (type("PlaceAnswer", (base.Answer,), {}) for _ in range(2))
    names(first)
    with pytest.raises(contract_fields.TwoShapes):
        names(second)

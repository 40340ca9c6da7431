"""How a house field is written down as JSON Schema: what apispec leaves out or gets wrong, put right once.

The rules are those of generated clients (Kotlin, Swift, TypeScript): a type on everything, no bare number,
no closed list on what may grow, bounds on every text, list and whole number.
"""

import re
from typing import Any, cast

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.common import MODIFIERS, resolve_schema_instance
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields
from webargs.fields import DelimitedList

from schemas import base

Json = dict[str, Any]
Field = fields.Field[Any]

VERSION = "3.1.1"
# PostgreSQL stores neither NUL nor unpaired surrogates; JSON text cannot carry the latter.
ANY_TEXT = r"^[^\u0000]*$"
LENGTHS = {"uuid": 36, "date": 10, "date-time": 40}
INT32 = 2**31 - 1


class TwoShapes(ValueError):
    """Two shapes want one name, or a shape was trimmed with `only` and the like: give each a class of its own."""


class Names:
    """Component names: a schema's class name, once. apispec would number doubles and carry on."""

    def __init__(self) -> None:
        self.taken: dict[str, type[Schema]] = {}

    def __call__(self, schema: Any) -> str:
        shape = resolve_schema_instance(schema)
        if any(getattr(shape, modifier) for modifier in MODIFIERS):
            raise TwoShapes(f"{type(shape).__name__} is trimmed; write the smaller shape as a class.")
        name = type(shape).__name__
        if self.taken.setdefault(name, type(shape)) is not type(shape):
            raise TwoShapes(f"{name} names two shapes.")
        return name


class Converter(OpenAPIConverter):
    """apispec's translation, put right: fields by FIXES, shapes closed where they are asked."""

    def field2property(self, field: Field) -> Json:
        written: Json = super().field2property(field)
        for fix in FIXES:
            fix(field, written)
        return written

    def _field2parameter(self, field: Field, *, name: str, location: str) -> Json:
        parameter: Json = super()._field2parameter(field, name=name, location=location)
        return parameter | ({"style": "form", "explode": False} if isinstance(field, DelimitedList) else {})

    def schema2jsonschema(self, schema: Any) -> Json:
        """What is asked is closed; what is answered stays open, so that a new field never breaks an installed app."""
        written: Json = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]
        written.pop("additionalProperties", None)
        written["description"] = " ".join((type(schema).__doc__ or "").split())
        return written | ({"additionalProperties": False} if isinstance(schema, base.Ask) else {})

    def component(self, shape: type[Schema]) -> Json:
        """A reference to `shape`, which becomes a component the first time."""
        reference: Json = self.resolve_nested_schema(shape)  # type: ignore[no-untyped-call]
        return reference

    def parameters(self, shape: type[Schema]) -> list[Json]:
        """The query parameters that `shape` stands for."""
        found: list[Json] = self.schema2parameters(shape(), location="query")
        return found


class Plugin(MarshmallowPlugin):
    Converter = Converter


def empty() -> tuple[APISpec, Converter]:
    """A document without operations, and the translator of schemas into its components."""
    plugin = Plugin(schema_name_resolver=Names())
    spec = APISpec("", "", VERSION, [plugin])
    return spec, cast(Converter, plugin.converter)


def written_types(field: Field, written: Json) -> None:
    """Decimals travel as text. `Enum` and `Constant` keep a type beside their values."""
    if isinstance(field, fields.Decimal):
        written |= {"type": "string", "pattern": r"^-?\d{1,12}(\.\d{1,6})?$", "maxLength": 20}
    elif isinstance(field, fields.Enum):
        written["type"] = ["string", "null"] if field.allow_none else "string"
    elif isinstance(field, fields.Constant):
        written.pop("default", None)
        written |= {"type": "string", "enum": [field.constant]}


def word(field: Field, written: Json) -> None:
    """A growing list of words: a plain string; where it is asked, a pattern says which words pass today."""
    if isinstance(field, base.Word) and isinstance(field.root, base.Ask):
        written["pattern"] = "^(" + "|".join(map(literally, field.words)) + ")$"


def literally(text: str) -> str:
    """`text` as a pattern. `re.escape` would escape hyphens too, which ECMA-262 with the `u` flag refuses."""
    return re.sub(r"([.+*?^$()\[\]{}|\\])", r"\\\1", text)


def bounds(field: Field, written: Json) -> None:
    """Format of whole numbers; length and pattern of texts; patterns as ECMA-262 writes them."""
    types = written.get("type", ())
    if "integer" in types:
        written["format"] = "int32" if written.get("maximum", INT32 + 1) <= INT32 else "int64"
    elif "string" in types and "enum" not in written:
        if "format" in written:
            written.setdefault("maxLength", LENGTHS[written["format"]])
        else:
            pattern = written.get("pattern", ANY_TEXT)
            written["pattern"] = re.sub(r"^\\A", "^", re.sub(r"\\Z$", "$", pattern))


def without_null_default(field: Field, written: Json) -> None:
    """A null default says nothing that "not required" does not; and no query can carry a null."""
    if written.get("default", ...) is None:
        del written["default"]
    if isinstance(field.root, base.Query) and isinstance(written.get("type"), list):
        written["type"] = next(one for one in written["type"] if one != "null")


FIXES = (written_types, word, bounds, without_null_default)

"""Ask and Answer, and the fields of the house.

What is asked is closed: an unknown field is refused, so that a misspelled one is never silently lost.
What is answered is open: a new field never breaks an installed app. Every text, list and number is
bounded, instants are UTC in whole seconds, and no text holds a NUL or a lone surrogate, which PostgreSQL
cannot store. Every schema carries one synthetic `example` that validates.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, ClassVar
from zoneinfo import available_timezones

import marshmallow as ma
from marshmallow import fields, validate

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)
ZONES = frozenset(available_timezones())
SAFE_INTEGER = 2**53 - 1
SURROGATES = frozenset(map(chr, range(0xD800, 0xE000)))


class Shape(ma.Schema):
    """A named, flat shape. `example` is a complete synthetic instance of it, as JSON."""

    example: ClassVar[Mapping[str, Any]]


class Ask(Shape):
    """A request body or the query parameters: unknown names are refused (422, 400 in a query)."""

    class Meta:
        unknown = ma.RAISE


class Answer(Shape):
    """A response body: open, so that it can grow. What is None is left out, never sent as null."""

    class Meta:
        unknown = ma.INCLUDE

    @ma.post_dump
    def without_unknowns(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {key: value for key, value in data.items() if value is not None}


class Text(fields.String):
    """Text of 1 to `max` characters (`min=0` allows the empty one), without NUL and lone surrogates."""

    def __init__(self, *, max: int, min: int = 1, pattern: str | None = None, **kwargs: Any) -> None:
        checks: list[Any] = [validate.Length(min=min, max=max), *kwargs.pop("validators", ())]
        if pattern:
            checks.append(validate.Regexp(pattern))
        super().__init__(validate=checks, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if "\x00" in text or not (text.isascii() or SURROGATES.isdisjoint(text)):
            raise ma.ValidationError("Must not contain NUL or unpaired surrogates.")
        return text


class Word(Text):
    """One of a growing list of words. Documented as a plain string with the known words, because a closed
    enumeration breaks installed apps when it grows; on an Ask only the known ones pass."""

    def __init__(self, words: Sequence[str], **kwargs: Any) -> None:
        self.words = tuple(words)
        metadata = {"examples": list(self.words), "x-extensible-enum": list(self.words), **kwargs.pop("metadata", {})}
        super().__init__(max=64, metadata=metadata, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        word = super()._deserialize(value, attr, data, **kwargs)
        if isinstance(self.root, Ask) and word not in self.words:
            raise ma.ValidationError(f"Must be one of: {', '.join(self.words)}.")
        return word


class Whole(fields.Integer):
    """A whole number from `min` to `max`; in a body it must be a JSON number without a fraction."""

    def __init__(self, *, min: int, max: int, **kwargs: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(min=min, max=max), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or (isinstance(value, str) and not self.in_text):
            raise self.make_error("invalid")
        if self.in_text and isinstance(value, str):
            if not value.lstrip("-").isdecimal() or len(value) > 20:
                raise self.make_error("invalid")
            value = int(value)
        number = super()._deserialize(value, attr, data, **kwargs)
        assert number is not None
        return number

    @property
    def in_text(self) -> bool:
        """Whether this stands in a query, where every value is text."""
        return isinstance(self.root, Query)


class Flag(fields.Boolean):
    """A JSON `true` or `false`, nothing else; in a query the words `true` and `false`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if isinstance(self.root, Query) and value in ("true", "false"):
            return bool(value == "true")
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Instant(fields.AwareDateTime):
    """An RFC 3339 instant, answered in UTC and whole seconds (`…Z`). Accepts any offset and fractions,
    between 1900 and 2200."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _serialize(self, value: datetime | str | None, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        # Text is what the catalogue or PostgreSQL has rendered already.
        if value is None or isinstance(value, str):
            return value
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not 20 <= len(value) <= 40 or value[10] not in "Tt":
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        try:
            instant = super()._deserialize(value.upper(), attr, data, **kwargs).astimezone(UTC)
        except OverflowError as error:
            raise ma.ValidationError("Must lie between 1900 and 2200.") from error
        if not EARLIEST <= instant < LATEST:
            raise ma.ValidationError("Must lie between 1900 and 2200.")
        return instant


class Day(fields.Date):
    """A calendar day (`YYYY-MM-DD`) between 1900 and 2200: a day is not an instant."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if not isinstance(value, str) or len(value) != 10:
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE)
        day: date = super()._deserialize(value, attr, data, **kwargs)
        if not EARLIEST.date() <= day < LATEST.date():
            raise ma.ValidationError("Must lie between 1900 and 2200.")
        return day


class Id(fields.UUID):
    """A UUID in its canonical form."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str) or len(value) != 36:
            raise self.make_error("invalid_uuid")
        return super()._deserialize(value, attr, data, **kwargs)


class Zone(Text):
    """An IANA time zone that this server knows, such as `America/Indiana/Indianapolis`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max=64, metadata={"examples": ["America/New_York"], **kwargs.pop("metadata", {})}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        zone = super()._deserialize(value, attr, data, **kwargs)
        if zone not in ZONES:
            raise ma.ValidationError("Must be an IANA time zone.")
        return zone


class LocalTime(Text):
    """A wall-clock time `HH:MM`, read in a zone named beside it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min=5, max=5, pattern=r"\A([01]\d|2[0-3]):[0-5]\d\Z", **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return value if value is None or isinstance(value, str) else value.strftime("%H:%M")


class Dumped(dict[str, Any]):
    """An answer that was dumped before, to be said again as it is."""


class Beside(fields.Nested):
    """An answer inside another one that may come `Dumped`, because it is the same for everybody."""

    def _serialize(self, nested_obj: Any, attr: Any, obj: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        if isinstance(nested_obj, Dumped):
            return nested_obj
        return super()._serialize(nested_obj, attr, obj, **kwargs)  # type: ignore[no-untyped-call]


class Items(fields.List[Any]):
    """A list of at most `max` items."""

    def __init__(self, inner: Any, *, max: int = 100, min: int = 0, **kwargs: Any) -> None:
        inner = fields.Nested(inner) if isinstance(inner, type) and issubclass(inner, ma.Schema) else inner
        super().__init__(inner, validate=validate.Length(min=min or None, max=max), **kwargs)


class Query(Ask):
    """Query parameters: an unknown one is 400."""


class PageQuery(Query):
    """`page_size` is brought down to 100 when larger; `page_token` is what a page before gave."""

    page_size = Whole(
        min=0, max=SAFE_INTEGER, load_default=0, metadata={"description": "At most 100; 0 is the default."}
    )
    page_token = Text(max=1024, load_default=None, metadata={"description": "`next_page_token` of the page before."})


class ListAnswer(Answer):
    """Subclasses add `items`; without `next_page_token` there is nothing further."""

    next_page_token = Text(max=1024, metadata={"description": "Opaque; absent on the last page."})

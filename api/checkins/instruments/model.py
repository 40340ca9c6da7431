"""The shape of an instrument: plain, frozen data.

A published version never changes: a new wording, item or rule is a new version, and old ones stay readable
because answers given to them keep arriving from phones that were offline.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

Words = Mapping[str, str]
"""One text per language; a language that is missing was never published for this instrument."""


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that may be chosen: `number` where answers are scored, else `choice`."""

    label: Words
    number: int | None = None
    choice: str | None = None
    loinc: str | None = None


@dataclass(frozen=True, slots=True)
class Safety:
    """When an answer to this item asks for a person at the clinic.

    `harmless` lists, in lower case, every spelling that clearly says "no danger"; any other answer is a hit,
    so that an unreadable one is looked at rather than lost. `aliases` are further names of the item that
    a client may have used.
    """

    harmless: frozenset[str]
    aliases: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Item:
    """One question. `focus`: asked only in an enrollment whose focus names this word; None asks everybody.

    `kind` is `scale` (a number with labeled points), `number` (a whole number from `minimum` to `maximum`),
    `choice` (one word) or `text` (at most `maximum` characters).
    """

    key: str
    kind: str
    text: Words
    options: tuple[Option, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    focus: str | None = None
    loinc: str | None = None
    note: Words = field(default_factory=dict)
    safety: Safety | None = None


@dataclass(frozen=True, slots=True)
class Band:
    """A range of totals, both ends included, and its published name. For staff only."""

    key: str
    low: int
    high: int
    label: str


@dataclass(frozen=True, slots=True)
class Scoring:
    """The sum of `items`, defined only when every one of them is answered; no prorating."""

    items: tuple[str, ...]
    minimum: int
    maximum: int
    bands: tuple[Band, ...]
    screen_from: int
    loinc: str


@dataclass(frozen=True, slots=True)
class Vector:
    """A worked example: these answers give this total (None: no total), and are a safety hit or not."""

    name: str
    answers: Mapping[str, int | str]
    total: int | None
    safety: bool


@dataclass(frozen=True, slots=True)
class Instrument:
    """One version of one questionnaire. `validated` is False for what the house wrote itself."""

    key: str
    version: str
    title: Words
    languages: tuple[str, ...]
    validated: bool
    about: Words
    instruction: Words
    items: tuple[Item, ...]
    vectors: tuple[Vector, ...]
    scoring: Scoring | None = None
    source: str | None = None
    notice: str | None = None
    loinc: str | None = None

    def item(self, key: str) -> Item | None:
        return next((item for item in self.items if item.key == key), None)

    def asks_about_safety(self) -> bool:
        return any(item.safety for item in self.items)

    def items_for(self, focus: frozenset[str]) -> tuple[Item, ...]:
        """The items that an enrollment with this focus is asked."""
        return tuple(item for item in self.items if item.focus is None or item.focus in focus)

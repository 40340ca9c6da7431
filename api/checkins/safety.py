"""Does a body carry an answer that asks for a person? Asked of the raw body, before anything is validated.

A check-in may be refused for a wrong field, a wrong type or a broken envelope, and still say that somebody is in
danger. So this reads leniently: any place where a safety item is named and answered counts, in any instrument or
version, and an answer that is not clearly harmless is a hit. False alarms cost a look; a miss may cost a life.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from api.checkins import instruments
from api.checkins.instruments.model import Instrument, Item, Safety

NAMES = frozenset({"item", "key", "id", "code", "link_id", "linkid", "question", "name"})
"""Members that name the item an answer belongs to; they are never the answer itself."""

UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """One safety item with an answer that is not harmless. `answer` is one of the item's own, or `unreadable`."""

    instrument: str
    item: str
    answer: str


def read(raw: bytes) -> object:
    """A request body as it came, read as leniently as it can be: wrong bytes, huge numbers and doubled members are
    all looked at. None where it is no JSON that can be held."""
    text = raw.decode("utf-8-sig", errors="replace")
    try:
        return json.loads(text, object_pairs_hook=_keep_doubles, parse_int=_number)
    except (ValueError, RecursionError):
        return None


def hits(body: object) -> list[Hit]:
    """The hits in a parsed body of any shape, each once, in a stable order. Pure; never raises."""
    return sorted({hit for asked in instruments.safety_items() for hit in _hits_of(*asked, body)})


def _hits_of(instrument: Instrument, item: Item, safety: Safety, body: object) -> Iterator[Hit]:
    for value in _answers_to(safety.aliases | {item.key}, body):
        word = _word(value)
        if word and word not in safety.harmless:
            yield Hit(instrument.key, item.key, word if word in _published(item) else UNREADABLE)


def _published(item: Item) -> set[str]:
    return {str(option.choice if option.number is None else option.number) for option in item.options}


def _answers_to(names: frozenset[str], body: object) -> Iterator[object]:
    """Every scalar that stands as an answer to an item with one of `names`: `{"item": name, …}` or `{name: …}`."""
    pending = [body]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            pending.extend(node.values())
            yield from _in_object(names, node)
        elif isinstance(node, list):
            pending.extend(node)


def _in_object(names: frozenset[str], node: dict[str, Any]) -> Iterator[object]:
    naming = [value for key, value in node.items() if key.casefold() in NAMES]
    if any(_word(word) in names for value in naming for word in _scalars(value)):
        for key, value in node.items():
            if key.casefold() not in NAMES:
                yield from _scalars(value)
    for key, value in node.items():
        if key.casefold() in names:
            yield from _scalars(value)


def _scalars(value: object) -> Iterator[object]:
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
        else:
            yield node


def _word(value: object) -> str:
    """A scalar as one comparable word: `2`, `2.0` and `" 2 "` are the same; nothing at all is the empty word."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip().casefold()


def _keep_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A member given twice keeps both values, as a list: the last one must not hide the first."""
    members: dict[str, list[object]] = {}
    for key, value in pairs:
        members.setdefault(key, []).append(value)
    return {key: values[0] if len(values) == 1 else values for key, values in members.items()}


def _number(digits: str) -> int | float:
    """Python refuses integers of thousands of digits; as an answer all of them mean the same."""
    return int(digits) if len(digits) < 20 else float("inf")

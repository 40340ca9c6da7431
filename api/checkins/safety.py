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
from api.checkins.instruments import SafetyItem

NAMES = frozenset(
    {"item", "itemid", "itemkey", "key", "id", "code", "linkid", "question", "questionid", "questionkey", "name"}
)
"""Members that name the item an answer belongs to, folded; their scalars are never the answer itself."""

NAMES_LIE_WITHIN = 4
"""Lists and objects that a name may lie in: `{"code": {"coding": [{"code": name}]}}` has three."""

_FOLDED = str.maketrans("", "", "_- ")

UNREADABLE = "unreadable"

Asked = frozenset[int]
"""Places in the list of safety items."""


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """One safety item with an answer that is not harmless. `answer` is one of the item's own, or `unreadable`."""

    instrument: str
    item: str
    answer: str


def read(raw: bytes) -> object:
    """A request body as it came, read as leniently as it can be: any UTF, wrong bytes, huge numbers and doubled
    members are all looked at. None where it is no JSON that can be held."""
    text = raw.decode(json.detect_encoding(raw), errors="replace")
    try:
        return json.loads(text, object_pairs_hook=_keep_doubles, parse_int=_number)
    except (ValueError, RecursionError):
        return None


def hits(body: object) -> list[Hit]:
    """The hits in a parsed body of any shape, each once, in a stable order. Pure; never raises.

    Every value is looked at once, with the safety items that it stands as an answer to: a body may be large, and
    whoever sends it is not throttled.
    """
    items = instruments.safety_items()
    named = {_folded(name): place for place, one in enumerate(items) for name in (one.item.key, *one.safety.aliases)}
    found: set[Hit] = set()
    pending: list[tuple[object, Asked]] = [(body, frozenset())]
    while pending:
        node, asked = pending.pop()
        if isinstance(node, dict):
            pending.extend(_members(node, asked, named))
        elif isinstance(node, list):
            pending.extend((inner, asked) for inner in node)
        elif asked and (word := _word(node)):
            found.update(_hit(items[place], word) for place in asked if word not in items[place].safety.harmless)
    return sorted(found)


def _members(node: dict[str, Any], asked: Asked, named: dict[str, int]) -> Iterator[tuple[object, Asked]]:
    """An object's values with what they answer: `{"item": name, …}` names all of them, `{name: …}` the one. What
    stands as a name may hold answers of its own."""
    members = [(_folded(key), value) for key, value in node.items()]
    words = {word for key, value in members if key in NAMES for word in _words(value, NAMES_LIE_WITHIN)}
    asked = asked.union(named[word] for word in words & named.keys())
    for key, value in members:
        if key not in NAMES:
            yield value, asked | {named[key]} if key in named else asked
        elif isinstance(value, dict):
            yield value, asked
        elif isinstance(value, list):
            yield [inner for inner in value if isinstance(inner, dict | list)], asked


def _words(value: object, within: int) -> Iterator[str]:
    """The scalars of what stands as a name: a member given twice came in as a list of both, a name may be an object."""
    if not isinstance(value, dict | list):
        yield _folded(_word(value))
    elif within:
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _words(inner, within - 1)


def _folded(name: str) -> str:
    """`safe_now`, `safeNow` and `Safe now` are one name."""
    return name.casefold().translate(_FOLDED)


def _hit(asked: SafetyItem, word: str) -> Hit:
    published = {str(one.choice if one.number is None else one.number) for one in asked.item.options}
    return Hit(asked.instrument, asked.item.key, word if word in published else UNREADABLE)


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

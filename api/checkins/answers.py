"""Are these answers to this instrument? Pure; every question may be left out."""

from collections.abc import Mapping, Sequence
from typing import Any

from api import errors
from api.checkins.instruments.model import Instrument, Item

MEMBERS = {"scale": "number", "number": "number", "choice": "choice", "text": "text"}
"""Which member carries the answer to an item of each kind."""


def checked(instrument: Instrument, given: Sequence[Mapping[str, Any]]) -> dict[str, int | str]:
    """The answers by item. Raises `errors.Invalid` with a pointer to each that does not fit the instrument."""
    answers: dict[str, int | str] = {}
    wrong: list[tuple[str, str]] = []
    for index, one in enumerate(given):
        item = instrument.item(one["item"])
        problem = _problem(item, one, answers)
        if item is None or problem:
            wrong.append((f"/answers/{index}", problem or "This instrument has no such item."))
        else:
            answers[item.key] = one[MEMBERS[item.kind]]
    if wrong:
        raise errors.Invalid(wrong)
    return answers


def _problem(item: Item | None, one: Mapping[str, Any], answers: Mapping[str, Any]) -> str | None:
    if item is None:
        return "This instrument has no such item."
    if item.key in answers:
        return "This item is answered twice."
    member = MEMBERS[item.kind]
    if {key for key in ("number", "choice", "text") if one.get(key) is not None} != {member}:
        return f"This item is answered with `{member}` and nothing else."
    return _misfit(item, one[member])


def _misfit(item: Item, value: Any) -> str | None:
    if item.kind == "choice":
        known = [option.choice for option in item.options]
        return None if value in known else f"Must be one of: {', '.join(str(word) for word in known)}."
    if item.kind == "text":
        return None if len(value) <= (item.maximum or 0) else f"Must be at most {item.maximum} characters."
    low, high = item.minimum or 0, item.maximum or 0
    return None if low <= value <= high else f"Must be from {low} to {high}."

"""What a decision changes in the end, out of what was announced while it was carried out. Pure.

A step first ends a stay and then begins one; what is held back in between and released again has not changed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from api.enrollments.events import PreviewableChange
from api.events import Event

MOST = 2000
# What each action leaves behind, and what it found: whether the thing stood.
_LEAVES = {"added": True, "released": True, "moved": True, "removed": False, "held": False}
_FOUND = {action: action in ("removed", "held", "moved") for action in _LEAVES}


def in_the_end(heard: Iterable[Event]) -> list[PreviewableChange]:
    """One change for each thing that is otherwise afterwards, by kind and time."""
    things: dict[tuple[Any, ...], list[PreviewableChange]] = {}
    for one in heard:
        if isinstance(one, PreviewableChange):
            things.setdefault(_thing(one), []).append(one)
    changed = [change for steps in things.values() if (change := _net(steps))]
    return sorted(changed, key=lambda one: (one.kind, one.at, str(one.subject_id), one.what or ""))


def as_json(heard: Iterable[Event]) -> list[dict[str, Any]]:
    """The changes as they are kept with the fact on record."""
    return [
        {
            "kind": one.kind,
            "action": one.action,
            "id": str(one.subject_id) if one.subject_id else None,
            "what": one.what,
            "at": one.at.isoformat(),
        }
        for one in in_the_end(heard)[:MOST]
    ]


def _thing(change: PreviewableChange) -> tuple[Any, ...]:
    """What is the same thing before and after; a check-in is one window, and a window does not move."""
    window = change.at if change.kind == "check_in" else None
    return change.patient_id, change.kind, change.subject_id, change.what, window


def _net(steps: Sequence[PreviewableChange]) -> PreviewableChange | None:
    first, last = steps[0], steps[-1]
    stood, stands = _FOUND[first.action], _LEAVES[last.action]
    if stood != stands:
        return replace(first, action=_turn(first, last), at=last.at)
    if not stands:
        return None
    moved = last.at != first.at if first.action in ("held", "removed") else True
    return replace(last, action="moved") if moved else None


def _turn(first: PreviewableChange, last: PreviewableChange) -> str:
    """What was not there is added whatever followed; what was there went as it went last."""
    return first.action if _LEAVES[last.action] else last.action

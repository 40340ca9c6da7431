"""The registry of instruments: every version that ever stood, and which one is offered now.

A version is never removed: phones that were offline still answer it.
"""

from dataclasses import dataclass

from api.checkins.instruments.daily import DAILY
from api.checkins.instruments.model import Instrument, Item, Safety
from api.checkins.instruments.phq9 import PHQ_9

VERSIONS: dict[tuple[str, str], Instrument] = {(one.key, one.version): one for one in (DAILY, PHQ_9)}
CURRENT: dict[str, Instrument] = {"daily": DAILY, "phq-9": PHQ_9}


def current(key: str) -> Instrument | None:
    """The version that is offered now."""
    return CURRENT.get(key)


def version(key: str, number: str) -> Instrument | None:
    """Any version that ever stood, the current one included."""
    return VERSIONS.get((key, number))


@dataclass(frozen=True, slots=True)
class SafetyItem:
    """An item whose answers may ask for a person at the clinic, with its rule."""

    instrument: str
    item: Item
    safety: Safety


def safety_items() -> list[SafetyItem]:
    """Those of every version that ever stood."""
    return [SafetyItem(one.key, item, item.safety) for one in VERSIONS.values() for item in one.items if item.safety]

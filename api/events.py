"""Facts that a slice announces and slices above it hear, inside the same transaction.

News travels upward as events, never as imports: `sessions` does not know that reminders exist. `app.py`
subscribes; a handler that fails fails the whole request, so nothing is half done. A preview reports the
events that were announced while it ran.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeVar


@dataclass(frozen=True)
class Event:
    """Something that has happened. Subclasses are frozen and carry ids and instants, never names."""


E = TypeVar("E", bound=Event)
_handlers: dict[type[Event], list[Callable[[Any], None]]] = {}
_recording: ContextVar[list[Event] | None] = ContextVar("recording", default=None)


def subscribe(kind: type[E], handler: Callable[[E], None]) -> None:
    """Have `handler` hear every `kind`; subscribing the same handler twice is subscribing once."""
    handlers = _handlers.setdefault(kind, [])
    if handler not in handlers:
        handlers.append(handler)


def announce(event: Event) -> None:
    """Tell every subscriber now, in order of subscription, inside the running transaction."""
    recorded = _recording.get()
    if recorded is not None:
        recorded.append(event)
    for handler in _handlers.get(type(event), ()):
        handler(event)


@contextmanager
def recorded() -> Iterator[list[Event]]:
    """Collect what is announced inside the block; subscribers still hear it."""
    heard: list[Event] = []
    token = _recording.set(heard)
    try:
        yield heard
    finally:
        _recording.reset(token)

"""News travels upward, at once, inside the transaction."""

from dataclasses import dataclass

import pytest

from api import events


@dataclass(frozen=True)
class Rang(events.Event):
    times: int


@pytest.fixture(autouse=True)
def nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_handlers", {})


def test_subscribers_hear_in_order_and_once() -> None:
    heard: list[str] = []

    def first(event: Rang) -> None:
        heard.append(f"first {event.times}")

    def second(event: Rang) -> None:
        heard.append(f"second {event.times}")

    for handler in (first, second, first):
        events.subscribe(Rang, handler)
    events.announce(Rang(2))
    assert heard == ["first 2", "second 2"]


def test_a_failing_handler_fails_the_announcer() -> None:
    def fail(event: Rang) -> None:
        raise ValueError

    events.subscribe(Rang, fail)
    with pytest.raises(ValueError):
        events.announce(Rang(1))


def test_what_is_announced_can_be_collected() -> None:
    with events.recorded() as heard:
        events.announce(Rang(1))
    events.announce(Rang(2))
    assert heard == [Rang(1)]

"""What a process knows of floods of refusals: it gathers in memory what it would only count, and writes once a second.

Split from `refusals` for its length only. A thread writes while there is something to write, and ends with the flood.
"""

import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from api.observe import log

SECONDS_GATHERED = 1.0
MOST_FLOODS = 10_000


@dataclass(slots=True)
class Flood:
    """Refusals of one key beyond the few, up to the end of the minute. `gathered` have not been written yet."""

    last: Any
    ends: float
    gathered: int = 0


class Floods:
    """What this process knows of floods. Safe to share between threads; `write` is asked for what was gathered."""

    def __init__(self, *, few: int, write: Callable[[Any, int], tuple[int, float]]) -> None:
        self._few, self._write = few, write
        self._known: dict[Hashable, Flood] = {}
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None

    def took(self, refusal: Any) -> bool:
        """Gather `refusal` if it belongs to a flood; False leaves it to the caller to write."""
        with self._lock:
            flood = self._known.get(refusal.key)
            if flood is None or time.monotonic() >= flood.ends:
                return False
            flood.last, flood.gathered = refusal, flood.gathered + 1
            if self._writer is None:
                self._writer = threading.Thread(target=self._keep_writing, name="refusals", daemon=True)
                self._writer.start()
            return True

    def learn(self, refusal: Any, counted: int, seconds_left: float) -> None:
        """That there were `counted` in a minute that ends in so many seconds."""
        if counted < self._few:
            return
        with self._lock:
            if len(self._known) >= MOST_FLOODS:
                self._known = {key: one for key, one in self._known.items() if one.gathered or not _over(one)}
            if (flood := self._known.get(refusal.key)) or len(self._known) < MOST_FLOODS:
                gathered = flood.gathered if flood else 0
                self._known[refusal.key] = Flood(refusal, time.monotonic() + seconds_left, gathered)

    def forget(self) -> None:
        """Know of no flood any more, and let go of what was gathered."""
        with self._lock:
            self._known.clear()

    def write_down(self) -> bool:
        """Write what was gathered; whether there was anything."""
        with self._lock:
            gathered = [(one.last, one.gathered) for one in self._known.values() if one.gathered]
            for flood in self._known.values():
                flood.gathered = 0
        for refusal, times in gathered:
            self._write_one(refusal, times)
        return bool(gathered)

    def _write_one(self, refusal: Any, times: int) -> None:
        try:
            self.learn(refusal, *self._write(refusal, times))
        except Exception as trouble:
            log.error("refusals not audited yet", error=type(trouble).__name__)
            with self._lock:
                flood = self._known.setdefault(refusal.key, Flood(refusal, 0.0))
                flood.ends, flood.gathered = time.monotonic() + 2 * SECONDS_GATHERED, flood.gathered + times

    def _keep_writing(self) -> None:
        """Once a second, for as long as there is something to write."""
        while True:
            time.sleep(SECONDS_GATHERED)
            if self.write_down():
                continue
            with self._lock:
                if not any(one.gathered for one in self._known.values()):
                    self._writer = None
                    return


def _over(flood: Flood) -> bool:
    return time.monotonic() >= flood.ends

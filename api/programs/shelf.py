"""The public catalogue as bytes, kept per process, so that reading it costs a look into a dict.

After `catalogue_max_age_seconds` (5) the next reader asks the database for the catalogue's version; only when
it was raised is the catalogue read anew, whole, and everything rendered is forgotten with the edition that it
was rendered from. Readers hold one edition each, so no answer is a mix of two.
"""

import bisect
import hashlib
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime

from api import db, errors
from api.programs import about, availability, reading
from api.programs.edition import Edition

# More different answers than this are not kept: comparisons can be asked for in many orders.
MOST_KEPT = 500

# How long a reader waits for another one that is asking the database.
PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer's bytes and their ETag."""

    body: bytes
    etag: str

    @property
    def opaque_tag(self) -> str:
        """The ETag as If-None-Match compares it: without quotes and weakness (RFC 9110 §8.8.3.2)."""
        return self.etag.removeprefix("W/")[1:-1]

    @classmethod
    def of(cls, body: bytes) -> "Rendered":
        """With the strong tag of these bytes."""
        return cls(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


@dataclass(slots=True)
class Stock:
    """An edition and what has been rendered from it so far."""

    edition: Edition
    rendered: dict[Hashable, Rendered] = field(default_factory=dict)
    changes: list[datetime] = field(init=False)

    def __post_init__(self) -> None:
        self.changes = availability.changes(self.edition, good_for=about.clinic().capacity_good_for)

    def get(self, key: Hashable, render: Callable[[Edition], bytes]) -> Rendered:
        """What was rendered for `key`, rendering it first where it was not."""
        found = self.rendered.get(key)
        if found is None:
            found = Rendered.of(render(self.edition))
            if len(self.rendered) < MOST_KEPT:
                self.rendered[key] = found
        return found

    def moment(self, at: datetime) -> int:
        """Which of the stretches between `changes` holds `at`: what the clock changes is rendered once for each."""
        return bisect.bisect_right(self.changes, at)


_stock: Stock | None = None
_checked = 0.0
_checking = threading.Lock()


def stock() -> Stock:
    """The newest edition that is known here, at most `catalogue_max_age_seconds` old.

    Begins a transaction where it has to ask, so it must not be called inside of one. Raises
    `errors.Unavailable` when it has to ask and the database is out of reach.
    """
    if fresh := _fresh():
        return fresh
    if not _checking.acquire(timeout=PATIENCE_SECONDS):
        raise errors.Unavailable
    try:
        if fresh := _fresh():
            return fresh
        with db.transaction(db.PUBLIC):
            return _asked()
    finally:
        _checking.release()


def inside() -> Edition:
    """As `stock`, for readers inside a transaction that does not itself write to the catalogue: it asks there."""
    return (_fresh() or _asked()).edition


def current() -> Edition:
    """The catalogue as the running transaction sees it, taken from here where it is the same.

    It is not kept here: the transaction may have written to it, and may yet roll back.
    """
    if (kept := _stock) is None:
        return reading.edition()
    return reading.edition_unless(kept.edition.version) or kept.edition


def _fresh() -> Stock | None:
    return _stock if time.monotonic() - _checked < about.clinic().catalogue_max_age_seconds else None


def _asked() -> Stock:
    """The edition that is known here if it is still the newest, else the newest."""
    global _checked, _stock
    kept, asked = _stock, time.monotonic()
    newer = reading.edition_unless(kept.edition.version if kept else None)
    current = Stock(newer) if newer else kept
    assert current is not None, "an edition that is not known is always read"
    _stock, _checked = current, asked
    return current


def forget() -> None:
    """Ask the database at the next reading, whatever is kept here."""
    global _stock
    _stock = None

"""Counting tries in PostgreSQL, exactly, over any number of workers: a storage for the library `limits`.

Each operation is one autocommitted statement on a line of `hotlines`, so that no rollback gives a try back. Windows
begin and end by the database's clock. The keys are keyed hashes: who reads the table learns no address and no name.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa
from limits import RateLimitItem
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy.dialects.postgresql import insert

from api import hotlines
from api.access import sealing
from api.access.models import ThrottleWindow

LARGEST = 2**31 - 1
_WINDOWS: sa.Table = ThrottleWindow.__table__  # type: ignore[assignment]


def _given(name: str, kind: sa.types.TypeEngine[Any]) -> Any:
    return sa.cast(sa.bindparam(name, type_=kind), kind)


def _seconds_left(expires_at: Any) -> Any:
    return sa.cast(sa.func.ceil(sa.extract("epoch", expires_at - sa.func.now())), sa.Integer)


_KEY = _given("key", sa.LargeBinary())


def _counting() -> sa.Select[Any]:
    """Adds to a window, or begins it anew where it has ended. Never below zero, and never beyond the first refusal:
    tries that were refused were none, so what is given back later must open the window again."""
    amount = _given("amount", sa.Integer())
    ends = sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, _given("seconds", sa.Integer()))
    first, over = sa.func.greatest(amount, 0), _WINDOWS.c.expires_at <= sa.func.now()
    more = sa.func.least(sa.func.greatest(_WINDOWS.c.hits + amount, 0), _given("most", sa.Integer()))
    statement = insert(_WINDOWS).values(key=_KEY, hits=first, expires_at=ends)
    again = {
        "hits": sa.case((over, first), else_=more),
        "expires_at": sa.case((over, ends), else_=_WINDOWS.c.expires_at),
    }
    counted = statement.on_conflict_do_update(index_elements=["key"], set_=again).returning(
        _WINDOWS.c.hits, _seconds_left(_WINDOWS.c.expires_at).label("seconds")
    )
    return sa.select(counted.cte("counted"))


def _giving_back() -> sa.Select[Any]:
    """Takes one from each of several windows, locked in order; those that have ended are left alone."""
    keys = _given("keys", sa.ARRAY(sa.LargeBinary()))
    named = sa.select(_WINDOWS.c.key).where(_WINDOWS.c.key == sa.func.any(keys), _WINDOWS.c.expires_at > sa.func.now())
    locked = named.order_by(_WINDOWS.c.key).with_for_update().cte("locked")
    less = sa.update(_WINDOWS).where(_WINDOWS.c.key == locked.c.key)
    given: Any = less.values(hits=sa.func.greatest(_WINDOWS.c.hits - 1, 0)).returning(
        sa.literal_column("1").label("one")
    )
    return sa.select(sa.func.count()).select_from(given.cte("given"))


def _asking() -> sa.Select[Any]:
    open_ones = _WINDOWS.c.expires_at > sa.func.now()
    found = sa.select(_WINDOWS).where(_WINDOWS.c.key == _KEY, open_ones).subquery("found")
    left = sa.func.coalesce(sa.func.max(sa.extract("epoch", found.c.expires_at)), sa.extract("epoch", sa.func.now()))
    return sa.select(sa.func.coalesce(sa.func.max(found.c.hits), 0), left)


def _deleting(*which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    gone = sa.delete(_WINDOWS).where(*which).returning(sa.literal_column("1").label("one")).cte("gone")
    return sa.select(sa.func.count()).select_from(gone)


_COUNT = hotlines.Prepared(_counting())
_GIVE_BACK = hotlines.Prepared(_giving_back())
_ASK = hotlines.Prepared(_asking())
_CLEAR = hotlines.Prepared(_deleting(_WINDOWS.c.key == _KEY))
_RESET = hotlines.Prepared(_deleting())


@dataclass(frozen=True, slots=True)
class Window:
    """What a hit left of one limit; `over` when it was one too many. It ends in `seconds`."""

    item: RateLimitItem
    hits: int
    seconds: int

    @property
    def over(self) -> bool:
        return self.hits > self.item.amount

    @property
    def left(self) -> int:
        return max(0, self.item.amount - self.hits)


class Windows(Storage):
    """Fixed windows in `throttle_windows`. Raises `errors.Unavailable` when the database is out of reach."""

    STORAGE_SCHEME = None

    @property
    def base_exceptions(self) -> type[Exception]:
        return psycopg.Error

    def count(self, key: str, seconds: int, *, amount: int, most: int = LARGEST) -> tuple[int, int]:
        """Add `amount`, up to `most`; how many there are now, and the seconds until the window ends."""
        asked = {"key": _hashed(key), "amount": amount, "seconds": seconds, "most": most}
        hits, left = _row(_COUNT, asked)
        return int(hits), int(left)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return self.count(key, expiry, amount=amount)[0]

    def get(self, key: str) -> int:
        return int(_row(_ASK, {"key": _hashed(key)})[0])

    def get_expiry(self, key: str) -> float:
        return float(_row(_ASK, {"key": _hashed(key)})[1])

    def check(self) -> bool:
        return self.get("") >= 0

    def reset(self) -> int:
        return int(_row(_RESET, {})[0])

    def clear(self, key: str) -> None:
        _row(_CLEAR, {"key": _hashed(key)})


class Counting(FixedWindowRateLimiter):
    """The library's fixed windows, which also say in the same statement what a hit has left."""

    def __init__(self) -> None:
        super().__init__(_storage)

    def take(self, item: RateLimitItem, *identifiers: str) -> Window:
        key = item.key_for(*identifiers)
        return Window(item, *_storage.count(key, item.get_expiry(), amount=1, most=item.amount + 1))

    def give_back(self, hits: Iterable[tuple[RateLimitItem, tuple[str, ...]]]) -> None:
        """One hit of each, in one statement."""
        keys = [_hashed(item.key_for(*identifiers)) for item, identifiers in hits]
        _row(_GIVE_BACK, {"keys": keys})


_storage = Windows()


def _hashed(key: str) -> bytes:
    return hmac.digest(sealing.key_for("throttle windows"), key.encode(), hashlib.sha256)


def _row(statement: hotlines.Prepared, asked: dict[str, Any]) -> list[bytes]:
    return [column or b"" for column in hotlines.current().ask(statement, asked)]

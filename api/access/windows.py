"""Counting tries in PostgreSQL, exactly, over any number of workers: a storage for the library `limits`.

Each operation is one autocommitted statement on a line of `hotlines`, so that no rollback gives a try back. Windows
begin and end by the database's clock. The keys are keyed hashes: who reads the table learns no address and no name.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
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
_KEYS, _NUMBERS = sa.ARRAY(sa.LargeBinary()), sa.ARRAY(sa.Integer())


def _counting() -> sa.Select[Any]:
    """Adds to each of several windows, locked in order, or begins it anew where it has ended; answers with a JSON list
    of [place in what was asked, hits, seconds left]. Never beyond the first refusal: tries that were refused were none,
    so what is given back later must open the window again."""
    keys, spans, most = (_given("keys", _KEYS), _given("seconds", _NUMBERS), _given("most", _NUMBERS))
    named: Any = sa.func.unnest(keys, spans, most).table_valued("key", "seconds", "most", with_ordinality="place")
    asked = sa.select(named.render_derived(name="given")).cte("asked")
    ends = sa.func.now() + sa.func.make_interval(0, 0, 0, 0, 0, 0, asked.c.seconds)
    begun = sa.select(asked.c.key, _given("amount", sa.Integer()), ends).order_by(asked.c.key)
    statement = insert(_WINDOWS).from_select(["key", "hits", "expires_at"], begun, include_defaults=False)
    new, over = statement.excluded, _WINDOWS.c.expires_at <= sa.func.now()
    at_most = sa.select(asked.c.most).where(asked.c.key == sa.literal_column("excluded.key")).scalar_subquery()
    again = {
        "hits": sa.case((over, new.hits), else_=sa.func.least(_WINDOWS.c.hits + new.hits, at_most)),
        "expires_at": sa.case((over, new.expires_at), else_=_WINDOWS.c.expires_at),
    }
    counted = statement.on_conflict_do_update(index_elements=["key"], set_=again).returning(*_WINDOWS.c).cte("counted")
    row = sa.func.json_build_array(asked.c.place, counted.c.hits, _seconds_left(counted.c.expires_at))
    return sa.select(sa.func.json_agg(row)).join_from(asked, counted, counted.c.key == asked.c.key)


def _giving_back() -> sa.Select[Any]:
    """Takes one from each of several windows, locked in order; those that have ended are left alone."""
    keys = _given("keys", _KEYS)
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

    def count(self, asked: Sequence[tuple[str, int, int]], *, amount: int = 1) -> list[tuple[int, int]]:
        """Add `amount` to each window of key, seconds and the most that it counts to; how many hits each has now, and
        the seconds until it ends."""
        keys, seconds, most = zip(*asked, strict=True)
        given = {"keys": [_hashed(key) for key in keys], "seconds": list(seconds), "most": list(most), "amount": amount}
        counted = sorted(orjson.loads(_row(_COUNT, given)[0]))
        return [(hits, left) for _, hits, left in counted]

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return self.count([(key, expiry, LARGEST)], amount=amount)[0][0]

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

    def take(self, *hits: tuple[RateLimitItem, tuple[str, ...]]) -> list[Window]:
        """One hit of each, in one statement: of different windows. Where one is over, the others count for nothing."""
        asked = [(item.key_for(*whose), item.get_expiry(), item.amount + 1) for item, whose in hits]
        windows = [Window(item, *counted) for (item, _), counted in zip(hits, _storage.count(asked), strict=True)]
        if any(window.over for window in windows):
            self.give_back(hit for hit, window in zip(hits, windows, strict=True) if not window.over)
        return windows

    def give_back(self, hits: Iterable[tuple[RateLimitItem, tuple[str, ...]]]) -> None:
        """One hit of each, in one statement."""
        keys = [_hashed(item.key_for(*identifiers)) for item, identifiers in hits]
        _row(_GIVE_BACK, {"keys": keys})


_storage = Windows()


def _hashed(key: str) -> bytes:
    return hmac.digest(sealing.key_for("throttle windows"), key.encode(), hashlib.sha256)


def _row(statement: hotlines.Prepared, asked: dict[str, Any]) -> list[bytes]:
    return [column or b"" for column in hotlines.current().ask(statement, asked)]

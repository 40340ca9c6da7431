"""How often anybody may guess at a secret: by account or code, by address, by device.

A try is spent before the secret is looked at, and given back when it was right. What is counted for an account is
counted whether or not it exists (NIST SP 800-63B-4 §3.2.2: at most 100 wrong tries in a row). A phone that has signed
in under a name has a budget of its own there, so that somebody else's guesses lock no patient out; all other phones
share one. A success of theirs does not empty it: who keeps guessing would see that somebody came in.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour
from sqlalchemy.dialects.postgresql import insert

from api import errors, hotlines
from api.access import sealing
from api.access.models import KnownPhone
from api.access.windows import Counting, Window

IPV6_SITE_BITS = 64
PER_ACCOUNT = (RateLimitItemPerHour(10), RateLimitItemPerDay(100, 30))
PER_ADDRESS = RateLimitItemPerHour(100)
PER_DEVICE = RateLimitItemPerHour(20)


class TooManyTries(errors.TooManyRequests):
    title = "Too many tries"
    detail = "There were too many tries. Please wait before the next one; the clinic can help you sign in."
    title_es = "Demasiados intentos"
    detail_es = "Hubo demasiados intentos. Espere antes del siguiente; la clínica puede ayudarle a entrar."


@dataclass(frozen=True, slots=True)
class Tries:
    """How many wrong tries there may be: for one account or code, from one address, by one device key."""

    account: tuple[RateLimitItem, ...] = PER_ACCOUNT
    address: RateLimitItem = PER_ADDRESS
    device: RateLimitItem = PER_DEVICE


@dataclass(frozen=True, slots=True)
class Counted:
    """One limit and what it counts."""

    policy: str
    item: RateLimitItem
    whose: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spent:
    """A try that was spent. `fields` say in the answer what is left; `phone` is None without a device key."""

    counted: tuple[Counted, ...]
    fields: list[tuple[str, str]]
    phone: bytes | None
    known: bool


_tries = Tries()
_counting = Counting()


def use(tries: Tries) -> None:
    """Allow as many `tries` from here on."""
    global _tries
    _tries = tries


def spend(*, flow: str, what: bytes, address: str, key: str | None) -> Spent:
    """Spend a try of `flow` at `what` (the index of a name, the hash of a code: whether or not it exists) from
    `address` with the device key whose thumbprint is `key`, its proof checked. Raises `TooManyTries`.

    The account comes last: who is refused for the address or the device spends none of the account's tries.
    """
    phone = _phone(what, key) if key else None
    known = phone is not None and _asked(_KNOWS, phone) == b"t"
    account = (flow, what.hex(), phone.hex() if phone and known else "others")
    # A known phone is not held to what others do from the address that it shares with them.
    here = [] if known else [Counted("address", _tries.address, (network(address),))]
    if key:
        here.append(Counted("device", _tries.device, (key,)))
    theirs = [Counted("account", item, account) for item in _tries.account]
    taken = [*_spent(here), *_spent(theirs, shown=known)]
    return Spent((*here, *theirs), fields(taken), phone, known)


def succeeded(spent: Spent) -> None:
    """The secret was right: give back the try. The phone is known from here on; one that was starts afresh."""
    afresh = [one for one in spent.counted if spent.known and one.policy == "account"]
    for one in afresh:
        _counting.clear(one.item, one.policy, *one.whose)
    _give_back([one for one in spent.counted if one not in afresh])
    if spent.phone:
        _asked(_KNOW, spent.phone)


@contextmanager
def looked_at(spent: Spent) -> Iterator[None]:
    """A secret is looked at in the block: what stops that, as when too many wait for a hash, costs no try."""
    try:
        yield
    except Exception:
        unspend(spent)
        raise


def unspend(spent: Spent) -> None:
    """The secret was never looked at: give the try back everywhere."""
    _give_back(spent.counted)


def _give_back(counted: Sequence[Counted]) -> None:
    _counting.give_back((one.item, (one.policy, *one.whose)) for one in counted)


def know(*, what: bytes, key: str) -> None:
    """The phone with this key belongs to the account `what`, as when the patient chooses the name on it."""
    _asked(_KNOW, _phone(what, key))


def network(address: str) -> str:
    """What stands for an address: an IPv4 one itself, the /64 of an IPv6 one, since a household has all of it."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped or ipaddress.ip_network((int(parsed), IPV6_SITE_BITS), strict=False))
    return str(parsed)


def _spent(counted: Sequence[Counted], *, shown: bool = True) -> list[tuple[str, Window]]:
    """Take of all or, if one refuses, of none. What is left of an account's is `shown` to its own phones alone: it
    would tell others that somebody uses the name."""
    if not counted:
        return []
    windows = _counting.take(*((one.item, (one.policy, *one.whose)) for one in counted))
    taken = [(one.policy, window) for one, window in zip(counted, windows, strict=True)]
    over = [(policy, window) for policy, window in taken if window.over]
    if over:
        seconds = max(window.seconds for _, window in over)
        raise TooManyTries(headers={"Retry-After": str(seconds), **dict(fields(over))})
    return taken if shown else []


def fields(taken: Sequence[tuple[str, Window]]) -> list[tuple[str, str]]:
    """RateLimit fields (draft-ietf-httpapi-ratelimit-headers-11 §3, §4). Of an account's windows, the scarcest."""
    scarcest: dict[str, Window] = {}
    for policy, window in taken:
        scarcest[policy] = min(scarcest.get(policy, window), window, key=lambda one: (one.left, -one.seconds))
    policies = [f'"{name}";q={one.item.amount};w={one.item.get_expiry()}' for name, one in scarcest.items()]
    left = [f'"{name}";r={one.left};t={one.seconds}' for name, one in scarcest.items()]
    return [("RateLimit-Policy", ", ".join(policies)), ("RateLimit", ", ".join(left))]


_PHONES: sa.Table = KnownPhone.__table__  # type: ignore[assignment]
_HASH: Any = sa.cast(sa.bindparam("hash", type_=sa.LargeBinary), sa.LargeBinary)
_KNOWS = hotlines.Prepared(sa.select(sa.exists().where(_PHONES.c.hash == _HASH)))
_KNOW = hotlines.Prepared(
    sa.select(
        insert(_PHONES)
        .values(hash=_HASH, seen_at=sa.func.now())
        .on_conflict_do_update(index_elements=["hash"], set_={"seen_at": sa.func.now()})
        .returning(sa.true().label("known"))
        .cte("phone")
    )
)


def _phone(what: bytes, key: str) -> bytes:
    return hmac.digest(sealing.key_for("known phones"), what + b"\0" + key.encode(), hashlib.sha256)


def _asked(statement: hotlines.Prepared, phone: bytes) -> bytes | None:
    return hotlines.current().ask(statement, {"hash": phone})[0]

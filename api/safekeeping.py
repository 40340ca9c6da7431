"""Encryption at rest of what we must read again and who signs in does not need: partners' documents, webhook secrets.

The keys have names and come from the setting ENCRYPTION_KEYS (`k2:<64 hex>,k1:<64 hex>`): the first seals, all open,
and the name of a key stands in what it sealed. So a key is replaced without a stop: `rekey` (in `rekeying`) seals
every registered column anew under the first. They are apart from the secret of `access`, which cannot be replaced.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

VERSION = b"\x01"
NONCE_BYTES = 12
KEY_BYTES = 32
MOST_KEYS = 8
# Of 64 random hexadecimal digits, fewer different ones than these would be a miracle.
LEAST_DIFFERENT = 9
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


class Malformed(ValueError):
    """Keys that cannot be used; the message is a sentence about them, without any key."""


class Unopened(ValueError):
    """Changed, moved to another place, or sealed under a key that is not here."""


@dataclass(frozen=True, slots=True)
class Key:
    """An AES-256 key by its name."""

    name: str
    secret: bytes = field(repr=False)

    @property
    def mark(self) -> bytes:
        """How everything begins that this key sealed."""
        return VERSION + bytes([len(self.name)]) + self.name.encode()


@dataclass(frozen=True, slots=True)
class Place:
    """A column of sealed bytes, and the column with the id of the row that each value is bound to."""

    name: str
    sealed: Any
    row: Any


places: dict[str, Place] = {}
_keys: dict[str, Key] = {}
_ciphers: dict[str, AESGCM] = {}


def read(text: str) -> tuple[Key, ...]:
    """The keys of a setting `name:hex,name:hex`, the one that seals first. Raises `Malformed`."""
    keys = tuple(_key(word.strip()) for word in text.split(","))
    if len(keys) > MOST_KEYS:
        raise Malformed(f"there are at most {MOST_KEYS} keys")
    if len({key.name for key in keys}) < len(keys) or len({key.secret for key in keys}) < len(keys):
        raise Malformed("each key has a name of its own, and each name a key of its own")
    return keys


def use(keys: Iterable[Key]) -> None:
    """Seal with the first of `keys` and open with all of them from here on."""
    global _keys, _ciphers
    fresh = {key.name: key for key in keys}
    _keys, _ciphers = fresh, {name: AESGCM(key.secret) for name, key in fresh.items()}


def first() -> Key:
    """The key that seals. Raises RuntimeError where `use` was not called."""
    if not _keys:
        raise RuntimeError("No key is in use.")
    return next(iter(_keys.values()))


def seal(plain: bytes, *, place: str, row: UUID) -> bytes:
    """AES-256-GCM: version, the key's name, nonce, ciphertext. It opens in this `place` and `row` only.

    The nonce is random, so one key may seal 2**32 values (NIST SP 800-38D §8.3)."""
    mark, nonce = first().mark, os.urandom(NONCE_BYTES)
    return mark + nonce + _ciphers[first().name].encrypt(nonce, plain, _bound(mark, place, row))


def unseal(sealed: bytes, *, place: str, row: UUID) -> bytes:
    """What `seal` was given. Raises `Unopened`."""
    name = sealed[2 : 2 + sealed[1]].decode(errors="replace") if sealed[:1] == VERSION and len(sealed) > 1 else ""
    if (key := _keys.get(name)) is None:
        raise Unopened("This was not sealed here, or its key is gone.")
    nonce, text = sealed[len(key.mark) :][:NONCE_BYTES], sealed[len(key.mark) + NONCE_BYTES :]
    try:
        return _ciphers[name].decrypt(nonce, text, _bound(key.mark, place, row))
    except (InvalidTag, ValueError):
        raise Unopened("This was not sealed here, or not for this place.") from None


def register(sealed: Any, *, row: Any) -> str:
    """Name a mapped column of sealed bytes once, beside its table, so that `rekey` finds it: `SECRET =
    register(Endpoint.secret, row=Endpoint.id)`. Answers its place for `seal` and `unseal`: `table.column`."""
    name = f"{sealed.class_.__tablename__}.{sealed.key}"
    places[name] = Place(name, sealed, row)
    return name


def _key(word: str) -> Key:
    name, _, digits = word.partition(":")
    if not NAME.fullmatch(name):
        raise Malformed(
            "each key is written as its name (small letters and digits), a colon, and 64 hexadecimal digits"
        )
    if not re.fullmatch(f"[0-9a-f]{{{2 * KEY_BYTES}}}", digits) or len(set(digits)) < LEAST_DIFFERENT:
        raise Malformed(f"the key {name} is not 64 hexadecimal digits made at random")
    return Key(name, bytes.fromhex(digits))


def _bound(mark: bytes, place: str, row: UUID) -> bytes:
    """The place alone would not keep a value from being moved to another row."""
    return mark + b"\0" + place.encode() + b"\0" + row.bytes

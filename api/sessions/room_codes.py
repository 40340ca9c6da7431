"""Codes shown in a room: whoever types the one of the moment is there.

A code is the HOTP of the location and a step of time (RFC 4226 §5.3, RFC 6238 §4, with HMAC-SHA-256): nothing is kept,
any process of ours makes the same. It is for the eyes of those in the room, and no secret that protects a record.
"""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from uuid import UUID

STEP = timedelta(minutes=5)
DIGITS = 6
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_key: bytes | None = None


def use(key: bytes) -> None:
    """Make codes under `key` from here on."""
    global _key
    _key = key


def current(location_id: UUID, *, at: datetime) -> tuple[str, datetime]:
    """The code to show, and until when."""
    step = _step(at)
    return _code(location_id, step), _EPOCH + (step + 1) * STEP


def right(location_id: UUID | None, code: str | None, *, at: datetime) -> bool:
    """Whether `code` was shown at the location at that time, or a step before: people type slowly."""
    if location_id is None or code is None:
        return False
    typed = code.encode(errors="replace")
    now, before = (hmac.compare_digest(_code(location_id, _step(at) - back).encode(), typed) for back in (0, 1))
    return now or before


def _step(at: datetime) -> int:
    return (at - _EPOCH) // STEP


def _code(location_id: UUID, step: int) -> str:
    if _key is None:
        raise RuntimeError("No key for room codes is in use.")
    digest = hmac.digest(_key, location_id.bytes + step.to_bytes(8, "big"), hashlib.sha256)
    start = digest[-1] & 0xF
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"

"""When an attempt is made again: Standard Webhooks' schedule over three days, and what the receiver asks for. Pure."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# Before each attempt: 0, 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h; together 75.6 hours.
WAITS = tuple(map(timedelta, (0,) * 10, (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)))
# Whoever has just registered an address is waiting for it.
CHALLENGE_WAITS = tuple(map(timedelta, (0,) * 6, (0, 5, 15, 60, 300, 1800)))
JITTER = 0.1
LONGEST = timedelta(hours=24)


def wait_after(
    attempts: int, *, challenge: bool = False, asked: timedelta | None = None, chance: float
) -> timedelta | None:
    """How long to wait after `attempts` failed; None when that was the last. `asked` is the receiver's Retry-After, and
    `chance` (0 to 1) spreads those that failed together."""
    waits = CHALLENGE_WAITS if challenge else WAITS
    if attempts >= len(waits):
        return None
    usual = waits[attempts] * (1 + JITTER * chance)
    return max(usual, min(asked, LONGEST)) if asked else usual


def retry_after(header: str | None, *, at: datetime) -> timedelta | None:
    """What a Retry-After says (RFC 9110 §10.2.3), in seconds or as a date; None for nothing sensible."""
    if header is None:
        return None
    if header.strip().isdecimal() and header.isascii():
        return timedelta(seconds=int(header)) if len(header.strip()) < 10 else LONGEST
    try:
        until = parsedate_to_datetime(header)
    except (ValueError, OverflowError):
        return None
    return max(timedelta(), (until if until.tzinfo else until.replace(tzinfo=UTC)) - at)

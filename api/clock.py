"""The only place that asks for the time.

Two clocks, because the domain's may be moved (in tests, in development) and the one that guards
secrets may not: `now` is the clinic's time, `wall` is for tokens. Leases, replay and throttle windows
use the database's own clock and neither of these.
"""

from datetime import UTC, datetime


def now() -> datetime:
    """The domain's time: aware, UTC, whole seconds (the promise publishes no fractions)."""
    return datetime.now(UTC).replace(microsecond=0)


def wall() -> datetime:
    """Real time, for the lifetime of tokens only: aware, UTC."""
    return datetime.now(UTC)

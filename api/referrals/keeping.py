"""For how long a referral that led nowhere is kept: from its sender's last act for the sender, and from anybody's for
the clinic.

Its sender reads it so long and no longer, whether or not it is erased by then: one that is still answered after that
would have led to an admission. Only what a consent releases is read beyond it.
"""

from datetime import datetime, timedelta

_kept = timedelta(days=180)


def use(*, days: int) -> None:
    global _kept
    _kept = timedelta(days=days)


def over_since(at: datetime) -> datetime:
    """What was touched at this instant last, or before it, is over at `at`."""
    return at - _kept

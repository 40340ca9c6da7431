"""How long a consent that lasts until the end of treatment waits for a treatment to begin.

A consent must end no later than its purpose needs (42 CFR 2.31(a)(7)). Whoever is never placed has no treatment that
could end, and would have told a partner for good. So it ends by itself when no placement was recorded in time; one that
is recorded later does not bring it back. A consent that names a day as well ends on that day at the latest, as it says.

The form tells the time of now, and what was signed keeps its words: a longer time would count past them, a shorter one
tells less than they allow.
"""

from datetime import timedelta

_waits = timedelta(days=180)


def use(*, days: int) -> None:
    global _waits
    _waits = timedelta(days=days)


def longest() -> timedelta:
    """From the signature on."""
    return _waits

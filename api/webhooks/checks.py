"""What is asked right before an attempt: whether the partner may still be told.

An event names its check, since it may wait for days in which a consent ends. The slices above know the answers; app.py
hands them in. A name that nobody answers to is a no.
"""

from collections.abc import Callable
from uuid import UUID

# Asked in a transaction of its own, as the worker: client_id=, subject_id=, version= (of the event).
Check = Callable[..., bool]

_checks: dict[str, Check] = {}


class NotYet(Exception):
    """Raised by a check that is a no now and may soon be a yes: the event waits, and is asked about again."""


def register(name: str, check: Check) -> None:
    """Have `check(client_id=, subject_id=, version=)` answer for events announced with `check=name`. It may raise
    `NotYet`."""
    _checks[name] = check


def allows(name: str, *, client_id: UUID, subject_id: UUID, version: int) -> bool:
    check = _checks.get(name)
    return check is not None and check(client_id=client_id, subject_id=subject_id, version=version)

"""Whom a consent or a restriction may name."""

from collections.abc import Sequence
from uuid import UUID

from api import errors
from api.access import partners
from api.access.partners import Partner


def choices() -> Sequence[Partner]:
    """The partners that are active, by name."""
    return [one for one in partners.listed() if one.active]


def active(client_id: UUID | None) -> Partner | None:
    """The partner, unless there is none or it is suspended; the clinic's own systems are no partners."""
    if client_id is None:
        return None
    try:
        found = partners.one(client_id)
    except errors.NotFound:
        return None
    return found if found.active else None

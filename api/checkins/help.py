"""Crisis help, as it stands beside every instrument and every answer."""

from datetime import datetime
from typing import Any

from api.programs import about, crisis, shelf
from api.programs.edition import Edition

MOST_KEPT = 16


def beside(*, at: datetime, language: str) -> dict[str, Any]:
    """As `CrisisHelpAnswer` has it. To be asked inside a transaction; the catalogue may be a few seconds old."""
    return _said(shelf.inside(), at, language)


def in_public(*, at: datetime, language: str) -> dict[str, Any]:
    """The same, outside of any transaction."""
    return _said(shelf.stock().edition, at, language)


_kept: dict[tuple[object, ...], dict[str, Any]] = {}


def _said(edition: Edition, at: datetime, language: str) -> dict[str, Any]:
    """Kept for as long as the instant, which is a second: finding out what is open takes longer than an insert."""
    key = (edition.version, about.clinic(), at, language)
    if key not in _kept:
        if len(_kept) > MOST_KEPT:
            _kept.clear()
        _kept[key] = crisis.help_at(at, clinic=about.clinic(), locations=edition.locations, language=language)
    return _kept[key]


def without_asking(*, at: datetime, language: str) -> dict[str, Any]:
    """The same as far as it is known without the database: nothing about opening hours."""
    return crisis.help_at(at, clinic=about.clinic(), locations=(), language=language)

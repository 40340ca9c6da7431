"""Crisis help, as it stands beside every instrument and every answer."""

from datetime import datetime
from typing import Any

from api.programs import about, crisis, shelf


def beside(*, at: datetime, language: str) -> dict[str, Any]:
    """As `CrisisHelpAnswer` has it. To be asked inside a transaction; the catalogue may be a few seconds old."""
    return crisis.help_at(at, clinic=about.clinic(), locations=shelf.inside().locations, language=language)


def in_public(*, at: datetime, language: str) -> dict[str, Any]:
    """The same, outside of any transaction."""
    return crisis.help_at(at, clinic=about.clinic(), locations=shelf.stock().edition.locations, language=language)

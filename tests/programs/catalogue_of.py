"""Editions made without a database, for what is a pure function of the catalogue."""

from datetime import UTC, datetime
from uuid import UUID

from api.programs.catalogue import shipped
from api.programs.edition import Edition, Program

PUBLISHED = datetime(2026, 11, 2, 15, tzinfo=UTC)


def edition(**contents):
    """The shipped catalogue; each keyword puts another content under that slug."""
    everything = shipped() | contents
    return Edition(
        version=1,
        programs=tuple(
            Program(id=UUID(int=number), slug=slug, revision=1, published_at=PUBLISHED, content=content)
            for number, (slug, content) in enumerate(everything.items(), start=1)
        ),
    )

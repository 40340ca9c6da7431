"""The catalogue that ships with the code: one file a program, as the clinic's own article states it.

Each file has the shape of a revision (`schemas.program_revisions.ProgramRevisionAsk`). Facts and figures are
the article's; the sentences are ours; what the article does not say is not in the file. The ASAM codes are a
mapping of ours that the clinic has not confirmed. The article names no location, so none ships.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from api import db
from api.programs.models import Program, ProgramRevision

# In the order in which they are shown: what is offered first, then the levels above it.
SLUGS = ("iop", "op", "php", "inpatient", "detox")
PUBLISHER = "catalogue"


def shipped() -> dict[str, dict[str, Any]]:
    """First revision of every program by slug, in the order of the catalogue."""
    return {slug: json.loads((Path(__file__).parent / f"{slug}.json").read_text("utf-8")) for slug in SLUGS}


def load(*, at: datetime) -> None:
    """Put in the programs that are missing. What the clinic has published since is never overwritten.

    Two at once converge on one. Needs a caller of kind clinic.
    """
    present = set(db.session().scalars(sa.select(Program.slug)))
    for position, (slug, content) in enumerate(shipped().items(), start=1):
        if slug not in present:
            _put_in(slug, position, content, at)


def _put_in(slug: str, position: int, content: dict[str, Any], at: datetime) -> None:
    program_id = db.session().scalar(
        insert(Program)
        .values(
            id=db.uuid7(),
            slug=slug,
            position=position,
            offered_here=content.get("offered_here"),
            residential=content.get("residential"),
        )
        .on_conflict_do_nothing(index_elements=[Program.slug])
        .returning(Program.id)
    )
    if program_id is not None:
        db.session().add(
            ProgramRevision(program_id=program_id, number=1, content=content, published_at=at, published_by=PUBLISHER)
        )
        db.session().flush()

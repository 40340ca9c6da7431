"""The clinic's word on where new patients can start, and who reads it. What follows from it is in `availability`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from api import db, errors
from api.programs import about, availability, reading, service
from api.programs.availability import Availability
from api.programs.edition import Edition
from api.programs.models import ProgramCapacity


class NotOfferedThere(errors.Conflict):
    """Of a program and a location that are both there."""

    title = "Not offered at that location"
    detail = "That location does not offer the program, so no places are stated for it there."
    title_es = "No se ofrece en esa sede"
    detail_es = "Esa sede no ofrece el programa, por lo que no se indican lugares para él allí."


def shown(*, program: str | None = None, at: datetime) -> Sequence[Availability]:
    """Of all that is offered, or of one program of it, as the running transaction sees the catalogue."""
    return _of(service.catalogue(), program, at)


def confirm(
    *, program: str, location_id: UUID, state: str, notes: str | None = None, by: str, at: datetime
) -> Availability:
    """The clinic says now how it is; it was confirmed at `at`. What it says again is confirmed anew.

    Raises `errors.NotFound`, `service.NotOfferedHere`, `NotOfferedThere`.
    """
    program_id = _offered(program, location_id)
    said = {"state": state, "notes": notes, "confirmed_at": at, "confirmed_by": by}
    db.session().execute(
        insert(ProgramCapacity)
        .values(program_id=program_id, location_id=location_id, **said)
        .on_conflict_do_update(constraint="pk_program_capacities", set_=said)
    )
    found = _of(reading.edition(), program, at)
    return next(one for one in found if one.location.id == location_id)


def _of(edition: Edition, program: str | None, at: datetime) -> list[Availability]:
    everywhere = availability.everywhere(edition, at=at, good_for=about.clinic().capacity_good_for)
    return [one for one in everywhere if program in (None, one.program.slug)]


def _offered(slug: str, location_id: UUID) -> UUID:
    edition = service.catalogue()
    program = edition.program(slug)
    if program is None or edition.location(location_id) is None:
        raise errors.NotFound
    if not program.offered_here:
        raise service.NotOfferedHere
    if all(place.id != location_id for place in edition.places_of(slug)):
        raise NotOfferedThere
    return program.id

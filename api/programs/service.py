"""The verbs on programs, and the questions that other slices ask about them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors
from api.programs import reading, shelf
from api.programs.edition import Edition
from api.programs.edition import Program as Published
from api.programs.models import Program, ProgramRevision


class UnknownProgram(errors.Unprocessable):
    """Programs are in a public catalogue, so that one is missing may be said."""

    title = "No such program"
    detail = "The catalogue has no program of that name."
    title_es = "No existe ese programa"
    detail_es = "El catálogo no tiene ningún programa con ese nombre."


class NotOfferedHere(errors.Conflict):
    """A level of care that the clinic has not said it offers: for orientation only."""

    title = "Not offered here"
    detail = "The clinic has not said that it offers this level of care, so nobody is placed in it or referred to it."
    title_es = "No se ofrece aquí"
    detail_es = (
        "La clínica no ha dicho que ofrezca este nivel de atención, por lo que nadie es asignado ni derivado a él."
    )


def catalogue() -> Edition:
    """The whole catalogue, asked for once in a transaction: its later questions are answered from the same moment.

    Whoever writes to the catalogue reads it anew with `reading.edition`.
    """
    kept = db.session().info
    if "catalogue" not in kept:
        kept["catalogue"] = shelf.current()
    edition: Edition = kept["catalogue"]
    return edition


def one(slug: str) -> Published:
    """The program at its current revision. Raises `UnknownProgram`."""
    if (found := catalogue().program(slug)) is None:
        raise UnknownProgram
    return found


def offered(slug: str) -> Published:
    """The program, if people can be placed in it. Raises `UnknownProgram`, `NotOfferedHere`."""
    program = one(slug)
    if not program.offered_here:
        raise NotOfferedHere
    return program


def typically_next(slug: str) -> list[Published]:
    """Programs that typically follow: never a plan for a person, which is made by assessment."""
    return catalogue().steps_to(slug)


def revision(slug: str) -> tuple[Program, ProgramRevision]:
    """The program's row and the revision that is read now. Raises `errors.NotFound`."""
    found = (
        db.session()
        .execute(
            sa.select(Program, ProgramRevision)
            .join(
                ProgramRevision,
                sa.and_(ProgramRevision.program_id == Program.id, ProgramRevision.number == Program.current_revision),
            )
            .where(Program.slug == slug)
            .execution_options(populate_existing=True)
        )
        .one_or_none()
    )
    if found is None:
        raise errors.NotFound
    return found[0], found[1]


def publish(*, slug: str, content: dict[str, Any], expected: int | None, by: str, at: datetime) -> None:
    """Make `content` (JSON values, as `ProgramRevisionAsk` has them) what everybody reads from the commit on.

    `expected` is the version last read, None for any. Raises `errors.NotFound`, `errors.PreconditionFailed`,
    `errors.Invalid` for steps that lead nowhere.
    """
    program_id, number = _raise_revision(slug, content, expected)
    _check_neighbors(slug, content)
    db.session().add(
        ProgramRevision(program_id=program_id, number=number, content=content, published_at=at, published_by=by)
    )
    db.session().flush()


def _raise_revision(slug: str, content: dict[str, Any], expected: int | None) -> tuple[UUID, int]:
    """The version is compared inside the UPDATE: of two writers with one reading, one is refused."""
    named = Program.slug == slug
    row = (
        db.session()
        .execute(
            sa.update(Program)
            .where(named, Program.version == expected if expected is not None else sa.true())
            .values(
                offered_here=content.get("offered_here"),
                residential=content.get("residential"),
                current_revision=Program.current_revision + 1,
                version=Program.version + 1,
            )
            .returning(Program.id, Program.current_revision)
            .execution_options(synchronize_session=False)
        )
        .one_or_none()
    )
    if row is None:
        raise errors.PreconditionFailed if db.session().scalar(sa.select(Program.id).where(named)) else errors.NotFound
    return row.id, row.current_revision


def _check_neighbors(slug: str, content: dict[str, Any]) -> None:
    edition = reading.edition()
    others = {program.slug for program in edition.programs} - {slug}
    less_than = content.get("intensity", {}).get("less_than", [])
    wrong = [
        (f"/{place}", "Names a program that the catalogue does not have, or the program itself.")
        for place, named in (("steps_to", content["steps_to"]), ("intensity/less_than", less_than))
        if set(named) - others
    ]
    if any(edition.less_intense(above, slug) for above in less_than):
        wrong.append(("/intensity/less_than", "Contradicts what is stated of the other program."))
    if wrong:
        raise errors.Invalid(wrong)

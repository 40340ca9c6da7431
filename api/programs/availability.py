"""Whether somebody new can start in a program at a location: what partners and the website are told.

The clinic confirms it per program and location; what nobody has confirmed for too long reads `call_us`, and while the
location is closed it reads `closed`, whatever was confirmed. It is asked of an edition and an instant alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.programs.edition import Capacity, Edition, Location, Program

CALL_US, CLOSED = "call_us", "closed"


@dataclass(frozen=True, slots=True)
class Availability:
    """`state` is one of `vocabulary.CAPACITIES_SHOWN`. `stated` is what was confirmed last, however long ago;
    `closed_until` while the location is closed."""

    program: Program
    location: Location
    state: str
    notes: str | None = None
    stated: Capacity | None = None
    closed_until: datetime | None = None


def everywhere(edition: Edition, *, at: datetime, good_for: timedelta) -> Iterator[Availability]:
    """Of every program that is offered, at each location that has it, in the order of the catalogue."""
    for program in edition.programs:
        yield from of_program(edition, program, at=at, good_for=good_for)


def of_program(edition: Edition, program: Program, *, at: datetime, good_for: timedelta) -> Iterator[Availability]:
    """At each location that has it; nowhere while the clinic has not said that it offers the program."""
    places = edition.places_of(program.slug) if program.offered_here else ()
    for location in places:
        stated = edition.capacity(program.slug, location.id)
        yield _shown(program, location, stated, at=at, good_for=good_for)


def changes(edition: Edition, *, good_for: timedelta) -> list[datetime]:
    """The instants, in order, at which the clock alone changes what `everywhere` says."""
    return sorted({*_closings(edition.locations), *(one.confirmed_at + good_for for one in edition.capacities)})


def closed_until(location: Location, *, at: datetime) -> datetime | None:
    """When the closure that stands over `at`, and those that follow it without a gap, are over; None while none does.

    Weekly hours do not close a location in this sense: places are not fewer at night."""
    until = at
    for closure in sorted(location.closures, key=lambda one: one.starts_at):
        if closure.starts_at <= until < closure.ends_at:
            until = closure.ends_at
    return until if until > at else None


def _shown(
    program: Program, location: Location, stated: Capacity | None, *, at: datetime, good_for: timedelta
) -> Availability:
    """Notes go with what they were written beside: neither outlives the other."""
    until = closed_until(location, at=at)
    fresh = stated if stated and at < stated.confirmed_at + good_for else None
    state = CLOSED if until else fresh.state if fresh else CALL_US
    return Availability(program, location, state, fresh.notes if fresh else None, stated, until)


def _closings(locations: Iterable[Location]) -> Iterator[datetime]:
    for location in locations:
        for closure in location.closures:
            yield from (closure.starts_at, closure.ends_at)

"""An edition: the whole catalogue as it stood at one version, read at once and never changed afterwards.

Everything public is rendered from one edition, so that no answer mixes what was published at different
times: a program's page, the names of its neighbors and the locations that offer it are of one moment.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Program:
    """A program at its current revision. `content` is what the clinic published, in every language."""

    id: UUID
    slug: str
    revision: int
    published_at: datetime
    content: Mapping[str, Any]

    @property
    def offered_here(self) -> bool | None:
        """Whether the clinic offers it; None until the clinic has said so."""
        return self.content.get("offered_here")

    def name(self, language: str) -> str:
        return str(self.content["name"][language])

    def short_name(self, language: str) -> str:
        return str(self.content.get("short_name") or self.name(language))


@dataclass(frozen=True, slots=True)
class Hours:
    """Open on `weekday` (1 is Monday, ISO 8601) from `opens` until `closes`, wall time of the location."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class Closure:
    """Closed from `starts_at` until just before `ends_at`, whatever the weekly hours say."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    reason: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """A place of the clinic. `details` holds name, address, phone and the programs offered there."""

    id: UUID
    details: Mapping[str, Any]
    time_zone: str
    hours: tuple[Hours, ...] = ()
    closures: tuple[Closure, ...] = ()


@dataclass(frozen=True, slots=True)
class Capacity:
    """Whether somebody new can start in the program `slug` at a location, as the clinic confirmed it last."""

    slug: str
    location_id: UUID
    state: str
    notes: str | None
    confirmed_at: datetime
    confirmed_by: str


@dataclass(frozen=True, slots=True)
class Edition:
    """The catalogue at `version`; programs in the order in which they are shown."""

    version: int
    programs: tuple[Program, ...]
    locations: tuple[Location, ...] = ()
    capacities: tuple[Capacity, ...] = ()

    def program(self, slug: str) -> Program | None:
        return next((one for one in self.programs if one.slug == slug), None)

    def location(self, location_id: UUID) -> Location | None:
        return next((one for one in self.locations if one.id == location_id), None)

    def capacity(self, slug: str, location_id: UUID) -> Capacity | None:
        here = (one for one in self.capacities if (one.slug, one.location_id) == (slug, location_id))
        return next(here, None)

    def steps_to(self, slug: str) -> list[Program]:
        """Programs that typically follow."""
        program = self.program(slug)
        onward = program.content["steps_to"] if program else ()
        return [one for one in self.programs if one.slug in onward]

    def steps_from(self, slug: str) -> list[Program]:
        """Programs that typically come before: the same edges, read backward."""
        return [one for one in self.programs if slug in one.content["steps_to"]]

    def places_of(self, slug: str) -> list[Location]:
        """Locations that say they offer the program."""
        return [one for one in self.locations if slug in one.details.get("programs", ())]

    def less_intense(self, slug: str, other: str) -> bool:
        """Whether it is stated, directly or over others in between, that `slug` asks less than `other`."""
        if slug == other or _lowest(self.program(other)):
            return False
        return _lowest(self.program(slug)) or other in self._above(slug)

    def _above(self, slug: str) -> set[str]:
        """Every level that is stated to ask more than `slug`."""
        found: set[str] = set()
        waiting = [slug]
        while waiting:
            program = self.program(waiting.pop())
            stated = program.content.get("intensity", {}).get("less_than", ()) if program else ()
            waiting += set(stated) - found
            found |= set(stated)
        return found


def _lowest(program: Program | None) -> bool:
    return bool(program and program.content.get("intensity", {}).get("lowest"))

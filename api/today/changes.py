"""The delta sync: where a phone stands, written into a token, and whether one can go on from there.

A version is one number for all that is a patient's, raised under a lock by whoever writes and stamped on what was
written (`patients.versions`); so whoever has read up to version N lacks exactly the rows that bear a larger one. A page
is cut in order of (version, kind, id) and bounded by the version of its first page, whatever is written meanwhile: what
changes during the walk comes with the next one.

A token says which kinds of things it covers, too: whoever may be told of others by now, since there is a new kind or
since the app has more scopes than before, has never read what there is of those, and starts afresh.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from api import errors, pages
from api.hotread import HotAnswer

# What is gone is told for this long; a phone that was away for longer starts afresh.
KEPT = timedelta(days=90)
# So long a token is given back as it is to whoever has nothing new to read; then it is renewed, or it would age.
RENEWED = timedelta(days=1)
NOBODY = UUID(int=0)


class StartAfresh(errors.Gone):
    """A token that is too old, from before the patient's standing changed, in another language, of a version that a
    restored database has not reached, or that does not cover all that the caller is told of."""

    detail = "What this app has kept can no longer be brought up to date. Read everything afresh, without `since`."
    title = "Start afresh"
    title_es = "Empiece de nuevo"
    detail_es = "Lo que esta aplicación guardó ya no se puede poner al día. Lea todo de nuevo, sin `since`."
    retry = "after_refresh"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a phone stands: everything up to `(version, kind, id)` is read, of what there was at version `until`.

    Between two walks `kind` is 0, before every kind, and `until` the same `version`. `language` and `hour` are None
    before the first page of all. `since_ever` is the walk over everything there is, which leaves out what is gone.
    `told` are the kinds that are told, as a set (`changes_parts.bit`).
    """

    issued_at: datetime
    hour: datetime
    told: int
    version: int = 0
    until: int | None = None
    language: str | None = None
    kind: int = 0
    id: UUID = NOBODY
    since_ever: bool = False

    @property
    def between_walks(self) -> bool:
        return self.until == self.version and not self.kind

    @property
    def tag(self) -> str | None:
        """What the reading's tag is as long as there is nothing new; None in the middle of a walk."""
        return f"{self.version}.{self.language}" if self.between_walks else None

    def parameters(self) -> dict[str, Any]:
        """What the reading's statement is asked with."""
        return {
            "after_version": self.version,
            "after_kind": self.kind if not self.between_walks else LAST_KIND,
            "after_id": self.id,
            "until": None if self.between_walks else self.until,
            "known_version": self.until,
            "known_language": self.language,
            "told": self.told,
            "since_ever": self.since_ever,
            "hour": self.hour,
        }


# After every kind there will ever be.
LAST_KIND = 1000


def beginning(*, told: int, at: datetime) -> Place:
    """Before anything was read."""
    return Place(issued_at=at, hour=_hour(at), told=told, since_ever=True)


def between(token: str, *, patient_id: UUID, told: int, at: datetime) -> Place:
    """Where a walk ended. Raises `pages.InvalidCursor`, `StartAfresh`."""
    version, language, issued, *covered = pages.key(token, bound_to=_walks(patient_id))
    _refuse_unless_covered(told, *covered)
    issued_at = _fresh(issued, at)
    return Place(issued_at, _hour(at), told, version, version, language)


def within(token: str, *, patient_id: UUID, since: str | None, told: int, at: datetime) -> Place:
    """Where a page ended. Raises `pages.InvalidCursor`, `StartAfresh`."""
    version, kind, row, until, language, issued, hour, *covered = pages.key(token, bound_to=_pages(patient_id, since))
    _refuse_unless_covered(told, *covered)
    issued_at, began = _fresh(issued, at), datetime.fromtimestamp(hour, UTC)
    return Place(issued_at, began, told, version, until, language, kind, UUID(row), since_ever=since is None)


def answer(found: HotAnswer, place: Place, *, patient_id: UUID, since: str | None, at: datetime) -> str:
    """The page as JSON: with the token of the next page, or on the last one the token for the next time."""
    version, _, language = found.tag.partition(".")
    until = place.until if place.until is not None and not place.between_walks else int(version)
    if found.more:
        last = replace(place, until=until, language=language)
        name, token = "next_page_token", _page_token(found.more, last, patient_id, since)
    elif found.body is None and since and at - place.issued_at < RENEWED:
        name, token = "next_since", since
    else:
        # A walk is as old as its first page.
        issued_at = at if place.between_walks else place.issued_at
        name, token = "next_since", _walk_token(until, language, issued_at, place.told, patient_id)
    return f'{{"items":{found.body or "[]"},"{name}":"{token}"}}'


def _page_token(more: str, place: Place, patient_id: UUID, since: str | None) -> str:
    version, kind, row = more.split(" ")
    times = map(_seconds, (place.issued_at, place.hour))
    key = [int(version), int(kind), row, place.until, place.language, *times, place.told]
    return pages.token(key, bound_to=_pages(patient_id, since))


def _walk_token(version: int, language: str, issued_at: datetime, told: int, patient_id: UUID) -> str:
    return pages.token([version, language, _seconds(issued_at), told], bound_to=_walks(patient_id))


def _walks(patient_id: UUID) -> tuple[Any, ...]:
    return patient_id, "my-changes"


def _pages(patient_id: UUID, since: str | None) -> tuple[Any, ...]:
    return patient_id, "a page of my-changes", since


def _refuse_unless_covered(told: int, covered: int = 0) -> None:
    """A token that does not say what it `covered` is from before any did."""
    if told & ~covered:
        raise StartAfresh


def _fresh(issued: int, at: datetime) -> datetime:
    issued_at = datetime.fromtimestamp(issued, UTC)
    if at - issued_at > KEPT:
        raise StartAfresh
    return issued_at


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)

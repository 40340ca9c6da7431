"""The verbs on locations and their closures. When they are open is asked of `hours`."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db, errors, events, vocabulary
from api.programs.events import LocationClosed, LocationOpened
from api.programs.models import Location, LocationClosure, LocationHours, Program

ADDRESS = ("street", "street_2", "city", "region", "postal_code", "country")


def row(location_id: UUID) -> Location:
    """One location as it is kept. Raises `errors.NotFound`."""
    found = db.session().get(Location, location_id, populate_existing=True)
    if found is None:
        raise errors.NotFound
    return found


def add(*, described: dict[str, Any]) -> Location:
    """Add a location (as `LocationAsk` has it). Raises `errors.Invalid` for a program that does not exist."""
    _check_programs(described["programs"])
    location = Location(**_columns(described), version=1)
    db.session().add(location)
    db.session().flush()
    _set_hours(location.id, described["hours"])
    return location


def change(*, location_id: UUID, described: dict[str, Any], expected: int | None) -> Location:
    """Describe a location anew, whole. `expected` is the version last read, None for any.

    Raises `errors.NotFound`, `errors.PreconditionFailed`, `errors.Invalid`.
    """
    changed = db.session().scalar(
        sa.update(Location)
        .where(Location.id == location_id, Location.version == expected if expected is not None else sa.true())
        .values(**_columns(described), version=Location.version + 1)
        .returning(Location)
        .execution_options(populate_existing=True)
    )
    if changed is None:
        row(location_id)
        raise errors.PreconditionFailed
    _check_programs(described["programs"])
    db.session().execute(sa.delete(LocationHours).where(LocationHours.location_id == location_id))
    _set_hours(location_id, described["hours"])
    return changed


def close(
    *, location_id: UUID, starts_at: datetime, ends_at: datetime, reason: dict[str, str] | None = None, at: datetime
) -> LocationClosure:
    """Close a location from `starts_at` until `ends_at`; that is a new version of it. Raises `errors.NotFound`."""
    _hold_alone(location_id)
    _raise_version(location_id)
    closure = LocationClosure(location_id=location_id, starts_at=starts_at, ends_at=ends_at, reason=reason)
    db.session().add(closure)
    db.session().flush()
    events.announce(LocationClosed(location_id, closure.id, starts_at, ends_at, at))
    return closure


def closure(closure_id: UUID) -> LocationClosure:
    """Raises `errors.NotFound`."""
    found = db.session().get(LocationClosure, closure_id)
    if found is None:
        raise errors.NotFound
    return found


def closures(*, location_id: UUID, since: datetime) -> Sequence[LocationClosure]:
    """The location's closures that end after `since`, in order of time."""
    found = sa.select(LocationClosure).where(
        LocationClosure.location_id == location_id, LocationClosure.ends_at > since
    )
    return db.session().scalars(found.order_by(LocationClosure.starts_at, LocationClosure.id)).all()


def open_again(*, location_id: UUID, closure_id: UUID, at: datetime) -> None:
    """Take a closure back; that is a new version of the location. Raises `errors.NotFound`."""
    _hold_alone(location_id)
    _raise_version(location_id)
    gone = db.session().execute(
        sa.delete(LocationClosure)
        .where(LocationClosure.id == closure_id, LocationClosure.location_id == location_id)
        .returning(LocationClosure.starts_at, LocationClosure.ends_at)
    )
    if (closed := gone.first()) is None:
        raise errors.NotFound
    events.announce(LocationOpened(location_id, closure_id, closed.starts_at, closed.ends_at, at))


def hold(location_id: UUID) -> None:
    """Keep the location's closures as they are until the transaction ends, for whoever plans something there.

    A closure sees what was planned before it, and a plan what was closed before it, because they wait for each other
    here. Every other lock comes after this one. It asks for no right to change the location, as a row's lock would.
    """
    db.session().execute(sa.select(sa.func.pg_advisory_xact_lock_shared(_key(location_id))))


def _hold_alone(location_id: UUID) -> None:
    db.session().execute(sa.select(sa.func.pg_advisory_xact_lock(_key(location_id))))


def _key(location_id: UUID) -> int:
    return int.from_bytes(location_id.bytes[-8:], "big", signed=True)


def _raise_version(location_id: UUID) -> None:
    raised = db.session().scalar(
        sa.update(Location)
        .where(Location.id == location_id)
        .values(version=Location.version + 1)
        .returning(Location.id)
        .execution_options(synchronize_session=False)
    )
    if raised is None:
        raise errors.NotFound


def _columns(described: dict[str, Any]) -> dict[str, Any]:
    plain = ("name", "time_zone", "programs", "answers_clinic_line")
    return {
        **{key: described[key] for key in plain},
        **{key: described["address"].get(key) for key in ADDRESS},
        "phone": described.get("phone"),
        "asks_room_code": described.get("asks_room_code", False),
    }


def _set_hours(location_id: UUID, weekly: list[dict[str, str]]) -> None:
    rows = {
        (vocabulary.WEEKDAYS.index(one["weekday"]) + 1, time.fromisoformat(one["opens"])): one["closes"]
        for one in weekly
    }
    if len(rows) < len(weekly):
        raise errors.Invalid([("/hours", "The same weekday opens twice at the same time.")])
    db.session().add_all(
        LocationHours(location_id=location_id, weekday=weekday, opens=opens, closes=time.fromisoformat(closes))
        for (weekday, opens), closes in rows.items()
    )
    db.session().flush()


def _check_programs(slugs: list[str]) -> None:
    known = set(db.session().scalars(sa.select(Program.slug)))
    if unknown := set(slugs) - known:
        raise errors.Invalid([("/programs", f"Not in the catalogue: {', '.join(sorted(unknown))}.")])

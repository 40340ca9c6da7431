"""Reading the whole catalogue in one statement, so that nothing of it is of another moment than the rest."""

from datetime import datetime, time
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from api import db
from api.programs.edition import Capacity, Closure, Edition, Hours, Location, Program

_STATEMENT = sa.text("""
SELECT version, CASE WHEN version = :known THEN NULL ELSE json_build_object(
  'programs', (
    SELECT json_agg(json_build_object(
      'id', programs.id, 'slug', slug, 'revision', number, 'published_at', published_at, 'content', content
    ) ORDER BY position, slug)
    FROM programs JOIN program_revisions ON program_id = programs.id AND number = current_revision
  ),
  'locations', (
    SELECT json_agg(json_build_object(
      'row', locations,
      'hours', (SELECT json_agg(location_hours ORDER BY weekday, opens)
                FROM location_hours WHERE location_id = locations.id),
      'closures', (SELECT json_agg(location_closures ORDER BY starts_at, id)
                   FROM location_closures WHERE location_id = locations.id)
    ) ORDER BY id)
    FROM locations
  ),
  'capacities', (
    SELECT json_agg(json_build_object(
      'slug', slug, 'location_id', location_id, 'state', state, 'notes', notes, 'confirmed_at', confirmed_at,
      'confirmed_by', confirmed_by
    ) ORDER BY slug, location_id)
    FROM program_capacities JOIN programs ON program_id = programs.id
  )
) END
FROM catalogue_version
""")


def edition() -> Edition:
    """The catalogue as the running transaction sees it."""
    found = edition_unless(None)
    assert found is not None, "only a known version is not read again"
    return found


def edition_unless(known: int | None) -> Edition | None:
    """The catalogue as the running transaction sees it; None where its version is still `known`."""
    version, found = db.session().execute(_STATEMENT, {"known": -1 if known is None else known}).one()
    if found is None:
        return None
    return Edition(
        version=version,
        programs=tuple(_program(one) for one in found["programs"] or ()),
        locations=tuple(_location(**one) for one in found["locations"] or ()),
        capacities=tuple(_capacity(one) for one in found["capacities"] or ()),
    )


def _program(row: dict[str, Any]) -> Program:
    return Program(
        id=UUID(row["id"]),
        slug=row["slug"],
        revision=row["revision"],
        published_at=datetime.fromisoformat(row["published_at"]),
        content=row["content"],
    )


def _location(
    row: dict[str, Any], hours: list[dict[str, Any]] | None, closures: list[dict[str, Any]] | None
) -> Location:
    return Location(
        id=UUID(row["id"]),
        details=row,
        time_zone=row["time_zone"],
        hours=tuple(_hours(one) for one in hours or ()),
        closures=tuple(_closure(one) for one in closures or ()),
    )


def _hours(row: dict[str, Any]) -> Hours:
    return Hours(
        weekday=row["weekday"], opens=time.fromisoformat(row["opens"]), closes=time.fromisoformat(row["closes"])
    )


def _closure(row: dict[str, Any]) -> Closure:
    return Closure(
        id=UUID(row["id"]),
        starts_at=datetime.fromisoformat(row["starts_at"]),
        ends_at=datetime.fromisoformat(row["ends_at"]),
        reason=row["reason"],
    )


def _capacity(row: dict[str, Any]) -> Capacity:
    return Capacity(
        **{key: row[key] for key in ("slug", "state", "notes", "confirmed_by")},
        location_id=UUID(row["location_id"]),
        confirmed_at=datetime.fromisoformat(row["confirmed_at"]),
    )

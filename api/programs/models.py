"""Tables of the catalogue. They hold nothing of any patient, so everybody may read them; only the clinic writes.

`catalogue_version` is one row that triggers raise with every write to the others, whoever makes it: readers
that keep the catalogue in memory ask for that number alone.
"""

from datetime import datetime, time
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from api import db


class Program(db.Base):
    """A program and which of its revisions is read. `offered_here` and `residential` repeat the current revision,
    for those who join; None is not known."""

    __tablename__ = "programs"
    __table_args__ = (
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'", name="slug"),
        sa.ForeignKeyConstraint(
            ["id", "current_revision"],
            ["program_revisions.program_id", "program_revisions.number"],
            deferrable=True,
            initially="DEFERRED",
            use_alter=True,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    slug: Mapped[str] = mapped_column(unique=True)
    position: Mapped[int]
    offered_here: Mapped[bool | None]
    residential: Mapped[bool | None]
    current_revision: Mapped[int] = mapped_column(server_default="1")
    version: Mapped[int] = mapped_column(sa.BigInteger, server_default="1")


class ProgramRevision(db.Base):
    """What was published, whole and in every language. Rows are only ever added."""

    __tablename__ = "program_revisions"
    __table_args__ = (sa.UniqueConstraint("program_id", "number"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"))
    number: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    published_at: Mapped[datetime]
    published_by: Mapped[str]


class Location(db.Base):
    """A place of the clinic. `answers_clinic_line`: the clinic's line is answered during this place's hours.
    `asks_room_code`: who checks in here is asked for the code that is shown in the room."""

    __tablename__ = "locations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    name: Mapped[str]
    street: Mapped[str]
    street_2: Mapped[str | None]
    city: Mapped[str]
    region: Mapped[str]
    postal_code: Mapped[str]
    country: Mapped[str]
    phone: Mapped[str | None]
    time_zone: Mapped[str]
    programs: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    answers_clinic_line: Mapped[bool]
    asks_room_code: Mapped[bool] = mapped_column(server_default=sa.false())
    version: Mapped[int] = mapped_column(sa.BigInteger, server_default="1")


class LocationHours(db.Base):
    """Open weekly from `opens` until `closes` (00:00 is the end of the day); weekdays as in ISO 8601, 1 to 7."""

    __tablename__ = "location_hours"
    __table_args__ = (
        sa.CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
        sa.CheckConstraint("closes > opens OR closes = '00:00'", name="closes"),
    )

    location_id: Mapped[UUID] = mapped_column(sa.ForeignKey("locations.id"), primary_key=True)
    weekday: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True)
    opens: Mapped[time] = mapped_column(primary_key=True)
    closes: Mapped[time]


class LocationClosure(db.Base):
    """Closed from `starts_at` until `ends_at`, whatever the weekly hours say."""

    __tablename__ = "location_closures"
    __table_args__ = (sa.CheckConstraint("ends_at > starts_at", name="ends_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    location_id: Mapped[UUID] = mapped_column(sa.ForeignKey("locations.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[dict[str, str] | None] = mapped_column(JSONB(none_as_null=True))


class ProgramCapacity(db.Base):
    """Whether somebody new can start in a program at a location, as the clinic last confirmed it."""

    __tablename__ = "program_capacities"
    __table_args__ = (sa.CheckConstraint("state IN ('open', 'waitlist', 'full', 'assess_first')", name="state"),)

    program_id: Mapped[UUID] = mapped_column(sa.ForeignKey("programs.id"), primary_key=True)
    location_id: Mapped[UUID] = mapped_column(sa.ForeignKey("locations.id"), primary_key=True, index=True)
    state: Mapped[str]
    notes: Mapped[str | None]
    confirmed_at: Mapped[datetime]
    confirmed_by: Mapped[str]


class CatalogueVersion(db.Base):
    """One row: how often the catalogue has been written to."""

    __tablename__ = "catalogue_version"
    __table_args__ = (sa.CheckConstraint("single", name="single"),)

    single: Mapped[bool] = mapped_column(primary_key=True, server_default=sa.true())
    version: Mapped[int] = mapped_column(sa.BigInteger, server_default="1")

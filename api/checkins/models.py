"""Check-ins as they were given, and what the clinic sets about them."""

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from api import db
from api.checkins.windows import Schedule


class CheckIn(db.Base):
    """One answered instrument. Its id is the phone's own and unique for that patient only, so that no phone can
    learn of another's. `occurred_at` is when it was given, corrected by what the server saw of the phone's clock;
    `told_at` is what the phone said. `answers` maps item to number, word or text. Answers never change.
    """

    __tablename__ = "check_ins"
    __table_args__ = (
        sa.Index("ix_check_ins_patient_id_occurred_at", "patient_id", "occurred_at"),
        sa.CheckConstraint("(reviewed_at IS NULL) = (reviewed_by IS NULL)", name="reviewed"),
    )

    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    instrument: Mapped[str]
    instrument_version: Mapped[str]
    answers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    complete: Mapped[bool]
    total: Mapped[int | None]
    safety: Mapped[bool]
    flags: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    occurred_at: Mapped[datetime]
    told_at: Mapped[datetime]
    sent_at: Mapped[datetime]
    received_at: Mapped[datetime]
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[str | None]
    reviewed_role: Mapped[str | None]
    version: Mapped[int] = mapped_column(sa.BigInteger)


@dataclass(frozen=True, slots=True)
class Kept:
    """A check-in as its sender is answered: the columns that never change. Light, because phones write many."""

    patient_id: UUID
    id: UUID
    instrument: str
    instrument_version: str
    answers: dict[str, Any]
    complete: bool
    total: int | None
    safety: bool
    flags: list[str]
    occurred_at: datetime
    told_at: datetime
    sent_at: datetime
    received_at: datetime
    version: int


class CheckInSwitch(db.Base):
    """Whether the clinic offers an instrument to a patient; without a row it does."""

    __tablename__ = "check_in_switches"

    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), primary_key=True)
    instrument: Mapped[str] = mapped_column(primary_key=True)
    offered: Mapped[bool]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
    changed_role: Mapped[str]
    version: Mapped[int] = mapped_column(sa.BigInteger)


class CheckInSchedule(db.Base):
    """How often a level of care asks an instrument; without a row it is not asked. Hours are wall-clock hours."""

    __tablename__ = "check_in_schedules"
    __table_args__ = (
        sa.CheckConstraint("every_days BETWEEN 1 AND 366", name="every_days"),
        sa.CheckConstraint(
            "0 < overdue_after_hours AND overdue_after_hours <= closes_after_hours"
            " AND closes_after_hours <= 24 * every_days",
            name="hours",
        ),
    )

    program_slug: Mapped[str] = mapped_column(primary_key=True)
    instrument: Mapped[str] = mapped_column(primary_key=True)
    every_days: Mapped[int]
    opens_local: Mapped[time] = mapped_column(sa.Time())
    overdue_after_hours: Mapped[int]
    closes_after_hours: Mapped[int]

    def schedule(self) -> Schedule:
        return Schedule(
            self.instrument, self.every_days, self.opens_local, self.overdue_after_hours, self.closes_after_hours
        )


class InstrumentSettings(db.Base):
    """What the clinic sets about an instrument: a total above `task_over_total` opens a task; None opens none."""

    __tablename__ = "instrument_settings"

    instrument: Mapped[str] = mapped_column(primary_key=True)
    task_over_total: Mapped[int | None]
    version: Mapped[int] = mapped_column(sa.BigInteger, server_default="1")

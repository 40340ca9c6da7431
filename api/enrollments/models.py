"""Enrollments, and the facts recorded about them."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from api import db, vocabulary

HOLDS = "status <> 'entered_in_error'"


def one_of(column: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


class Enrollment(db.Base):
    """One stay in one program, from `starts_at` until just before `ended_at`.

    `status` is as of the latest fact, effective since `status_since`; an `active` one whose `starts_at` lies ahead
    has not begun. `focus` says what the stay is about. Carries no reason, so that the patient's role may read all.
    """

    __tablename__ = "enrollments"
    __table_args__ = (
        one_of("status", vocabulary.ENROLLMENT_STATUSES),
        sa.CheckConstraint("focus <@ ARRAY['substance_use', 'mental_health'] AND cardinality(focus) > 0", name="focus"),
        sa.CheckConstraint("ended_at >= starts_at", name="ended_at"),
        sa.CheckConstraint(
            "(status IN ('active', 'paused')) = (ended_at IS NULL) OR status = 'entered_in_error'", name="ended"
        ),
        ExcludeConstraint(
            (sa.text("uuidrange(patient_id, patient_id, '[]')"), "&&"),
            (sa.text("tstzrange(starts_at, ended_at)"), "&&"),
            where=sa.text(HOLDS),
            name="ex_enrollments_one_at_a_time",
        ),
        sa.Index("ix_enrollments_patient_id_starts_at", "patient_id", "starts_at"),
        # Who is in care now, among all who ever were.
        sa.Index("ix_enrollments_open", "patient_id", postgresql_where=sa.text("ended_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"))
    program_slug: Mapped[str] = mapped_column(sa.ForeignKey("programs.slug"))
    status: Mapped[str] = mapped_column(server_default="active")
    status_since: Mapped[datetime]
    starts_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    focus: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    stepped_from_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("enrollments.id"))
    version: Mapped[int] = mapped_column(sa.BigInteger)

    @property
    def is_open(self) -> bool:
        """Whether it goes on until something further is recorded."""
        return self.status in ("active", "paused")

    @property
    def paused(self) -> bool:
        return self.status == "paused"

    def covers(self, instant: datetime) -> bool:
        """Whether the patient is in this program at the instant, paused or not."""
        return (
            self.status != "entered_in_error"
            and self.starts_at <= instant
            and (self.ended_at is None or instant < self.ended_at)
        )


class EnrollmentEvent(db.Base):
    """One fact about an enrollment; rows are only ever added. The patient's role does not see `reason` and `changes`.

    `corrects_id` is the fact that a `corrected` one takes back. `changes` is what the slices above announced while
    it was recorded, as the clinic was answered.
    """

    __tablename__ = "enrollment_events"
    __table_args__ = (
        one_of("kind", vocabulary.ENROLLMENT_EVENTS),
        sa.CheckConstraint("(kind = 'corrected') = (corrects_id IS NOT NULL)", name="corrects_id"),
        sa.Index("ix_enrollment_events_patient_id", "patient_id"),
        sa.Index("ix_enrollment_events_enrollment_id", "enrollment_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"))
    enrollment_id: Mapped[UUID] = mapped_column(sa.ForeignKey("enrollments.id"))
    kind: Mapped[str]
    reason: Mapped[str | None]
    effective_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    corrects_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("enrollment_events.id"), unique=True)
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(sa.BigInteger)

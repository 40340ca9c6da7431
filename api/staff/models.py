"""Alerts with their hits and notices, and tasks."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from api import db, vocabulary


def one_of(column: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


class Alert(db.Base):
    """Somebody at the clinic must look at a patient's safety answers.

    While open, `next_notice_at` is when the next duty contact is told: at once at first, then the deadline of the
    one told last. `notices_sent` numbers the notices; `leased_until` is by the database's clock.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        one_of("status", vocabulary.ALERT_STATUSES),
        sa.CheckConstraint("(status = 'acknowledged') = (acknowledged_at IS NOT NULL)", name="acknowledged"),
        sa.Index("uq_alerts_open", "patient_id", unique=True, postgresql_where=sa.text("status = 'open'")),
        sa.Index("ix_alerts_next_notice_at", "next_notice_at", postgresql_where=sa.text("status = 'open'")),
        sa.Index("ix_alerts_opened_at", "opened_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), index=True)
    status: Mapped[str] = mapped_column(server_default="open")
    opened_at: Mapped[datetime]
    next_notice_at: Mapped[datetime]
    notices_sent: Mapped[int] = mapped_column(server_default="0")
    leased_until: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[str | None]
    acknowledged_role: Mapped[str | None]
    note: Mapped[str | None]


class AlertHit(db.Base):
    """One answer that asked for a person. `source` names the body that carried it, so that the same body sent
    again is the same hit of an alert; `report_id` is the check-in it stands in, None where the body was refused."""

    __tablename__ = "alert_hits"
    __table_args__ = (sa.UniqueConstraint("patient_id", "source", "item", "answer", "alert_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    alert_id: Mapped[UUID] = mapped_column(sa.ForeignKey("alerts.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"))
    source: Mapped[str]
    instrument: Mapped[str]
    item: Mapped[str]
    answer: Mapped[str]
    report_id: Mapped[UUID | None]
    circumstances: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    occurred_at: Mapped[datetime | None]
    received_at: Mapped[datetime]


class AlertNotice(db.Base):
    """One message to one duty contact (`contact` is its place in the configured order, from 1)."""

    __tablename__ = "alert_notices"
    __table_args__ = (sa.UniqueConstraint("alert_id", "number"), one_of("outcome", vocabulary.NOTICE_OUTCOMES))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    alert_id: Mapped[UUID] = mapped_column(sa.ForeignKey("alerts.id"))
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), index=True)
    number: Mapped[int]
    contact: Mapped[int]
    outcome: Mapped[str]
    sent_at: Mapped[datetime]
    deadline_at: Mapped[datetime]


class Task(db.Base):
    """Something else that needs a person. `times` counts how often the cause came up while it was open."""

    __tablename__ = "tasks"
    __table_args__ = (
        one_of("cause", vocabulary.TASK_CAUSES),
        one_of("status", vocabulary.TASK_STATUSES),
        sa.Index(
            "uq_tasks_open",
            "patient_id",
            "cause",
            unique=True,
            postgresql_where=sa.text("status IN ('open', 'claimed')"),
        ),
        sa.Index("ix_tasks_opened_at", "opened_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), index=True)
    cause: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="open")
    subject_id: Mapped[UUID | None]
    times: Mapped[int] = mapped_column(server_default="1")
    opened_at: Mapped[datetime]
    claimed_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None]
    claimed_role: Mapped[str | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[str | None]
    closed_role: Mapped[str | None]
    outcome: Mapped[str | None]

    def is_open(self) -> bool:
        return self.status in ("open", "claimed")

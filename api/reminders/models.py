"""The ledger of reminders, its history, and what patients wish."""

from datetime import date, datetime, time
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from api import db, vocabulary


def one_of(column: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


class Reminder(db.Base):
    """One entry of the ledger: about a session at one `revision` (`starts_at` is its start then), or about one window
    of a check-in. The window's day `opens_on` is the patient's own and stays when the zone changes; it is open from
    `opens_at` to `starts_at`. `lead` is empty for all but an appointment. A `silent` entry rings nowhere. `channel` is
    the one that took it.

    While `planned`, a worker takes it by writing a `lease` that holds until `leased_until`, by the database's clock;
    without a lease that time is when it may be tried again. `attempts` counts how often it was taken without
    coming to an end, `tries` how often a carrier did not take it then. `created_at` is
    when the patient's appointment became known as it stands in this revision.
    """

    __tablename__ = "reminders"
    __table_args__ = (
        sa.UniqueConstraint("patient_id", "session_id", "revision", "kind", "lead"),
        sa.Index(
            *("uq_reminders_check_in", "patient_id", "instrument", "opens_on"),
            unique=True,
            postgresql_where=sa.text("subject = 'check_in'"),
        ),
        sa.Index("ix_reminders_due_at_id", "due_at", "id", postgresql_where=sa.text("state = 'planned'")),
        sa.Index("ix_reminders_patient_id_due_at_id", "patient_id", "due_at", "id"),
        sa.Index("ix_reminders_replaced_by", "replaced_by", postgresql_where=sa.text("replaced_by IS NOT NULL")),
        one_of("state", vocabulary.REMINDER_STATES),
        one_of("kind", vocabulary.REMINDER_KINDS),
        one_of("subject", vocabulary.REMINDER_SUBJECTS),
        one_of("channel", vocabulary.REMINDER_CHANNELS),
        sa.CheckConstraint("(subject = 'session') = (session_id IS NOT NULL)", name="session"),
        sa.CheckConstraint(
            "(subject = 'check_in') = (instrument IS NOT NULL AND opens_on IS NOT NULL AND opens_at IS NOT NULL)",
            name="check_in",
        ),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent"),
        sa.CheckConstraint("(kind = 'appointment') = (lead <> '')", name="lead"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"))
    subject: Mapped[str] = mapped_column(server_default="session")
    session_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("care_sessions.id"))
    instrument: Mapped[str | None]
    opens_on: Mapped[date | None]
    opens_at: Mapped[datetime | None]
    revision: Mapped[int]
    kind: Mapped[str]
    lead: Mapped[str]
    starts_at: Mapped[datetime]
    time_zone: Mapped[str]
    due_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    state: Mapped[str]
    reason: Mapped[str]
    silent: Mapped[bool] = mapped_column(server_default=sa.false())
    replaced_by: Mapped[UUID | None] = mapped_column(sa.ForeignKey("reminders.id"))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    text: Mapped[str | None]
    channel: Mapped[str | None]
    attempts: Mapped[int] = mapped_column(server_default="0")
    tries: Mapped[int] = mapped_column(sa.SmallInteger, server_default="0")
    lease: Mapped[UUID | None]
    leased_until: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(sa.BigInteger)

    @property
    def settled(self) -> bool:
        """Whether it was said, or never will be; nothing changes it any more."""
        return self.state in ("sent", "not_sent")


class ReminderState(db.Base):
    """What a reminder's entry said from `at` on. The database adds these rows itself, whoever writes."""

    __tablename__ = "reminder_states"
    __table_args__ = (sa.Index("ix_reminder_states_patient_id_at", "patient_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=sa.text("gen_random_uuid()"))
    reminder_id: Mapped[UUID] = mapped_column(sa.ForeignKey("reminders.id"), index=True)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"))
    at: Mapped[datetime]
    state: Mapped[str]
    reason: Mapped[str]
    due_at: Mapped[datetime]
    replaced_by: Mapped[UUID | None]


class ReminderPreferences(db.Base):
    """What a patient chose; who chose nothing has no row. `channels` are in the order of preference. Quiet hours are
    wall times in the patient's zone. With a `digest`, a day of several appointments is said in one message.

    `preferences_version` counts the choices, for If-Match; without a row it is 0.
    """

    __tablename__ = "reminder_preferences"

    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), primary_key=True)
    channels: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    leads: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    first_leads: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    kinds: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default="{sessions,changes,check_ins}")
    digest: Mapped[bool] = mapped_column(server_default=sa.true())
    quiet_begin: Mapped[time]
    quiet_end: Mapped[time]
    paused_until: Mapped[datetime | None]
    changed_at: Mapped[datetime]
    preferences_version: Mapped[int] = mapped_column(sa.BigInteger)
    version: Mapped[int] = mapped_column(sa.BigInteger)


class ReminderReceipt(db.Base):
    """What the app saw of an entry: that it was `delivered`, `opened` or `dismissed`. Its id is the phone's own and
    unique for that patient only. The first of each event stands, whichever phone it is from."""

    __tablename__ = "reminder_receipts"
    __table_args__ = (
        sa.UniqueConstraint("reminder_id", "event"),
        one_of("event", vocabulary.RECEIPT_EVENTS),
    )

    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    reminder_id: Mapped[UUID] = mapped_column(sa.ForeignKey("reminders.id"))
    event: Mapped[str]
    occurred_at: Mapped[datetime]
    received_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(sa.BigInteger)

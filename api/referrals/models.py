"""What a sender sent, what the clinic makes of it, and what happened to it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from api import db, vocabulary


def one_of(column: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    return sa.CheckConstraint(f"{column} IN {words}", name=column)


class Referral(db.Base):
    """One sending, as its sender wrote it. `client_id` is None where a person asked for themselves.

    `program_slug` None is "you decide"; `withdrawn` is the sender's own act and holds whatever the clinic has done.
    `name_key` is the name for comparing within one sender's referrals, `looks_like` those of them that it resembled
    when it was written. `document_…` is the newest paper. `own_version` counts the sender's acts.
    """

    __tablename__ = "referrals"
    __table_args__ = (
        one_of("origin", vocabulary.REFERRAL_ORIGINS),
        one_of("urgency", vocabulary.REFERRAL_URGENCIES),
        one_of("contact_preference", vocabulary.CONTACT_PREFERENCES),
        one_of("withdrawn", vocabulary.REFERRAL_WITHDRAWALS),
        sa.CheckConstraint("(origin = 'partner') = (client_id IS NOT NULL)", name="sender"),
        sa.CheckConstraint("(withdrawn IS NULL) = (withdrawn_at IS NULL)", name="withdrawal"),
        sa.Index("ix_referrals_client_id_created_at_id", "client_id", "created_at", "id"),
        # Those of one identifier, and of one name, in the order in which they were sent.
        sa.Index("ix_referrals_own_identifier", "client_id", "own_identifier", "created_at", "id"),
        sa.Index("ix_referrals_name_key", "client_id", "name_key", "created_at", "id"),
        sa.Index("ix_referrals_created_at_id", "created_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    client_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("api_clients.id"))
    origin: Mapped[str]
    own_identifier: Mapped[str | None]
    given_name: Mapped[str | None]
    family_name: Mapped[str | None]
    name_key: Mapped[str | None]
    born_on: Mapped[date | None]
    called: Mapped[str | None]
    contact_preference: Mapped[str]
    phone: Mapped[str | None]
    voicemail_allowed: Mapped[bool] = mapped_column(server_default=sa.false())
    email: Mapped[str | None]
    best_time: Mapped[str | None]
    language: Mapped[str]
    reason: Mapped[str | None]
    urgency: Mapped[str] = mapped_column(server_default="routine")
    program_slug: Mapped[str | None]
    notes: Mapped[str | None]
    part2_notice: Mapped[str | None]
    withdrawn: Mapped[str | None]
    withdrawn_reason: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    document_id: Mapped[UUID | None]
    document_sha256: Mapped[bytes | None]
    document_size: Mapped[int | None]
    document_received_at: Mapped[datetime | None]
    looks_like: Mapped[list[UUID]] = mapped_column(sa.ARRAY(sa.Uuid), server_default=sa.text("'{}'"))
    own_version: Mapped[int] = mapped_column(sa.BigInteger, server_default="1")
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


class ReferralDocument(db.Base):
    """A paper that came with a referral, encrypted at rest; the newest counts, earlier ones are kept. Whether staff
    verified it stands in triage."""

    __tablename__ = "referral_documents"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    referral_id: Mapped[UUID] = mapped_column(sa.ForeignKey("referrals.id", ondelete="CASCADE"), index=True)
    client_id: Mapped[UUID] = mapped_column(sa.ForeignKey("api_clients.id"))
    sealed: Mapped[bytes]
    sha256: Mapped[bytes]
    size: Mapped[int]
    received_at: Mapped[datetime]


class ReferralTriage(db.Base):
    """Where a referral stands for the clinic; made with it, by the database.

    `reason_told`: whether the reason was written for the sender. `late_withdrawal`: the sender took it back when the
    person had been admitted, or it had ended, which undoes nothing; somebody must look.
    """

    __tablename__ = "referral_triage"
    __table_args__ = (
        one_of("state", vocabulary.REFERRAL_STATES),
        one_of("sub_status", vocabulary.REFERRAL_SUB_STATUSES),
        one_of("late_withdrawal", vocabulary.REFERRAL_WITHDRAWALS),
        sa.CheckConstraint("admitted_at IS NULL OR patient_id IS NOT NULL", name="admitted"),
        sa.Index(
            "ix_referral_triage_open",
            "referral_id",
            postgresql_where=sa.text("state IN ('received', 'accepted', 'in_progress', 'on_hold')"),
        ),
    )

    referral_id: Mapped[UUID] = mapped_column(sa.ForeignKey("referrals.id", ondelete="CASCADE"), primary_key=True)
    state: Mapped[str] = mapped_column(server_default="received")
    sub_status: Mapped[str | None]
    reason: Mapped[str | None]
    reason_told: Mapped[bool] = mapped_column(server_default=sa.false())
    claimed_by: Mapped[str | None]
    claimed_role: Mapped[str | None]
    claimed_at: Mapped[datetime | None]
    patient_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("patients.id"), index=True)
    enrollment_id: Mapped[UUID | None]
    admitted_at: Mapped[datetime | None]
    document_id: Mapped[UUID | None]
    document_verified_at: Mapped[datetime | None]
    document_verified_by: Mapped[str | None]
    document_verified_role: Mapped[str | None]
    late_withdrawal: Mapped[str | None]
    overdue_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(sa.BigInteger, server_default="1")
    changed_at: Mapped[datetime]


class ReferralEvent(db.Base):
    """Something that happened to a referral; only added to. `told`: it changed what a partner may be told of it. `was`:
    what an amendment replaced, but for ways of reaching somebody who is not to be contacted any more. `number` tells
    which of two came later where both happened within a second."""

    __tablename__ = "referral_events"
    __table_args__ = (
        one_of("act", vocabulary.REFERRAL_ACTS),
        one_of("actor_kind", vocabulary.REFERRAL_ACTORS),
        one_of("state", vocabulary.REFERRAL_STATES),
        one_of("sub_status", vocabulary.REFERRAL_SUB_STATUSES),
        sa.Index("ix_referral_events_referral_id_at", "referral_id", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    number: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity())
    referral_id: Mapped[UUID] = mapped_column(sa.ForeignKey("referrals.id", ondelete="CASCADE"))
    at: Mapped[datetime]
    act: Mapped[str]
    actor_kind: Mapped[str]
    actor: Mapped[str | None]
    actor_role: Mapped[str | None]
    state: Mapped[str | None]
    sub_status: Mapped[str | None]
    reason: Mapped[str | None]
    reason_told: Mapped[bool] = mapped_column(server_default=sa.false())
    told: Mapped[bool] = mapped_column(server_default=sa.false())
    was: Mapped[dict[str, Any] | None] = mapped_column(JSONB)

"""Where messages go: devices, numbers with consent, mail addresses; and the texts that went out and came in."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from api import db, vocabulary


def one_of(column: str, words: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


class Device(db.Base):
    """Where a patient is pushed to: `target` is a provider's token, or a browser's subscription as JSON; `target_hash`
    is what makes it the same one, and is nobody else's at the same time.

    `last_seen_at` is when the app last said that it is this one, `registered_at` when this patient's app first did.
    """

    __tablename__ = "devices"
    __table_args__ = (
        sa.UniqueConstraint("provider", "target_hash"),
        sa.Index("ix_devices_patient_id_last_seen_at", "patient_id", "last_seen_at"),
        sa.CheckConstraint("provider IN ('apns', 'fcm', 'web_push')", name="provider"),
        sa.CheckConstraint("environment IN ('production', 'sandbox')", name="environment"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"))
    app_session_id: Mapped[UUID | None] = mapped_column(
        sa.ForeignKey("app_sessions.id", ondelete="SET NULL"), index=True
    )
    provider: Mapped[str]
    environment: Mapped[str]
    target: Mapped[str]
    target_hash: Mapped[bytes]
    language: Mapped[str | None]
    registered_at: Mapped[datetime] = mapped_column(server_default=sa.func.now())
    last_seen_at: Mapped[datetime] = mapped_column(server_default=sa.func.now(), index=True)


class TextNumber(db.Base):
    """The number that a patient's texts go to. It is on while it is confirmed and a consent to texts stands.

    Another number is another row. Two patients may share one number, as households do.
    """

    __tablename__ = "text_numbers"
    channel: ClassVar = "sms"
    __table_args__ = (
        one_of("set_by", vocabulary.CONTACT_SETTERS),
        one_of("off_reason", vocabulary.CONTACT_OFF_REASONS),
        sa.CheckConstraint("consent_id IS NULL OR off_reason IS NULL", name="on_or_off"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), unique=True)
    number: Mapped[str]
    number_index: Mapped[bytes] = mapped_column(index=True)
    set_by: Mapped[str]
    set_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    consent_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("text_consents.id"))
    off_reason: Mapped[str | None]
    version: Mapped[int] = mapped_column(sa.BigInteger)

    @property
    def why_off(self) -> str | None:
        """One of `vocabulary.CONTACT_WHY_OFF`; None while texts may go there."""
        if self.off_reason:
            return self.off_reason
        if self.confirmed_at is None:
            return "not_confirmed"
        return None if self.consent_id else "no_consent"


class TextConsent(db.Base):
    """Prior express consent to texts (47 CFR 64.1200(a)(9)(iv), (f)(9)): when, to which number, and to which words,
    by their id and SHA-256. Kept for good: what ended is the proof of what stood."""

    __tablename__ = "text_consents"
    __table_args__ = (
        one_of("given_by", vocabulary.CONSENT_GIVEN_BY),
        one_of("end_reason", vocabulary.CONSENT_END_REASONS),
        sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), index=True)
    number: Mapped[str]
    text_id: Mapped[str]
    language: Mapped[str]
    text_hash: Mapped[bytes]
    given_by: Mapped[str]
    given_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None]


class MailAddress(db.Base):
    """Where a patient's e-mail goes. Who holds what `unsubscribe_hash` is the hash of may end it."""

    __tablename__ = "mail_addresses"
    channel: ClassVar = "email"
    __table_args__ = (
        one_of("set_by", vocabulary.CONTACT_SETTERS),
        one_of("off_reason", vocabulary.CONTACT_OFF_REASONS),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"), unique=True)
    address: Mapped[str]
    unsubscribe_hash: Mapped[bytes] = mapped_column(unique=True)
    set_by: Mapped[str]
    set_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    off_reason: Mapped[str | None]
    version: Mapped[int] = mapped_column(sa.BigInteger)

    @property
    def why_off(self) -> str | None:
        """One of `vocabulary.CONTACT_WHY_OFF`; None while mail may go there."""
        return self.off_reason or (None if self.confirmed_at else "not_confirmed")


class ContactCode(db.Base):
    """A code on its way to a number or a mail address, to be typed in by its reader. The digits follow from the id
    under a key that the database does not hold. It guards a secret, so the database's clock counts."""

    __tablename__ = "contact_codes"
    __table_args__ = (
        one_of("channel", ("sms", "email")),
        sa.Index("ix_contact_codes_patient_id_channel_created_at", "patient_id", "channel", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"))
    channel: Mapped[str]
    contact_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(server_default=sa.func.now(), index=True)
    expires_at: Mapped[datetime]
    wrong_tries: Mapped[int] = mapped_column(server_default="0")
    used_at: Mapped[datetime | None]


class TextSent(db.Base):
    """A text that was handed to the provider, or is about to be: what the caps count. `kind` is `ordinary` or `change`.
    `subject_id` and `starts_at` are the session that it speaks of and its time as the text says it; of several sessions
    there is the time alone."""

    __tablename__ = "texts_sent"
    __table_args__ = (
        one_of("kind", ("ordinary", "change")),
        # By the key first: texts in doubt are looked up by their keys alone.
        sa.UniqueConstraint("message_key", "patient_id"),
        sa.Index("ix_texts_sent_patient_id_sent_at", "patient_id", "sent_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"))
    message_key: Mapped[str]
    kind: Mapped[str]
    subject_id: Mapped[UUID | None]
    starts_at: Mapped[datetime | None]
    sent_at: Mapped[datetime] = mapped_column(index=True)


class InboundText(db.Base):
    """A text that came in: what kind it was and how it was answered, not what it said. `sid` is the provider's id."""

    __tablename__ = "inbound_texts"
    __table_args__ = (sa.Index("ix_inbound_texts_number_index_received_at", "number_index", "received_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    sid: Mapped[str] = mapped_column(unique=True)
    number_index: Mapped[bytes]
    kind: Mapped[str]
    answer: Mapped[str | None]
    language: Mapped[str | None]
    received_at: Mapped[datetime] = mapped_column(index=True)


class Delivery(db.Base):
    """One attempt to carry a message to one address, and what the carrier said of it, then and later by its own id of
    the message. `subject_id` is what the message was about: an entry of the reminders' ledger, or None. What was
    `not_carried` reached no carrier at all."""

    __tablename__ = "deliveries"
    __table_args__ = (
        sa.Index("ix_deliveries_patient_id_attempted_at", "patient_id", "attempted_at", "id"),
        sa.Index("ix_deliveries_subject_id", "subject_id"),
        sa.Index("ix_deliveries_attempted_at", "attempted_at"),
        sa.Index("ix_deliveries_provider_id", "provider_id", postgresql_where=sa.text("provider_id IS NOT NULL")),
        sa.CheckConstraint("channel IN ('push', 'sms', 'email')", name="channel"),
        sa.CheckConstraint(
            "verdict IN ('accepted', 'retry', 'refused', 'dead', 'misconfigured', 'not_carried')", name="verdict"
        ),
        sa.CheckConstraint("(verdict = 'not_carried') = (provider IS NULL)", name="carrier"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=db.uuid7)
    patient_id: Mapped[UUID] = mapped_column(sa.ForeignKey("patients.id"))
    subject_id: Mapped[UUID | None]
    channel: Mapped[str | None]
    provider: Mapped[str | None]
    address_id: Mapped[UUID | None]
    verdict: Mapped[str]
    reason: Mapped[str | None]
    provider_id: Mapped[str | None]
    attempted_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]


class EarlyReport(db.Base):
    """What a carrier reported of a message before it was written down that it took it."""

    __tablename__ = "early_reports"

    provider: Mapped[str] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    at: Mapped[datetime]

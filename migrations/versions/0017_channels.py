"""Phone numbers with consent, mail addresses, and what came in."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.security import protect

revision = "0017_channels"
down_revision = "0016_feeds"

INSTANT = sa.DateTime(timezone=True)
TABLES = ("inbound_texts", "texts_sent", "contact_codes", "mail_addresses", "text_numbers", "text_consents")
SET_BY = "set_by IN ('patient', 'clinic')"
OFF = "off_reason IN ('stopped', 'wrong_number', 'undeliverable')"
PRESENTED = "(SELECT decode(nullif(current_setting('app.presented', true), ''), 'hex'))"


def upgrade() -> None:
    numbers()
    mail()
    codes()
    texts()


def numbers() -> None:
    op.create_table(
        "text_consents",
        *owned(),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("text_id", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.LargeBinary(), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("given_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("end_reason", sa.Text()),
        sa.CheckConstraint("given_by IN ('app', 'text')", name="given_by"),
        sa.CheckConstraint(
            "end_reason IN ('replaced', 'removed', 'stopped', 'wrong_number', 'undeliverable')", name="end_reason"
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended"),
    )
    op.create_index(op.f("ix_text_consents_patient_id"), "text_consents", ["patient_id"])
    ends = "SELECT, UPDATE (ended_at, end_reason)"
    protect(op, "text_consents", patient=f"{ends}, INSERT", clinic=ends, worker=ends)
    op.create_table(
        "text_numbers",
        *owned(unique=True),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("number_index", sa.LargeBinary(), nullable=False, index=True),
        *set_and_confirmed(),
        sa.Column("consent_id", sa.Uuid(), sa.ForeignKey("text_consents.id")),
        sa.CheckConstraint("consent_id IS NULL OR off_reason IS NULL", name="on_or_off"),
    )
    protect(
        op, "text_numbers",
        patient="SELECT, INSERT, DELETE, UPDATE (confirmed_at, consent_id, off_reason, version)",
        clinic="SELECT, INSERT, DELETE", worker="SELECT, UPDATE (confirmed_at, consent_id, off_reason, version)",
    )  # fmt: skip
    held("text_numbers", "number_index", "SELECT")


def mail() -> None:
    op.create_table(
        "mail_addresses",
        *owned(unique=True),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("unsubscribe_hash", sa.LargeBinary(), nullable=False, unique=True),
        *set_and_confirmed(),
    )
    protect(
        op, "mail_addresses",
        patient="SELECT, INSERT, DELETE, UPDATE (confirmed_at, off_reason, version)",
        clinic="SELECT, INSERT, DELETE", worker="SELECT, UPDATE (confirmed_at, off_reason, version)",
    )  # fmt: skip
    held("mail_addresses", "unsubscribe_hash", "SELECT")


def codes() -> None:
    op.create_table(
        "contact_codes",
        *owned(),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", INSTANT, server_default=sa.func.now(), nullable=False, index=True),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("wrong_tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("used_at", INSTANT),
        sa.CheckConstraint("channel IN ('sms', 'email')", name="channel"),
    )
    newest = ["patient_id", "channel", "created_at"]
    op.create_index(op.f("ix_contact_codes_patient_id_channel_created_at"), "contact_codes", newest)
    protect(op, "contact_codes", patient="SELECT, INSERT, UPDATE (wrong_tries, used_at)", worker="SELECT, DELETE")


def texts() -> None:
    op.create_table(
        "texts_sent",
        *owned(),
        sa.Column("message_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid()),
        sa.Column("starts_at", INSTANT),
        sa.Column("sent_at", INSTANT, nullable=False, index=True),
        sa.CheckConstraint("kind IN ('ordinary', 'change')", name="kind"),
        sa.UniqueConstraint("message_key", "patient_id"),
    )
    op.create_index(op.f("ix_texts_sent_patient_id_sent_at"), "texts_sent", ["patient_id", "sent_at"])
    protect(op, "texts_sent", patient="SELECT", worker="SELECT, INSERT, DELETE")
    op.create_table(
        "inbound_texts",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("sid", sa.Text(), nullable=False, unique=True),
        sa.Column("number_index", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text()),
        sa.Column("language", sa.Text()),
        sa.Column("received_at", INSTANT, nullable=False, index=True),
    )
    op.create_index(op.f("ix_inbound_texts_number_index_received_at"), "inbound_texts", ["number_index", "received_at"])
    protect(op, "inbound_texts", worker="SELECT, DELETE")
    held("inbound_texts", "number_index", "SELECT, INSERT")


def owned(*, unique: bool = False) -> list[sa.Column[Any]]:
    patient = sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False, unique=unique or None)
    return [sa.Column("id", sa.Uuid(), primary_key=True), patient]


def set_and_confirmed() -> list[sa.Column[Any] | sa.CheckConstraint]:
    return [
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", INSTANT, nullable=False),
        sa.Column("confirmed_at", INSTANT),
        sa.Column("off_reason", sa.Text()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(SET_BY, name="set_by"),
        sa.CheckConstraint(OFF, name="off_reason"),
    ]


def held(table: str, column: str, rights: str) -> None:
    """Open `table` to who presents what stands in `column`."""
    same = f"{column} = {PRESENTED}"
    op.execute(f"CREATE POLICY holder ON {table} TO continuum_holder USING ({same}) WITH CHECK ({same})")
    op.execute(f"GRANT {rights} ON {table} TO continuum_holder")


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)

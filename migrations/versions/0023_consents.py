"""Consents, restrictions, and notices that were acknowledged.

What was signed is never changed: every role may write what became of a consent, and nothing else of it. A patient's
role cannot say that the clinic ended one or answered a request. The gate reads; partners reach none of it.
"""

import sqlalchemy as sa
from alembic import op

from migrations.security import protect

revision = "0023_consents"
down_revision = "0022_capacity"

INSTANT = sa.DateTime(timezone=True)
TEXTS = sa.ARRAY(sa.Text())
REVOKED = "revoked_at, revoked_how"
TAKEN = "revocation_taken_by, revocation_taken_role"
ENDED = "ended_at, ended_reason, ended_by, ended_role"
ANSWERED = "status, answered_at, answer, answered_by, answered_role, ended_at, ended_by, ended_role, end_reason"
CRIMINAL_JUSTICE = (
    "CASE terms WHEN 'usual' THEN matter IS NULL AND revocable = 'any_time' AND purpose <> 'criminal_justice'"
    " ELSE matter IS NOT NULL AND recipient_class IS NULL AND purpose = 'criminal_justice'"
    " AND categories <@ '{attendance,progress}' END"
)
# A patient signs in the app, and asks; that paper was signed or that the clinic answered is not theirs to say.
SIGNED = (
    "id, patient_id, patient_name, discloser, recipient_client_id, recipient_class, recipient_name, categories,"
    " purpose, terms, matter, revocable, revocable_at, expires_on_event, expires_at, form_version, language, text,"
    " text_hash, signer, signer_name, signed_how, signed_at, acr, app_session_id, created_at, version"
)
ASKED = "id, patient_id, recipient_client_id, recipient_name, categories, wish, asked_at, version"


def upgrade() -> None:
    _consents()
    _restrictions()
    _acknowledgements()


def downgrade() -> None:
    for table in ("notice_acknowledgements", "restrictions", "consents"):
        op.drop_table(table)


def _consents() -> None:
    op.create_table(
        "consents",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("patient_name", sa.Text(), nullable=False),
        sa.Column("discloser", sa.Text(), nullable=False),
        sa.Column("recipient_client_id", sa.Uuid(), sa.ForeignKey("api_clients.id")),
        sa.Column("recipient_class", sa.Text()),
        sa.Column("recipient_name", sa.Text(), nullable=False),
        sa.Column("categories", TEXTS, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("matter", sa.Text()),
        sa.Column("revocable", sa.Text(), nullable=False),
        sa.Column("revocable_at", INSTANT),
        sa.Column("expires_on_event", sa.Text()),
        sa.Column("expires_at", INSTANT),
        sa.Column("form_version", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.LargeBinary(), nullable=False),
        sa.Column("signer", sa.Text(), nullable=False),
        sa.Column("signer_name", sa.Text(), nullable=False),
        sa.Column("signed_how", sa.Text(), nullable=False),
        sa.Column("signed_at", INSTANT, nullable=False),
        sa.Column("acr", sa.Text()),
        sa.Column("app_session_id", sa.Uuid()),
        sa.Column("document_hash", sa.LargeBinary()),
        sa.Column("recorded_by", sa.Text()),
        sa.Column("recorded_role", sa.Text()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT),
        sa.Column("revoked_how", sa.Text()),
        sa.Column("revocation_taken_by", sa.Text()),
        sa.Column("revocation_taken_role", sa.Text()),
        sa.Column("ended_at", INSTANT),
        sa.Column("ended_reason", sa.Text()),
        sa.Column("ended_by", sa.Text()),
        sa.Column("ended_role", sa.Text()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("terms IN ('usual', 'criminal_justice')", name="terms"),
        sa.CheckConstraint("purpose IN ('treatment', 'patient_request', 'criminal_justice')", name="purpose"),
        sa.CheckConstraint("recipient_class IN ('treating_providers')", name="recipient_class"),
        sa.CheckConstraint("expires_on_event IN ('end_of_treatment', 'final_disposition')", name="expires_on_event"),
        sa.CheckConstraint("revocable IN ('any_time', 'from_date', 'from_final_disposition')", name="revocable"),
        sa.CheckConstraint("signed_how IN ('app', 'paper')", name="signed_how"),
        sa.CheckConstraint("signer IN ('patient', 'authorized_person')", name="signer"),
        sa.CheckConstraint("revoked_how IN ('app', 'writing', 'phone', 'in_person')", name="revoked_how"),
        sa.CheckConstraint("ended_reason IN ('event_came_about', 'deficient')", name="ended_reason"),
        sa.CheckConstraint("num_nonnulls(recipient_client_id, recipient_class) = 1", name="recipient"),
        sa.CheckConstraint("cardinality(categories) > 0", name="categories"),
        sa.CheckConstraint("num_nonnulls(expires_at, expires_on_event) > 0", name="expires"),
        sa.CheckConstraint("(revocable = 'from_date') = (revocable_at IS NOT NULL)", name="revocable_at"),
        sa.CheckConstraint("(signed_how = 'paper') = (document_hash IS NOT NULL)", name="paper"),
        sa.CheckConstraint("(revoked_at IS NULL) = (revoked_how IS NULL)", name="revoked"),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_reason IS NULL)", name="ended"),
        sa.CheckConstraint(CRIMINAL_JUSTICE, name="criminal_justice"),
    )
    op.create_index("ix_consents_patient_id_id", "consents", ["patient_id", "id"])
    protect(
        op, "consents", patient=f"SELECT, INSERT ({SIGNED}), UPDATE ({REVOKED}, version)",
        clinic=f"SELECT, INSERT, UPDATE ({REVOKED}, {TAKEN}, {ENDED}, version)", gate="SELECT",
    )  # fmt: skip


def _restrictions() -> None:
    op.create_table(
        "restrictions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("recipient_client_id", sa.Uuid(), sa.ForeignKey("api_clients.id")),
        sa.Column("recipient_name", sa.Text()),
        sa.Column("categories", TEXTS),
        sa.Column("wish", sa.Text()),
        sa.Column("status", sa.Text(), server_default="requested", nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT),
        sa.Column("answer", sa.Text()),
        sa.Column("answered_by", sa.Text()),
        sa.Column("answered_role", sa.Text()),
        sa.Column("ended_at", INSTANT),
        sa.Column("ended_by", sa.Text()),
        sa.Column("ended_role", sa.Text()),
        sa.Column("end_reason", sa.Text()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status IN ('requested', 'agreed', 'declined', 'ended')", name="status"),
        sa.CheckConstraint("cardinality(categories) > 0", name="categories"),
        sa.CheckConstraint("(answered_at IS NULL) = (answered_by IS NULL)", name="answered"),
        sa.CheckConstraint("(status = 'ended') = (ended_at IS NOT NULL)", name="ended"),
    )
    op.create_index("ix_restrictions_patient_id_id", "restrictions", ["patient_id", "id"])
    op.create_index(
        "ix_restrictions_requested", "restrictions", ["id"], postgresql_where=sa.text("status = 'requested'")
    )
    protect(
        op, "restrictions", patient=f"SELECT, INSERT ({ASKED})", clinic=f"SELECT, INSERT, UPDATE ({ANSWERED}, version)",
        gate="SELECT",
    )  # fmt: skip


def _acknowledgements() -> None:
    op.create_table(
        "notice_acknowledgements",
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), primary_key=True),
        sa.Column("notice_version", sa.Text(), primary_key=True),
        sa.Column("acknowledged_at", INSTANT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
    )
    protect(op, "notice_acknowledgements", patient="SELECT, INSERT", clinic="SELECT")

"""Patients and their versions."""

import sqlalchemy as sa
from alembic import op

from migrations.security import OWN_PATIENT, protect

revision = "0003_patients"
down_revision = "0002_programs"


def upgrade() -> None:
    op.create_table(
        "patients",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("external_id", sa.Text(), nullable=False, unique=True),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("preferred_name", sa.Text()),
        sa.Column("language", sa.Text()),
        sa.Column("time_zone", sa.Text()),
        sa.Column("discreet_label", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("preferences_version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.CheckConstraint("status IN ('active', 'suspended', 'deceased', 'merged')", name="status"),
    )
    # The record system alone makes patients, so its id is unique across rows no other caller can see or add.
    protect(
        op, "patients", own=f"id = {OWN_PATIENT}",
        patient="SELECT, UPDATE (language, time_zone, discreet_label, preferences_version, version)",
        clinic="SELECT, INSERT, UPDATE", worker="SELECT",
    )  # fmt: skip
    op.create_table(
        "patient_versions",
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), primary_key=True),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
    )
    protect(op, "patient_versions", patient="SELECT, UPDATE", clinic="SELECT, INSERT, UPDATE", worker="SELECT, UPDATE")


def downgrade() -> None:
    op.drop_table("patient_versions")
    op.drop_table("patients")

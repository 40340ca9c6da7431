"""App sessions and API clients."""

import sqlalchemy as sa
from alembic import op

from migrations.security import OWN_CLIENT, protect

revision = "0004_access"
down_revision = "0003_patients"


def upgrade() -> None:
    op.create_table(
        "app_sessions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False, index=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("end_reason", sa.Text()),
    )
    ending = "UPDATE (ended_at, end_reason)"
    protect(
        op, "app_sessions",
        patient=f"SELECT, INSERT (id, patient_id, expires_at), {ending}", clinic=f"SELECT, {ending}",
        worker=f"SELECT, {ending}",
    )  # fmt: skip
    op.create_table(
        "api_clients",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False, unique=True),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.CheckConstraint("kind IN ('partner', 'clinic')", name="kind"),
        sa.CheckConstraint("status IN ('active', 'suspended')", name="status"),
    )
    protect(
        op, "api_clients", clinic="SELECT, INSERT, UPDATE", partner="SELECT", partner_own=f"id = {OWN_CLIENT}",
        worker="SELECT",
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("api_clients")
    op.drop_table("app_sessions")

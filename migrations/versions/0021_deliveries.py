"""Every attempt to deliver, and what the provider said; how often a carrier asked to come back.

Workers write what they tried, and find it again by the carrier's own id when it reports. Patients read in the ledger
what came of it; the clinic sees what did not arrive, without the words.
"""

import sqlalchemy as sa
from alembic import op

from migrations.security import protect

revision = "0021_deliveries"
down_revision = "0020_devices"

INSTANT = sa.DateTime(timezone=True)
VERDICTS = "'accepted', 'retry', 'refused', 'dead', 'misconfigured'"


def upgrade() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("subject_id", sa.Uuid()),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("address_id", sa.Uuid(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("provider_id", sa.Text()),
        sa.Column("attempted_at", INSTANT, nullable=False),
        sa.Column("delivered_at", INSTANT),
        sa.Column("failed_at", INSTANT),
        sa.CheckConstraint("channel IN ('push', 'sms', 'email')", name="channel"),
        sa.CheckConstraint(f"verdict IN ({VERDICTS})", name="verdict"),
    )
    op.create_index("ix_deliveries_patient_id_attempted_at", "deliveries", ["patient_id", "attempted_at", "id"])
    op.create_index("ix_deliveries_subject_id", "deliveries", ["subject_id"])
    op.create_index("ix_deliveries_attempted_at", "deliveries", ["attempted_at"])
    op.create_index(
        "ix_deliveries_provider_id", "deliveries", ["provider_id"], postgresql_where=sa.text("provider_id IS NOT NULL")
    )
    protect(op, "deliveries", clinic="SELECT", worker="SELECT, INSERT, UPDATE, DELETE")
    op.add_column("reminders", sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("reminders", "tries")
    op.drop_table("deliveries")

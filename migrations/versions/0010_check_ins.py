"""Check-ins, and what the clinic sets about them; the cadences are the house's until the clinic changes them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.security import grant, protect

revision = "0010_check_ins"
down_revision = "0009_reminders"

INSTANT = sa.DateTime(timezone=True)

DEFAULTS = """
INSERT INTO check_in_schedules
    (program_slug, instrument, every_days, opens_local, overdue_after_hours, closes_after_hours)
VALUES
    ('iop', 'daily', 1, '05:00', 16, 24),
    ('iop', 'phq-9', 14, '05:00', 72, 168),
    ('op', 'daily', 1, '05:00', 16, 24),
    ('op', 'phq-9', 28, '05:00', 120, 336)
"""


def upgrade() -> None:
    _check_ins()
    _switches()
    _settings()


def downgrade() -> None:
    for table in ("instrument_settings", "check_in_schedules", "check_in_switches", "check_ins"):
        op.drop_table(table)


def _check_ins() -> None:
    op.create_table(
        "check_ins",
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("instrument_version", sa.Text(), nullable=False),
        sa.Column("answers", JSONB(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("total", sa.Integer()),
        sa.Column("safety", sa.Boolean(), nullable=False),
        sa.Column("flags", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("told_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("reviewed_at", INSTANT),
        sa.Column("reviewed_by", sa.Text()),
        sa.Column("reviewed_role", sa.Text()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("patient_id", "id"),
        sa.CheckConstraint("(reviewed_at IS NULL) = (reviewed_by IS NULL)", name="reviewed"),
    )
    op.create_index("ix_check_ins_patient_id_occurred_at", "check_ins", ["patient_id", "occurred_at"])
    protect(
        op, "check_ins", patient="SELECT, INSERT", worker="SELECT",
        clinic="SELECT, UPDATE (reviewed_at, reviewed_by, reviewed_role, version)",
    )  # fmt: skip


def _switches() -> None:
    op.create_table(
        "check_in_switches",
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("offered", sa.Boolean(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_role", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("patient_id", "instrument"),
    )
    protect(op, "check_in_switches", patient="SELECT", clinic="SELECT, INSERT, UPDATE", worker="SELECT")


def _settings() -> None:
    op.create_table(
        "check_in_schedules",
        sa.Column("program_slug", sa.Text(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("every_days", sa.Integer(), nullable=False),
        sa.Column("opens_local", sa.Time(), nullable=False),
        sa.Column("overdue_after_hours", sa.Integer(), nullable=False),
        sa.Column("closes_after_hours", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("program_slug", "instrument"),
        sa.CheckConstraint("every_days BETWEEN 1 AND 366", name="every_days"),
        sa.CheckConstraint(
            "0 < overdue_after_hours AND overdue_after_hours <= closes_after_hours"
            " AND closes_after_hours <= 24 * every_days",
            name="hours",
        ),
    )
    op.create_table(
        "instrument_settings",
        sa.Column("instrument", sa.Text(), primary_key=True),
        sa.Column("task_over_total", sa.Integer()),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
    )
    grant(op, "check_in_schedules", patient="SELECT", clinic="SELECT, INSERT, UPDATE, DELETE", worker="SELECT")
    grant(op, "instrument_settings", patient="SELECT", clinic="SELECT, INSERT, UPDATE", worker="SELECT")
    # What is due changes with the schedules, and answers say so by the catalogue's version.
    op.execute(
        "CREATE TRIGGER raise_catalogue_version AFTER INSERT OR UPDATE OR DELETE ON check_in_schedules "
        "FOR EACH STATEMENT EXECUTE FUNCTION raise_catalogue_version()"
    )
    op.execute(DEFAULTS)

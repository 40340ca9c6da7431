"""Series that split, closures that cancel, and the capacity of a group."""

import sqlalchemy as sa
from alembic import op

revision = "0014_series"
down_revision = "0013_phones"

TABLES = ("session_series", "care_sessions")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("join_url", sa.Text()))
        op.create_check_constraint("join_url", table, "join_url LIKE 'https://%'")
    op.add_column("session_series", sa.Column("capacity", sa.Integer()))
    op.create_check_constraint("capacity", "session_series", "capacity BETWEEN 1 AND 1000")
    op.add_column("session_series", sa.Column("split_from_id", sa.Uuid(), sa.ForeignKey("session_series.id")))
    op.create_index("ix_session_series_split_from_id", "session_series", ["split_from_id"])
    # No foreign key: a closure that is lifted goes, and what it cancelled and had begun stays cancelled by it.
    op.add_column("care_sessions", sa.Column("cancelled_by", sa.Uuid()))
    op.create_check_constraint("cancelled_by", "care_sessions", "cancelled_by IS NULL OR status = 'cancelled'")
    op.create_index("ix_care_sessions_cancelled_by", "care_sessions", ["cancelled_by"])
    op.create_index("ix_care_sessions_location_id_starts_at", "care_sessions", ["location_id", "starts_at"])


def downgrade() -> None:
    op.drop_index("ix_care_sessions_location_id_starts_at", "care_sessions")
    for table, columns in (
        ("care_sessions", ("cancelled_by", "join_url")),
        ("session_series", ("split_from_id", "capacity", "join_url")),
    ):
        for column in columns:
            op.drop_column(table, column)

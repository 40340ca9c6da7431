"""Series that split, closures that cancel, and the capacity of a group. Sessions have grown: nobody waits for their
indexes, nor while what they are is looked through."""

import sqlalchemy as sa
from alembic import op

revision = "0014_series"
down_revision = "0013_phones"

TABLES = ("session_series", "care_sessions")
CHECKS = (
    ("join_url", "session_series", "join_url LIKE 'https://%'"),
    ("join_url", "care_sessions", "join_url LIKE 'https://%'"),
    ("capacity", "session_series", "capacity BETWEEN 1 AND 1000"),
    ("cancelled_by", "care_sessions", "cancelled_by IS NULL OR status = 'cancelled'"),
)
INDEXES = (
    ("ix_care_sessions_cancelled_by", ["cancelled_by"]),
    ("ix_care_sessions_location_id_starts_at", ["location_id", "starts_at"]),
)


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("join_url", sa.Text()))
    op.add_column("session_series", sa.Column("capacity", sa.Integer()))
    op.add_column("session_series", sa.Column("split_from_id", sa.Uuid(), sa.ForeignKey("session_series.id")))
    op.create_index("ix_session_series_split_from_id", "session_series", ["split_from_id"])
    # No foreign key: a closure that is lifted goes, and what it cancelled and had begun stays cancelled by it.
    op.add_column("care_sessions", sa.Column("cancelled_by", sa.Uuid()))
    for name, table, check in CHECKS:
        op.create_check_constraint(name, table, check, postgresql_not_valid=True)
    with op.get_context().autocommit_block():
        for name, table, _ in CHECKS:
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_{name}")
        for index, columns in INDEXES:
            op.create_index(index, "care_sessions", columns, postgresql_concurrently=True)


def downgrade() -> None:
    op.drop_index("ix_care_sessions_location_id_starts_at", "care_sessions")
    for table, columns in (
        ("care_sessions", ("cancelled_by", "join_url")),
        ("session_series", ("split_from_id", "capacity", "join_url")),
    ):
        for column in columns:
            op.drop_column(table, column)

"""Series that split, closures that cancel, and the capacity of a group."""

revision = "0014_series"
down_revision = "0013_phones"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

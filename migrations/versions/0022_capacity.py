"""To be filled."""

revision = "0022_capacity"
down_revision = "0021_deliveries"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

"""Push addresses and receipts."""

revision = "0020_devices"
down_revision = "0019_changes"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

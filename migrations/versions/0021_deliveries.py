"""Every attempt to deliver, and what the provider said."""

revision = "0021_deliveries"
down_revision = "0020_devices"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

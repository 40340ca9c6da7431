"""Reminders of check-ins, digests, and what an app may show by itself."""

revision = "0018_reminders"
down_revision = "0017_channels"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

"""To be filled."""

revision = "0026_referrals"
down_revision = "0025_webhooks"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

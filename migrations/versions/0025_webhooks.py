"""To be filled."""

revision = "0025_webhooks"
down_revision = "0024_disclosures"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

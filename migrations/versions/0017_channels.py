"""Phone numbers with consent, mail addresses, and what came in."""

revision = "0017_channels"
down_revision = "0016_feeds"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

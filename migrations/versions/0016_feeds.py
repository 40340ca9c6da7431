"""Private calendar feeds."""

revision = "0016_feeds"
down_revision = "0015_attending"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

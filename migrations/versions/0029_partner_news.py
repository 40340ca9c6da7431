"""An endpoint that was turned off is a cause of tasks."""

revision = "0029_partner_news"
down_revision = "0028_revocations"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

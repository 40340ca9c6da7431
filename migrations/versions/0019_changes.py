"""What the delta sync needs to know of what is gone."""

revision = "0019_changes"
down_revision = "0018_reminders"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

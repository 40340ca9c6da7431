revision = "0009_reminders"
down_revision = "0008_sessions"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

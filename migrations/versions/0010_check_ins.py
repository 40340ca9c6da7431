revision = "0010_check_ins"
down_revision = "0009_reminders"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

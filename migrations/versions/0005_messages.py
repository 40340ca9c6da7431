revision = "0005_messages"
down_revision = "0004_access"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

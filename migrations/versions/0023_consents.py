"""To be filled."""

revision = "0023_consents"
down_revision = "0022_capacity"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

"""To be filled."""

revision = "0024_disclosures"
down_revision = "0023_consents"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

"""A revocation is final in the data, and a restriction asked for is a cause of tasks."""

revision = "0028_revocations"
down_revision = "0027_reports"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

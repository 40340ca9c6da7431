"""Requests to move, make-up sessions, room codes and arrivals by link."""

revision = "0015_attending"
down_revision = "0014_series"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

revision = "0008_sessions"
down_revision = "0007_enrollments"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

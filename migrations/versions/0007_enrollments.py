revision = "0007_enrollments"
down_revision = "0006_staff"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

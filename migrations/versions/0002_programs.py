revision = "0002_programs"
down_revision = "0001_frame"


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

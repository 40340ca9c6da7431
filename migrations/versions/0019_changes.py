"""From which version on the tokens of the delta sync are good.

What is gone stays as a row that says so (a released place, an enrollment entered in error), so nothing else has to be
kept of it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0019_changes"
down_revision = "0018_reminders"


def upgrade() -> None:
    op.add_column("patient_versions", sa.Column("afresh_from", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("patient_versions", "afresh_from")

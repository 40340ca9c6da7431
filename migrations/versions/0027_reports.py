"""What was never handed to a carrier stands beside what did not arrive; a report that comes before the record of its
delivery is kept until that is written.

Carriers call back on a connection of their own, at times before the worker has written down that they took a message.
"""

import sqlalchemy as sa
from alembic import op

from migrations.security import grant

revision = "0027_reports"
down_revision = "0026_referrals"

BEFORE = "'accepted', 'retry', 'refused', 'dead', 'misconfigured'"
OF_CARRIERS = ("channel", "provider", "address_id")


def upgrade() -> None:
    for column in OF_CARRIERS:
        op.alter_column("deliveries", column, nullable=True)
    _verdicts(f"{BEFORE}, 'not_carried'")
    op.create_check_constraint("carrier", "deliveries", "(verdict = 'not_carried') = (provider IS NULL)")
    op.create_table(
        "early_reports",
        sa.Column("provider", sa.Text(), primary_key=True),
        sa.Column("provider_id", sa.Text(), primary_key=True),
        sa.Column("status", sa.Text(), primary_key=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    grant(op, "early_reports", worker="SELECT, INSERT, DELETE")


def downgrade() -> None:
    op.drop_table("early_reports")
    op.drop_constraint("ck_deliveries_carrier", "deliveries")
    op.execute("DELETE FROM deliveries WHERE verdict = 'not_carried'")
    _verdicts(BEFORE)
    for column in OF_CARRIERS:
        op.alter_column("deliveries", column, nullable=False)


def _verdicts(words: str) -> None:
    op.drop_constraint("ck_deliveries_verdict", "deliveries")
    op.create_check_constraint("verdict", "deliveries", f"verdict IN ({words})")

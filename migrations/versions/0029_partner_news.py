"""A partner has a contact that can be told when its endpoint is turned off, and the purge waits for no partner.

PostgreSQL lets nobody lock a row who may change nothing of it. The worker locks the referrals that it is about to
erase, past those that somebody is at, so it may write one column that says nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029_partner_news"
down_revision = "0028_revocations"


def upgrade() -> None:
    op.add_column("api_clients", sa.Column("contact_email", sa.Text()))
    op.execute("GRANT UPDATE (looks_like) ON referrals TO continuum_worker")


def downgrade() -> None:
    op.execute("REVOKE UPDATE (looks_like) ON referrals FROM continuum_worker")
    op.drop_column("api_clients", "contact_email")

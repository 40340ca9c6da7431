"""A partner has a contact that can be told when its endpoint is turned off."""

import sqlalchemy as sa
from alembic import op

revision = "0029_partner_news"
down_revision = "0028_revocations"


def upgrade() -> None:
    op.add_column("api_clients", sa.Column("contact_email", sa.Text()))


def downgrade() -> None:
    op.drop_column("api_clients", "contact_email")

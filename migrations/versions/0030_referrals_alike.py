"""A sender's referrals of one identifier, and of one name, are found in the order in which they were sent.

What a new referral resembles is asked with each: the ten oldest, however many there are.
"""

from alembic import op

revision = "0030_referrals_alike"
down_revision = "0029_partner_news"

COMPARED = ("own_identifier", "name_key")


def upgrade() -> None:
    for column in COMPARED:
        op.drop_index(f"ix_referrals_client_id_{column}", "referrals")
        op.create_index(f"ix_referrals_{column}", "referrals", ["client_id", column, "created_at", "id"])


def downgrade() -> None:
    for column in COMPARED:
        op.drop_index(f"ix_referrals_{column}", "referrals")
        op.create_index(f"ix_referrals_client_id_{column}", "referrals", ["client_id", column])

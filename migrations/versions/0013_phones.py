"""One open app session a phone, and an end to those long over. The table has grown: nobody waits for its indexes."""

import sqlalchemy as sa
from alembic import op

revision = "0013_phones"
down_revision = "0012_sign_in"

PHONE, ENDS = "uq_app_sessions_patient_id_key_thumbprint", "ix_app_sessions_expires_at"


def upgrade() -> None:
    op.execute("GRANT DELETE ON app_sessions TO continuum_worker")
    with op.get_context().autocommit_block():
        op.create_index(
            PHONE,
            "app_sessions",
            ["patient_id", "key_thumbprint"],
            unique=True,
            postgresql_where=sa.text("ended_at IS NULL AND key_thumbprint IS NOT NULL"),
            postgresql_concurrently=True,
        )
        op.create_index(ENDS, "app_sessions", ["expires_at"], postgresql_concurrently=True)


def downgrade() -> None:
    op.drop_index(ENDS, "app_sessions")
    op.drop_index(PHONE, "app_sessions")
    op.execute("REVOKE DELETE ON app_sessions FROM continuum_worker")

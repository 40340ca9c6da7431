"""The frame: audit and its chain, and the records of POSTs that were done."""

import sqlalchemy as sa
from alembic import op

from migrations.security import OWN_CLIENT, OWN_PATIENT, protect

revision = "0001_frame"
down_revision = None


def upgrade() -> None:
    # The API asks whether the database stands where its code does.
    op.execute("GRANT SELECT ON alembic_version TO continuum_app")
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("caller_kind", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Uuid()),
        sa.Column("app_session_id", sa.Uuid()),
        sa.Column("acting_user", sa.Text()),
        sa.Column("acting_role", sa.Text()),
        sa.Column("patient_id", sa.Uuid()),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Uuid()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text()),
        sa.Column("request_id", sa.Text()),
    )
    op.create_index("ix_audit_events_recorded_at_id", "audit_events", ["recorded_at", "id"])
    op.create_index("ix_audit_events_patient_id_recorded_at", "audit_events", ["patient_id", "recorded_at"])
    protect(
        op, "audit_events", patient="INSERT", clinic="SELECT, INSERT", worker="SELECT, INSERT", partner="INSERT",
        partner_own=f"client_id = {OWN_CLIENT}",
    )  # fmt: skip
    op.create_table(
        "audit_seals",
        sa.Column("position", sa.BigInteger(), primary_key=True, autoincrement=False),
        sa.Column("event_id", sa.Uuid(), nullable=False, unique=True),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
    )
    op.execute("GRANT SELECT, INSERT ON audit_seals TO continuum_worker")
    op.execute("GRANT SELECT ON audit_seals TO continuum_clinic")
    for table in ("audit_events", "audit_seals"):
        _only_grows(table)
    op.create_table(
        "idempotency_records",
        sa.Column("principal", sa.Uuid(), primary_key=True),
        sa.Column("key_hash", sa.LargeBinary(), primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("resource_id", sa.Uuid()),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    op.create_index("ix_idempotency_records_created_at", "idempotency_records", ["created_at"])
    protect(
        op, "idempotency_records", own=f"principal = {OWN_PATIENT}", patient="SELECT, INSERT", clinic="SELECT, INSERT",
        partner="SELECT, INSERT", partner_own=f"principal = {OWN_CLIENT}", worker="SELECT, DELETE",
    )  # fmt: skip


def downgrade() -> None:
    for table in ("idempotency_records", "audit_seals", "audit_events"):
        op.drop_table(table)
    op.execute("DROP FUNCTION refuse_change()")
    op.execute("REVOKE SELECT ON alembic_version FROM continuum_app")


def _only_grows(table: str) -> None:
    """Nobody changes or deletes a row, the owner included (45 CFR 164.312(c)(1))."""
    op.execute(
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'this table only grows'; END $$"
    )
    for when, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER only_grows_{each.lower()} BEFORE {when} ON {table} "
            f"FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        )

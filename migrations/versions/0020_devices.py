"""Push addresses and receipts.

A push token belongs to one phone, and so to whoever signed in there last. Patients therefore add no rows themselves:
a function of the owner moves the row of a token to the patient who asks, under a new id, and tells nobody whether it
was somebody's. A phone that signs out is not written to any more, in the same transaction, whoever ends its sign-in.
"""

import sqlalchemy as sa
from alembic import op

from migrations.security import OWN_PATIENT, protect

revision = "0020_devices"
down_revision = "0019_changes"

INSTANT = sa.DateTime(timezone=True)
# The app session is locked, so that one which is being ended meanwhile is waited for, or waits and finds the row.
# A phone has one token of a provider at a time: a new one takes the place of the one before.
REGISTER = f"""
CREATE FUNCTION register_device(
    new_id uuid, its_session uuid, its_provider text, its_environment text, its_target text, its_hash bytea,
    its_language text, most integer
) RETURNS TABLE (device_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    mine uuid := {OWN_PATIENT};
BEGIN
    PERFORM FROM app_sessions AS s
    WHERE s.id = its_session AND s.patient_id = mine AND s.ended_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    DELETE FROM devices AS d
    WHERE d.app_session_id = its_session AND d.provider = its_provider AND d.target_hash <> its_hash;
    INSERT INTO devices AS known (id, patient_id, app_session_id, provider, environment, target, target_hash, language)
    VALUES (new_id, mine, its_session, its_provider, its_environment, its_target, its_hash, its_language)
    ON CONFLICT ON CONSTRAINT uq_devices_provider_target_hash DO UPDATE SET
        id = CASE WHEN known.patient_id = mine THEN known.id ELSE new_id END,
        registered_at = CASE WHEN known.patient_id = mine THEN known.registered_at ELSE now() END,
        patient_id = mine, app_session_id = its_session, environment = its_environment, target = its_target,
        language = its_language, last_seen_at = now()
    RETURNING known.id INTO device_id;
    DELETE FROM devices AS d WHERE d.id IN (
        SELECT o.id FROM devices AS o WHERE o.patient_id = mine AND o.id <> device_id
        ORDER BY o.last_seen_at DESC, o.id DESC OFFSET most - 1
    );
    RETURN NEXT;
END $$
"""
FORGET_SIGNED_OUT = """
CREATE FUNCTION forget_devices_signed_out() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM devices WHERE app_session_id = NEW.id;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    _devices()
    _receipts()


def downgrade() -> None:
    op.drop_table("reminder_receipts")
    op.execute("DROP TRIGGER forget_devices_signed_out ON app_sessions")
    op.execute("DROP FUNCTION forget_devices_signed_out")
    op.execute("DROP FUNCTION register_device")
    op.drop_table("devices")


def _devices() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        # An app session that ran out is forgotten long before its phone is: what was not ended may still be written to.
        sa.Column("app_session_id", sa.Uuid(), sa.ForeignKey("app_sessions.id", ondelete="SET NULL"), index=True),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("target_hash", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text()),
        sa.Column("registered_at", INSTANT, server_default=sa.func.now(), nullable=False),
        sa.Column("last_seen_at", INSTANT, server_default=sa.func.now(), nullable=False, index=True),
        sa.UniqueConstraint("provider", "target_hash"),
        sa.CheckConstraint("provider IN ('apns', 'fcm', 'web_push')", name="provider"),
        sa.CheckConstraint("environment IN ('production', 'sandbox')", name="environment"),
    )
    op.create_index("ix_devices_patient_id_last_seen_at", "devices", ["patient_id", "last_seen_at"])
    protect(op, "devices", patient="SELECT, DELETE", worker="SELECT, DELETE")
    op.execute(REGISTER)
    op.execute("REVOKE ALL ON FUNCTION register_device FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION register_device TO continuum_app")
    op.execute(FORGET_SIGNED_OUT)
    op.execute("REVOKE ALL ON FUNCTION forget_devices_signed_out FROM PUBLIC")
    op.execute(
        "CREATE TRIGGER forget_devices_signed_out AFTER UPDATE OF ended_at ON app_sessions FOR EACH ROW"
        " WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION forget_devices_signed_out()"
    )


def _receipts() -> None:
    op.create_table(
        "reminder_receipts",
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), primary_key=True),
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("reminder_id", sa.Uuid(), sa.ForeignKey("reminders.id"), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("reminder_id", "event"),
        sa.CheckConstraint("event IN ('delivered', 'opened', 'dismissed')", name="event"),
    )
    protect(op, "reminder_receipts", patient="SELECT, INSERT", clinic="SELECT", worker="SELECT, INSERT")

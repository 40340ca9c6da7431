"""Reminders: the ledger, its history, and what patients wish.

A patient's own transaction (a reply, a preference) rewrites that patient's plan, so the patient's role writes the
ledger, but never what the worker settles: that a thing was sent, and its lease. History is added by a trigger, in one
statement for however many rows were written, and is never changed.
"""

import sqlalchemy as sa
from alembic import op

from migrations.security import protect

revision = "0009_reminders"
down_revision = "0008_sessions"

INSTANT = sa.DateTime(timezone=True)
KEEP_HISTORY = """
CREATE FUNCTION keep_reminder_states() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO public.reminder_states (reminder_id, patient_id, at, state, reason, due_at, replaced_by)
        SELECT id, patient_id, changed_at, state, reason, due_at, replaced_by FROM written;
    ELSE
        INSERT INTO public.reminder_states (reminder_id, patient_id, at, state, reason, due_at, replaced_by)
        SELECT w.id, w.patient_id, w.changed_at, w.state, w.reason, w.due_at, w.replaced_by
        FROM written AS w JOIN before AS b ON b.id = w.id
        WHERE b.state <> w.state OR b.reason <> w.reason OR b.due_at <> w.due_at
           OR b.replaced_by IS DISTINCT FROM w.replaced_by;
    END IF;
    RETURN NULL;
END $$
"""
PLANS = "SELECT, INSERT, UPDATE (state, reason, due_at, expires_at, replaced_by, changed_at, version)"


def upgrade() -> None:
    _reminders()
    _states()
    _preferences()


def downgrade() -> None:
    op.drop_table("reminder_preferences")
    op.drop_table("reminder_states")
    op.drop_table("reminders")
    op.execute("DROP FUNCTION keep_reminder_states()")


def _reminders() -> None:
    op.create_table(
        "reminders",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("session_id", sa.Uuid(), sa.ForeignKey("care_sessions.id"), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("lead", sa.Text(), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("replaced_by", sa.Uuid(), sa.ForeignKey("reminders.id")),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT),
        sa.Column("text", sa.Text()),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease", sa.Uuid()),
        sa.Column("leased_until", INSTANT),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("patient_id", "session_id", "revision", "kind", "lead"),
        sa.CheckConstraint("state IN ('planned', 'held', 'sent', 'not_sent')", name="state"),
        sa.CheckConstraint("kind IN ('appointment', 'moved', 'cancelled', 'restored')", name="kind"),
        sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name="sent"),
        sa.CheckConstraint("(kind = 'appointment') = (lead <> '')", name="lead"),
    )
    op.create_index(
        "ix_reminders_due_at_id", "reminders", ["due_at", "id"], postgresql_where=sa.text("state = 'planned'")
    )
    op.create_index("ix_reminders_patient_id_due_at_id", "reminders", ["patient_id", "due_at", "id"])
    op.create_index(
        "ix_reminders_replaced_by", "reminders", ["replaced_by"], postgresql_where=sa.text("replaced_by IS NOT NULL")
    )
    protect(op, "reminders", patient=PLANS, clinic=PLANS, worker="SELECT, INSERT, UPDATE")


def _states() -> None:
    op.create_table(
        "reminder_states",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), primary_key=True),
        sa.Column("reminder_id", sa.Uuid(), sa.ForeignKey("reminders.id"), nullable=False),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("replaced_by", sa.Uuid()),
    )
    op.create_index("ix_reminder_states_reminder_id", "reminder_states", ["reminder_id"])
    op.create_index("ix_reminder_states_patient_id_at", "reminder_states", ["patient_id", "at"])
    protect(
        op, "reminder_states", patient="SELECT, INSERT", clinic="SELECT, INSERT", worker="SELECT, INSERT",
    )  # fmt: skip
    for when, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER only_grows_{each.lower()} BEFORE {when} ON reminder_states "
            f"FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        )
    op.execute(KEEP_HISTORY)
    op.execute(
        "CREATE TRIGGER keep_inserted AFTER INSERT ON reminders REFERENCING NEW TABLE AS written"
        " FOR EACH STATEMENT EXECUTE FUNCTION keep_reminder_states()"
    )
    op.execute(
        "CREATE TRIGGER keep_updated AFTER UPDATE ON reminders REFERENCING OLD TABLE AS before NEW TABLE AS written"
        " FOR EACH STATEMENT EXECUTE FUNCTION keep_reminder_states()"
    )


def _preferences() -> None:
    op.create_table(
        "reminder_preferences",
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), primary_key=True),
        sa.Column("channels", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("leads", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("first_leads", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("quiet_begin", sa.Time(), nullable=False),
        sa.Column("quiet_end", sa.Time(), nullable=False),
        sa.Column("paused_until", INSTANT),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("preferences_version", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
    )
    protect(
        op, "reminder_preferences", patient="SELECT, INSERT, UPDATE", clinic="SELECT", worker="SELECT",
    )  # fmt: skip

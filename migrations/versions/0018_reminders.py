"""Reminders of check-ins, one message for a day, silent changes, and what the patient chooses about them.

An entry is about a session, as before, or about one window of a check-in: the instrument and the patient's own day on
which it opens, which travel to another zone does not change. A check-in that comes in takes its reminder out of the
plan in the same call, since a plain one is kept in one statement that nobody hears. The channel `app` is called `push`
from here on.
"""

import importlib
from typing import Any

import sqlalchemy as sa
from alembic import op

from migrations.security import KINDS

revision = "0018_reminders"
down_revision = "0017_channels"

INSTANT = sa.DateTime(timezone=True)
PLANNED_TOO = "starts_at, time_zone, opens_at, silent"
CHECKS = {
    "subject": "subject IN ('session', 'check_in')",
    "session": "(subject = 'session') = (session_id IS NOT NULL)",
    "check_in": "(subject = 'check_in') = (instrument IS NOT NULL AND opens_on IS NOT NULL AND opens_at IS NOT NULL)",
    "channel": "channel IN ('push', 'sms', 'email')",
}
KINDS_BEFORE = "'appointment', 'moved', 'cancelled', 'restored'"

# What speaks for another entry is left to the worker, who plans anew: the other one must be said by itself then. What
# was said, or is being said, stays as it is.
ANSWERED = """
    IF added AND is_complete THEN
        UPDATE reminders SET state = 'held', reason = 'check_in_sent', replaced_by = NULL, changed_at = at,
            version = stamp
        WHERE id = ANY (ARRAY(
            SELECT r.id FROM reminders AS r
            WHERE r.patient_id = patient AND r.subject = 'check_in' AND r.instrument = instrument_key
              AND r.opens_at <= given_at AND given_at < r.starts_at
              AND r.state IN ('planned', 'held') AND r.lease IS NULL AND r.reason <> 'check_in_sent'
              AND NOT EXISTS (SELECT FROM reminders AS o WHERE o.replaced_by = r.id)
              AND NOT EXISTS (
                  SELECT FROM reminders AS s WHERE s.id = r.replaced_by AND (s.state = 'sent' OR s.lease IS NOT NULL))
        ));
    END IF;
"""
AFTER = "    added := FOUND;\n"
KEEP = importlib.import_module("migrations.versions.0010_check_ins").KEEP


def added() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("subject", sa.Text(), server_default="session", nullable=False),
        sa.Column("instrument", sa.Text()),
        sa.Column("opens_on", sa.Date()),
        sa.Column("opens_at", INSTANT),
        sa.Column("silent", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("channel", sa.Text()),
    )


def upgrade() -> None:
    _reminders()
    _preferences()
    _keep_check_in(KEEP.replace(AFTER, AFTER + ANSWERED))
    with op.get_context().autocommit_block():
        _beside_the_others()


def downgrade() -> None:
    _keep_check_in(KEEP)
    _preferences_before()
    _reminders_before()


def _reminders() -> None:
    for column in added():
        op.add_column("reminders", column)
    op.alter_column("reminders", "session_id", nullable=True)
    for name, condition in CHECKS.items():
        op.create_check_constraint(name, "reminders", condition, postgresql_not_valid=True)
    _allow_kinds(KINDS_BEFORE + ", 'check_in'")
    for kind in ("patient", "clinic"):
        op.execute(f"GRANT UPDATE ({PLANNED_TOO}) ON reminders TO {KINDS[kind]}")


def _reminders_before() -> None:
    """The history of what is taken away goes with it."""
    op.execute("ALTER TABLE reminder_states DISABLE TRIGGER only_grows_row")
    op.execute("DELETE FROM reminder_states USING reminders AS r WHERE r.id = reminder_id AND r.subject = 'check_in'")
    op.execute("ALTER TABLE reminder_states ENABLE TRIGGER only_grows_row")
    op.execute("DELETE FROM reminders WHERE subject = 'check_in'")
    op.drop_index("uq_reminders_check_in", "reminders")
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_reminders_{name}"), "reminders", type_="check")
    _allow_kinds(KINDS_BEFORE)
    op.execute("ALTER TABLE reminders VALIDATE CONSTRAINT ck_reminders_kind")
    op.alter_column("reminders", "session_id", nullable=False)
    for kind in ("patient", "clinic"):
        op.execute(f"REVOKE UPDATE (starts_at, time_zone) ON reminders FROM {KINDS[kind]}")
    for column in added():
        op.drop_column("reminders", column.name)


def _allow_kinds(kinds: str) -> None:
    op.drop_constraint(op.f("ck_reminders_kind"), "reminders", type_="check")
    op.create_check_constraint("kind", "reminders", f"kind IN ({kinds})", postgresql_not_valid=True)


def _beside_the_others() -> None:
    """The ledger has grown: nobody waits while it is looked through, nor for its index."""
    for name in (*CHECKS, "kind"):
        op.execute(f"ALTER TABLE reminders VALIDATE CONSTRAINT ck_reminders_{name}")
    op.create_index(
        "uq_reminders_check_in", "reminders", ["patient_id", "instrument", "opens_on"],
        unique=True, postgresql_where=sa.text("subject = 'check_in'"), postgresql_concurrently=True,
    )  # fmt: skip


def _preferences() -> None:
    op.add_column("reminder_preferences", sa.Column("digest", sa.Boolean(), server_default=sa.true(), nullable=False))
    op.add_column(
        "reminder_preferences",
        sa.Column(
            "kinds", sa.ARRAY(sa.Text()), server_default=sa.text("'{sessions,changes,check_ins}'"), nullable=False
        ),
    )
    op.execute("UPDATE reminder_preferences SET channels = array_replace(channels, 'app', 'push')")
    _assert_none("'app' = ANY (channels)")


def _preferences_before() -> None:
    """Whoever wanted any channel wanted to be reminded."""
    op.execute("UPDATE reminder_preferences SET channels = CASE channels WHEN '{}' THEN channels ELSE ARRAY['app'] END")
    _assert_none("channels NOT IN ('{}', '{app}')")
    op.drop_column("reminder_preferences", "kinds")
    op.drop_column("reminder_preferences", "digest")


def _assert_none(condition: str) -> None:
    """A policy that hides rows from the owner would leave them behind without a word."""
    left = op.get_bind().scalar(sa.text(f"SELECT count(*) FROM reminder_preferences WHERE {condition}"))
    if left:
        raise RuntimeError(f"{left} rows of reminder_preferences were not changed")


def _keep_check_in(function: str) -> None:
    op.execute(function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))

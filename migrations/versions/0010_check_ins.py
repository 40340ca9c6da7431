"""Check-ins, and what the clinic sets about them; the cadences are the house's until the clinic changes them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.security import grant, protect

revision = "0010_check_ins"
down_revision = "0009_reminders"

INSTANT = sa.DateTime(timezone=True)

DEFAULTS = """
INSERT INTO check_in_schedules
    (program_slug, instrument, every_days, opens_local, overdue_after_hours, closes_after_hours)
VALUES
    ('iop', 'daily', 1, '05:00', 16, 24),
    ('iop', 'phq-9', 14, '05:00', 72, 168),
    ('op', 'daily', 1, '05:00', 16, 24),
    ('op', 'phq-9', 28, '05:00', 120, 336)
"""

# The flags that only the database can know are added to those that the check-in brought. A window is computed as
# `api/checkins/windows.py` computes it; tests hold the two together.
KEEP = """
CREATE FUNCTION keep_check_in(
    patient uuid, stands boolean, client_id uuid, instrument_key text, version_number text, answered jsonb,
    is_complete boolean, sum_of_items integer, is_safety boolean, brought text[], given_at timestamptz,
    phone_told_at timestamptz, phone_sent_at timestamptz, at timestamptz, clinic_zone text
) RETURNS TABLE (added boolean, stamp bigint, flags json, language text, task_over_total integer)
LANGUAGE plpgsql AS $$
DECLARE
    held record;
    opens timestamp;
    passed numeric;
    found_flags text[] := brought;
BEGIN
    IF stands IS NOT TRUE THEN
        RETURN;
    END IF;
    UPDATE patient_versions SET version = version + 1 WHERE patient_id = patient RETURNING version INTO STRICT stamp;
    SELECT p.language, coalesce(p.time_zone, clinic_zone) AS zone, s.offered, i.task_over_total,
        e.starts_at, r.every_days, r.opens_local, r.closes_after_hours,
        EXISTS (
            SELECT FROM enrollments AS n WHERE n.patient_id = patient AND n.status <> 'entered_in_error'
              AND n.starts_at <= at AND (n.ended_at IS NULL OR n.ended_at > at)
        ) AS enrolled
    INTO STRICT held
    FROM patients AS p
    LEFT JOIN enrollments AS e ON e.patient_id = patient AND e.status <> 'entered_in_error'
        AND e.starts_at <= given_at AND (e.ended_at IS NULL OR e.ended_at > given_at)
    LEFT JOIN check_in_schedules AS r ON r.program_slug = e.program_slug AND r.instrument = instrument_key
    LEFT JOIN check_in_switches AS s ON s.patient_id = patient AND s.instrument = instrument_key
    LEFT JOIN instrument_settings AS i ON i.instrument = instrument_key
    WHERE p.id = patient;
    opens := (held.starts_at AT TIME ZONE held.zone)::date + held.opens_local;
    passed := extract(epoch FROM (given_at AT TIME ZONE held.zone) - opens);
    opens := opens + make_interval(days => floor(passed / (86400 * held.every_days))::int * held.every_days);
    IF (passed >= 0 AND given_at >= opens AT TIME ZONE held.zone
        AND given_at < (opens + make_interval(hours => held.closes_after_hours)) AT TIME ZONE held.zone) IS NOT TRUE
    THEN
        found_flags := found_flags || 'outside_window'::text;
    END IF;
    IF NOT held.enrolled THEN
        found_flags := found_flags || 'after_discharge'::text;
    END IF;
    IF held.offered IS FALSE THEN
        found_flags := found_flags || 'switched_off'::text;
    END IF;
    INSERT INTO check_ins (patient_id, id, instrument, instrument_version, answers, complete, total, safety, flags,
        occurred_at, told_at, sent_at, received_at, version)
    VALUES (patient, client_id, instrument_key, version_number, answered, is_complete, sum_of_items, is_safety,
        found_flags, given_at, phone_told_at, phone_sent_at, at, stamp)
    ON CONFLICT ON CONSTRAINT pk_check_ins DO NOTHING;
    added := FOUND;
    flags := to_json(found_flags);
    language := held.language;
    task_over_total := held.task_over_total;
    RETURN NEXT;
END $$
"""


def upgrade() -> None:
    _check_ins()
    _switches()
    _settings()
    op.execute(KEEP)
    op.execute("REVOKE ALL ON FUNCTION keep_check_in FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION keep_check_in TO continuum_app")


def downgrade() -> None:
    op.execute("DROP FUNCTION keep_check_in")
    for table in ("instrument_settings", "check_in_schedules", "check_in_switches", "check_ins"):
        op.drop_table(table)


def _check_ins() -> None:
    op.create_table(
        "check_ins",
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("instrument_version", sa.Text(), nullable=False),
        sa.Column("answers", JSONB(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("total", sa.Integer()),
        sa.Column("safety", sa.Boolean(), nullable=False),
        sa.Column("flags", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("occurred_at", INSTANT, nullable=False),
        sa.Column("told_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("reviewed_at", INSTANT),
        sa.Column("reviewed_by", sa.Text()),
        sa.Column("reviewed_role", sa.Text()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("patient_id", "id"),
        sa.CheckConstraint("(reviewed_at IS NULL) = (reviewed_by IS NULL)", name="reviewed"),
    )
    op.create_index("ix_check_ins_patient_id_occurred_at", "check_ins", ["patient_id", "occurred_at"])
    protect(
        op, "check_ins", patient="SELECT, INSERT", worker="SELECT",
        clinic="SELECT, UPDATE (reviewed_at, reviewed_by, reviewed_role, version)",
    )  # fmt: skip


def _switches() -> None:
    op.create_table(
        "check_in_switches",
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("offered", sa.Boolean(), nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_role", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("patient_id", "instrument"),
    )
    protect(op, "check_in_switches", patient="SELECT", clinic="SELECT, INSERT, UPDATE", worker="SELECT")


def _settings() -> None:
    op.create_table(
        "check_in_schedules",
        sa.Column("program_slug", sa.Text(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("every_days", sa.Integer(), nullable=False),
        sa.Column("opens_local", sa.Time(), nullable=False),
        sa.Column("overdue_after_hours", sa.Integer(), nullable=False),
        sa.Column("closes_after_hours", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("program_slug", "instrument"),
        sa.CheckConstraint("every_days BETWEEN 1 AND 366", name="every_days"),
        sa.CheckConstraint(
            "0 < overdue_after_hours AND overdue_after_hours <= closes_after_hours"
            " AND closes_after_hours <= 24 * every_days",
            name="hours",
        ),
    )
    op.create_table(
        "instrument_settings",
        sa.Column("instrument", sa.Text(), primary_key=True),
        sa.Column("task_over_total", sa.Integer()),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
    )
    grant(op, "check_in_schedules", patient="SELECT", clinic="SELECT, INSERT, UPDATE, DELETE", worker="SELECT")
    grant(op, "instrument_settings", patient="SELECT", clinic="SELECT, INSERT, UPDATE", worker="SELECT")
    # What is due changes with the schedules, and answers say so by the catalogue's version.
    op.execute(
        "CREATE TRIGGER raise_catalogue_version AFTER INSERT OR UPDATE OR DELETE ON check_in_schedules "
        "FOR EACH STATEMENT EXECUTE FUNCTION raise_catalogue_version()"
    )
    op.execute(DEFAULTS)

"""Enrollments, at most one at a time for a patient, and the facts recorded about them, which only grow."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.security import protect

revision = "0007_enrollments"
down_revision = "0006_staff"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _enrollments()
    _events()


def downgrade() -> None:
    op.drop_table("enrollment_events")
    op.drop_table("enrollments")
    op.execute("DROP TYPE uuidrange")


def _enrollments() -> None:
    op.create_table(
        "enrollments",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("program_slug", sa.Text(), sa.ForeignKey("programs.slug"), nullable=False),
        sa.Column("status", sa.Text(), server_default="active", nullable=False),
        sa.Column("status_since", INSTANT, nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT),
        sa.Column("focus", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("stepped_from_id", sa.Uuid(), sa.ForeignKey("enrollments.id")),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status IN ('active', 'paused', 'ended', 'entered_in_error')", name="status"),
        sa.CheckConstraint("focus <@ ARRAY['substance_use', 'mental_health'] AND cardinality(focus) > 0", name="focus"),
        sa.CheckConstraint("ended_at >= starts_at", name="ended_at"),
        sa.CheckConstraint(
            "(status IN ('active', 'paused')) = (ended_at IS NULL) OR status = 'entered_in_error'", name="ended"
        ),
    )
    op.create_index("ix_enrollments_patient_id_starts_at", "enrollments", ["patient_id", "starts_at"])
    # A range type of our own stands in for the btree_gist extension, which managed servers may not offer.
    op.execute("CREATE TYPE uuidrange AS RANGE (subtype = uuid)")
    op.execute(
        "ALTER TABLE enrollments ADD CONSTRAINT ex_enrollments_one_at_a_time EXCLUDE USING gist "
        "(uuidrange(patient_id, patient_id, '[]') WITH &&, tstzrange(starts_at, ended_at) WITH &&) "
        "WHERE (status <> 'entered_in_error')"
    )
    protect(op, "enrollments", patient="SELECT", clinic="SELECT, INSERT, UPDATE", worker="SELECT")


def _events() -> None:
    op.create_table(
        "enrollment_events",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("enrollment_id", sa.Uuid(), sa.ForeignKey("enrollments.id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("effective_at", INSTANT, nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("corrects_id", sa.Uuid(), sa.ForeignKey("enrollment_events.id"), unique=True),
        sa.Column("changes", JSONB(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('started', 'paused', 'resumed', 'ended', 'corrected')", name="kind"),
        sa.CheckConstraint("(kind = 'corrected') = (corrects_id IS NOT NULL)", name="corrects_id"),
    )
    op.create_index("ix_enrollment_events_patient_id", "enrollment_events", ["patient_id"])
    op.create_index("ix_enrollment_events_enrollment_id", "enrollment_events", ["enrollment_id"])
    # Reasons are the clinic's: the patient's role may not read that column at all.
    protect(
        op, "enrollment_events",
        patient="SELECT (id, patient_id, enrollment_id, kind, effective_at, recorded_at, corrects_id)",
        clinic="SELECT, INSERT", worker="SELECT",
    )  # fmt: skip
    op.execute(
        "CREATE TRIGGER only_grows BEFORE UPDATE OR DELETE ON enrollment_events "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )

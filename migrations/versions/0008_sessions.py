"""Series, their members and sessions; places in sessions, with what patients said and the clinic recorded."""

import sqlalchemy as sa
from alembic import op

from migrations.security import protect

revision = "0008_sessions"
down_revision = "0007_enrollments"

KINDS = "kind IN ('group', 'individual')"
MODALITIES = "modality IN ('in_person', 'telehealth', 'hybrid')"
REPLIES = "reply IN ('attending', 'not_attending')"
MARKS = "mark IN ('present', 'absent', 'excused')"

# A patient sees a session only through a place of their own in it. The policy of the places knows whose they are: said
# again here, it would be asked twice for every session.
OWN_SESSION = "EXISTS (SELECT 1 FROM attendances a WHERE a.session_id = care_sessions.id AND a.status = 'booked')"

# What the patient says and what the clinic says are different columns, and neither may write the other's.
PATIENT_WRITES = "reply, reply_reason, reply_starts_at, replied_at, arrived_at, version"
WORKER_WRITES = "starts_at, ends_at, status, version"
CLINIC_WRITES = f"{WORKER_WRITES}, mark, minutes, marked_at"


def upgrade() -> None:
    _create_series()
    _create_sessions()
    _create_attendances()
    _create_facts()
    protect(op, "session_series", clinic="SELECT, INSERT, UPDATE", worker="SELECT, UPDATE (made_until)")
    protect(op, "series_members", clinic="SELECT, INSERT, UPDATE", worker="SELECT, INSERT, UPDATE (left_at, ended_by)")
    protect(
        op, "care_sessions", own=OWN_SESSION,
        patient="SELECT", clinic="SELECT, INSERT, UPDATE", worker="SELECT, INSERT, UPDATE",
    )  # fmt: skip
    protect(
        op, "attendances",
        patient=f"SELECT, UPDATE ({PATIENT_WRITES})",
        clinic=f"SELECT, INSERT (patient_id, session_id, {WORKER_WRITES}), UPDATE ({CLINIC_WRITES})",
        worker=f"SELECT, INSERT (patient_id, session_id, {WORKER_WRITES}), UPDATE ({WORKER_WRITES})",
    )  # fmt: skip
    protect(op, "session_replies", patient="SELECT, INSERT", clinic="SELECT")
    protect(op, "session_arrivals", patient="SELECT, INSERT", clinic="SELECT")
    protect(op, "attendance_marks", clinic="SELECT, INSERT")


def _details() -> list[sa.Column]:
    """What a series hands down to its sessions."""
    return [
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_es", sa.Text()),
        sa.Column("modality", sa.Text(), nullable=False),
        sa.Column("facilitator", sa.Text()),
        sa.Column("location_id", sa.Uuid(), sa.ForeignKey("locations.id")),
        sa.Column("room", sa.Text()),
        sa.Column("program_slug", sa.Text(), sa.ForeignKey("programs.slug")),
        sa.Column("time_zone", sa.Text(), nullable=False),
    ]


def _create_series() -> None:
    op.create_table(
        "session_series",
        sa.Column("id", sa.Uuid(), primary_key=True),
        *_details(),
        sa.Column("first_starts_local", sa.DateTime(timezone=False), nullable=False),
        sa.Column("duration_minutes", sa.Integer(), nullable=False),
        sa.Column("rrule", sa.Text(), nullable=False),
        sa.Column("made_until", sa.DateTime(timezone=True)),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(KINDS, name="kind"),
        sa.CheckConstraint(MODALITIES, name="modality"),
        sa.CheckConstraint("duration_minutes BETWEEN 5 AND 720", name="duration_minutes"),
    )
    op.create_index("ix_session_series_made_until", "session_series", ["made_until"])
    op.create_table(
        "series_members",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("series_id", sa.Uuid(), sa.ForeignKey("session_series.id"), nullable=False),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True)),
        sa.Column("ended_by", sa.Uuid(), sa.ForeignKey("enrollments.id")),
        sa.CheckConstraint("left_at >= joined_at", name="left_at"),
    )
    op.create_index("ix_series_members_series_id", "series_members", ["series_id"])
    op.create_index("ix_series_members_patient_id", "series_members", ["patient_id"])
    op.create_index("ix_series_members_ended_by", "series_members", ["ended_by"])
    op.create_index(
        "uq_series_members_current",
        "series_members",
        ["series_id", "patient_id"],
        unique=True,
        postgresql_where=sa.text("left_at IS NULL"),
    )


def _create_sessions() -> None:
    op.create_table(
        "care_sessions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("series_id", sa.Uuid(), sa.ForeignKey("session_series.id")),
        sa.Column("occurs_on", sa.Date()),
        *_details(),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("exception", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("series_id", "occurs_on"),
        sa.CheckConstraint(KINDS, name="kind"),
        sa.CheckConstraint(MODALITIES, name="modality"),
        sa.CheckConstraint("status IN ('scheduled', 'cancelled')", name="status"),
        sa.CheckConstraint("ends_at > starts_at", name="ends_at"),
    )
    op.create_index("ix_care_sessions_starts_at", "care_sessions", ["starts_at", "id"])


def _create_attendances() -> None:
    op.create_table(
        "attendances",
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), primary_key=True),
        sa.Column("session_id", sa.Uuid(), sa.ForeignKey("care_sessions.id"), primary_key=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text()),
        sa.Column("reply_reason", sa.Text()),
        sa.Column("reply_starts_at", sa.DateTime(timezone=True)),
        sa.Column("replied_at", sa.DateTime(timezone=True)),
        sa.Column("arrived_at", sa.DateTime(timezone=True)),
        sa.Column("mark", sa.Text()),
        sa.Column("minutes", sa.Integer()),
        sa.Column("marked_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("status IN ('booked', 'released')", name="status"),
        sa.CheckConstraint(REPLIES, name="reply"),
        sa.CheckConstraint(MARKS, name="mark"),
        sa.CheckConstraint("num_nulls(reply, reply_starts_at, replied_at) IN (0, 3)", name="reply_whole"),
        sa.CheckConstraint("num_nulls(mark, marked_at) IN (0, 2)", name="mark_whole"),
        sa.CheckConstraint("(mark = 'present') = (minutes IS NOT NULL) OR mark IS NULL", name="minutes_of_presence"),
        sa.CheckConstraint("minutes BETWEEN 0 AND 720", name="minutes"),
    )
    op.create_index("ix_attendances_patient_id_starts_at", "attendances", ["patient_id", "starts_at", "session_id"])
    op.create_index("ix_attendances_session_id", "attendances", ["session_id"])


def _of_place() -> sa.ForeignKeyConstraint:
    columns = ["patient_id", "session_id"]
    return sa.ForeignKeyConstraint(columns, [f"attendances.{column}" for column in columns])


def _create_facts() -> None:
    op.create_table(
        "session_replies",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        _of_place(),
        sa.CheckConstraint(REPLIES, name="reply"),
    )
    op.create_index("ix_session_replies_patient_id", "session_replies", ["patient_id", "session_id"])
    op.create_table(
        "session_arrivals",
        sa.Column("patient_id", sa.Uuid(), primary_key=True),
        sa.Column("session_id", sa.Uuid(), primary_key=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("placement", sa.Text(), primary_key=True),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True)),
        sa.Column("sent_at", sa.DateTime(timezone=True)),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        _of_place(),
        sa.UniqueConstraint("patient_id", "session_id", "device_id"),
        sa.CheckConstraint("placement IN ('in_window', 'outside_window')", name="placement"),
    )
    op.create_table(
        "attendance_marks",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer()),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("acting_user", sa.Text(), nullable=False),
        sa.Column("acting_role", sa.Text(), nullable=False),
        _of_place(),
        sa.CheckConstraint(MARKS, name="mark"),
    )
    op.create_index("ix_attendance_marks_patient_id", "attendance_marks", ["patient_id", "session_id"])


def downgrade() -> None:
    for table in ("attendance_marks", "session_arrivals", "session_replies"):
        op.drop_table(table)
    # The policy of sessions reads the places.
    op.execute("DROP POLICY patient ON care_sessions")
    for table in ("attendances", "care_sessions", "series_members", "session_series"):
        op.drop_table(table)

"""Safety alerts with their hits and notices, and tasks.

A patient's own transaction opens alerts and tasks, so the patient's role may write them; it reads only the
columns that finding the open one takes, and never what staff wrote into them. It can neither close nor put off
what is open: an open alert is joined by writing its `patient_id` over itself, which the policy lets be no other.
"""

import sqlalchemy as sa
from alembic import op

from migrations.security import protect

revision = "0006_staff"
down_revision = "0004_access"

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _alerts()
    _hits()
    _notices()
    _tasks()


def downgrade() -> None:
    for table in ("tasks", "alert_notices", "alert_hits", "alerts"):
        op.drop_table(table)


def _alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("next_notice_at", INSTANT, nullable=False),
        sa.Column("notices_sent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("leased_until", INSTANT),
        sa.Column("acknowledged_at", INSTANT),
        sa.Column("acknowledged_by", sa.Text()),
        sa.Column("acknowledged_role", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.CheckConstraint("status IN ('open', 'acknowledged')", name="status"),
        sa.CheckConstraint("(status = 'acknowledged') = (acknowledged_at IS NOT NULL)", name="acknowledged"),
    )
    op.create_index("ix_alerts_patient_id", "alerts", ["patient_id"])
    op.create_index("ix_alerts_opened_at", "alerts", ["opened_at", "id"])
    is_open = sa.text("status = 'open'")
    op.create_index("uq_alerts_open", "alerts", ["patient_id"], unique=True, postgresql_where=is_open)
    op.create_index("ix_alerts_next_notice_at", "alerts", ["next_notice_at"], postgresql_where=is_open)
    protect(
        op, "alerts",
        patient="SELECT (id, patient_id, status), INSERT (id, patient_id, opened_at, next_notice_at),"
        " UPDATE (patient_id)",
        clinic="SELECT, UPDATE", worker="SELECT, UPDATE",
    )  # fmt: skip


def _hits() -> None:
    op.create_table(
        "alert_hits",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("alert_id", sa.Uuid(), sa.ForeignKey("alerts.id"), nullable=False),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("instrument", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("report_id", sa.Uuid()),
        sa.Column("circumstances", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("occurred_at", INSTANT),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.UniqueConstraint("patient_id", "source", "item", "answer", "alert_id"),
    )
    op.create_index("ix_alert_hits_alert_id", "alert_hits", ["alert_id"])
    protect(
        op, "alert_hits",
        patient="SELECT (alert_id, patient_id, source, item, answer, report_id), INSERT (id, alert_id, patient_id,"
        " source, instrument, item, answer, report_id, circumstances, occurred_at, received_at)",
        clinic="SELECT",
    )  # fmt: skip


def _notices() -> None:
    op.create_table(
        "alert_notices",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("alert_id", sa.Uuid(), sa.ForeignKey("alerts.id"), nullable=False),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("contact", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.Column("deadline_at", INSTANT, nullable=False),
        sa.UniqueConstraint("alert_id", "number"),
        sa.CheckConstraint("outcome IN ('accepted', 'failed')", name="outcome"),
    )
    op.create_index("ix_alert_notices_patient_id", "alert_notices", ["patient_id"])
    protect(op, "alert_notices", clinic="SELECT", worker="SELECT, INSERT")


def _tasks() -> None:
    op.create_table(
        "tasks",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="open", nullable=False),
        sa.Column("subject_id", sa.Uuid()),
        sa.Column("times", sa.Integer(), server_default="1", nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("claimed_at", INSTANT),
        sa.Column("claimed_by", sa.Text()),
        sa.Column("claimed_role", sa.Text()),
        sa.Column("closed_at", INSTANT),
        sa.Column("closed_by", sa.Text()),
        sa.Column("closed_role", sa.Text()),
        sa.Column("outcome", sa.Text()),
        sa.CheckConstraint(
            "cause IN ('outreach', 'request_to_move', 'score_to_look_at', 'undeliverable_messages',"
            " 'overdue_referral')",
            name="cause",
        ),
        sa.CheckConstraint("status IN ('open', 'claimed', 'completed', 'cause_gone')", name="status"),
    )
    op.create_index("ix_tasks_patient_id", "tasks", ["patient_id"])
    op.create_index("ix_tasks_opened_at", "tasks", ["opened_at", "id"])
    is_open = sa.text("status IN ('open', 'claimed')")
    op.create_index("uq_tasks_open", "tasks", ["patient_id", "cause"], unique=True, postgresql_where=is_open)
    protect(
        op, "tasks",
        patient="SELECT (patient_id, cause, status, subject_id, times),"
        " INSERT (id, patient_id, cause, subject_id, opened_at), UPDATE (subject_id, times)",
        clinic="SELECT, INSERT, UPDATE", worker="SELECT, INSERT, UPDATE",
    )  # fmt: skip

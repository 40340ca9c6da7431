"""What became of a consent is final: a revocation, or an end, is never undone or rewritten. So it is with what a
patient asks not to be told, which patients may take back from now on, and which is a cause of tasks.

The patient's own role writes revocations, and might otherwise clear one that stands (42 CFR 2.31(a)(6), (c)). A trigger
of the owner's holds for every role, the owner's included: whoever was taken at their word signs anew, or asks anew.
That the clinic agreed is not the patient's to say: their role makes a request, and takes it back, and nothing else.

When the treatment that a consent names was first on record, the gate learns from a view, as it does of its end.
"""

import sqlalchemy as sa
from alembic import op

from migrations.security import KINDS, OWN_PATIENT

revision = "0028_revocations"
down_revision = "0027_reports"

# Once the first of them is set, none of them changes.
FINAL = {
    "revocation": ("revoked_at", "revoked_how", "revocation_taken_by", "revocation_taken_role"),
    "end": ("ended_at", "ended_reason", "ended_by", "ended_role"),
}
CAUSES_BEFORE = "'outreach', 'request_to_move', 'score_to_look_at', 'undeliverable_messages', 'overdue_referral'"
STATUSES_BEFORE = "'requested', 'agreed', 'declined', 'ended'"
STEPS = "('requested', 'agreed'), ('requested', 'declined'), ('agreed', 'ended')"
TAKING_BACK = "('requested', 'withdrawn'), ('agreed', 'withdrawn')"
ANSWER = ("answered_at", "answer", "answered_by", "answered_role")
PATIENT = KINDS["patient"]
READ_BY = ("gate", "patient", "clinic")
OWN = f"patient_id = {OWN_PATIENT}"
OWN_WISH = f"{OWN} AND status IN ('requested', 'withdrawn')"
CLOSES_BEFORE = "cause = 'request_to_move'"
CLOSES = "cause IN ('request_to_move', 'restriction_asked')"
# Every fact on record about a placement that was not over when the consent was signed.
TREATMENT_BEGINS = f"""
CREATE VIEW treatment_begins WITH (security_barrier) AS
SELECT c.id AS consent_id, v.recorded_at
FROM consents c
JOIN enrollments e ON e.patient_id = c.patient_id AND e.status <> 'entered_in_error'
JOIN enrollment_events v ON v.enrollment_id = e.id
WHERE c.expires_on_event = 'end_of_treatment'
  AND (c.patient_id = {OWN_PATIENT} OR current_user IN ('{KINDS["gate"]}', '{KINDS["clinic"]}'))
  AND NOT (e.status = 'ended' AND EXISTS (
      SELECT FROM enrollment_events o
      WHERE o.enrollment_id = e.id AND o.kind = 'ended' AND o.recorded_at < c.signed_at))
"""
REFUSE_UNDOING = """
CREATE FUNCTION refuse_undoing() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'what was decided stays decided' USING ERRCODE = 'restrict_violation'; END $$
"""


def upgrade() -> None:
    op.execute(REFUSE_UNDOING)
    for name, columns in FINAL.items():
        _refuse("consents", f"{name}_is_final", f"OLD.{columns[0]} IS NOT NULL AND {_differ(columns)}")
    op.execute(TREATMENT_BEGINS)
    op.execute(f"GRANT SELECT ON treatment_begins TO {', '.join(KINDS[kind] for kind in READ_BY)}")
    _taking_back()
    _causes(f"{CAUSES_BEFORE}, 'restriction_asked'")
    _closing(CLOSES)


def downgrade() -> None:
    _closing(CLOSES_BEFORE)
    op.execute("DELETE FROM tasks WHERE cause = 'restriction_asked'")
    _causes(CAUSES_BEFORE)
    _no_taking_back()
    op.execute("DROP VIEW treatment_begins")
    for name in FINAL:
        op.execute(f"DROP TRIGGER {name}_is_final ON consents")
    op.execute("DROP FUNCTION refuse_undoing()")


def _taking_back() -> None:
    op.add_column("restrictions", sa.Column("withdrawn_at", sa.DateTime(timezone=True)))
    op.create_check_constraint("withdrawn", "restrictions", "(status = 'withdrawn') = (withdrawn_at IS NOT NULL)")
    _statuses(f"{STATUSES_BEFORE}, 'withdrawn'")
    step = "OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN"
    _refuse("restrictions", "steps_go_onward", f"{step} ({STEPS}, {TAKING_BACK})")
    _refuse("restrictions", "answer_is_final", f"OLD.status <> 'requested' AND {_differ(ANSWER)}")
    op.execute(f"ALTER POLICY patient ON restrictions WITH CHECK ({OWN_WISH})")
    op.execute(f"GRANT UPDATE (status, withdrawn_at, version) ON restrictions TO {PATIENT}")


def _no_taking_back() -> None:
    """A request that was taken back while it waited cannot be kept; one that was agreed to ends."""
    op.execute(f"REVOKE UPDATE (status, withdrawn_at, version) ON restrictions FROM {PATIENT}")
    op.execute(f"ALTER POLICY patient ON restrictions WITH CHECK ({OWN})")
    for name in ("steps_go_onward", "answer_is_final"):
        op.execute(f"DROP TRIGGER {name} ON restrictions")
    op.drop_constraint("ck_restrictions_withdrawn", "restrictions")
    op.execute("DELETE FROM restrictions WHERE status = 'withdrawn' AND answered_at IS NULL")
    op.execute("UPDATE restrictions SET status = 'ended', ended_at = withdrawn_at WHERE status = 'withdrawn'")
    _statuses(STATUSES_BEFORE)
    op.drop_column("restrictions", "withdrawn_at")


def _statuses(words: str) -> None:
    op.drop_constraint("ck_restrictions_status", "restrictions")
    op.create_check_constraint("status", "restrictions", f"status IN ({words})")


def _closing(which: str) -> None:
    """The tasks that a patient's own act may close."""
    check = f"{OWN} AND (status IN ('open', 'claimed') OR (status = 'cause_gone' AND {which}))"
    op.execute(f"ALTER POLICY patient ON tasks WITH CHECK ({check})")


def _causes(words: str) -> None:
    op.drop_constraint("ck_tasks_cause", "tasks")
    op.create_check_constraint("cause", "tasks", f"cause IN ({words})")


def _refuse(table: str, name: str, when: str) -> None:
    op.execute(
        f"CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION refuse_undoing()"
    )


def _differ(columns: tuple[str, ...]) -> str:
    before, after = (", ".join(f"{when}.{column}" for column in columns) for when in ("OLD", "NEW"))
    return f"({before}) IS DISTINCT FROM ({after})"

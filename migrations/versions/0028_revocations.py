"""What became of a consent is final: a revocation, or an end, is never undone or rewritten. And what a patient asks not
to be told is a cause of tasks.

The patient's own role writes revocations, and might otherwise clear one that stands (42 CFR 2.31(a)(6), (c)). A trigger
of the owner's holds for every role, the owner's included: whoever was taken at their word signs anew.
"""

from alembic import op

revision = "0028_revocations"
down_revision = "0027_reports"

# Once the first of them is set, none of them changes.
FINAL = {
    "revocation": ("revoked_at", "revoked_how", "revocation_taken_by", "revocation_taken_role"),
    "end": ("ended_at", "ended_reason", "ended_by", "ended_role"),
}
CAUSES_BEFORE = "'outreach', 'request_to_move', 'score_to_look_at', 'undeliverable_messages', 'overdue_referral'"
REFUSE_UNDOING = """
CREATE FUNCTION refuse_undoing() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'what was decided stays decided' USING ERRCODE = 'restrict_violation'; END $$
"""


def upgrade() -> None:
    op.execute(REFUSE_UNDOING)
    for name, columns in FINAL.items():
        _refuse("consents", f"{name}_is_final", f"OLD.{columns[0]} IS NOT NULL AND {_differ(columns)}")
    _causes(f"{CAUSES_BEFORE}, 'restriction_asked'")


def downgrade() -> None:
    op.execute("DELETE FROM tasks WHERE cause = 'restriction_asked'")
    _causes(CAUSES_BEFORE)
    for name in FINAL:
        op.execute(f"DROP TRIGGER {name}_is_final ON consents")
    op.execute("DROP FUNCTION refuse_undoing()")


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

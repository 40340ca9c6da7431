"""How a restriction came to its end is never rewritten: neither that the clinic ended it, nor that its patient took it
back.

Before, a status went onward alone and an answer stood: when, by whom and why it had ended could still be changed.
"""

from alembic import op

revision = "0031_final_restrictions"
down_revision = "0030_referrals_alike"

# Once the first of them is set, none of them changes.
FINAL = {"end": ("ended_at", "ended_by", "ended_role", "end_reason"), "taking_back": ("withdrawn_at",)}


def upgrade() -> None:
    for name, columns in FINAL.items():
        before, after = (", ".join(f"{when}.{column}" for column in columns) for when in ("OLD", "NEW"))
        changed = f"OLD.{columns[0]} IS NOT NULL AND ({before}) IS DISTINCT FROM ({after})"
        op.execute(
            f"CREATE TRIGGER {name}_is_final BEFORE UPDATE ON restrictions FOR EACH ROW WHEN ({changed})"
            " EXECUTE FUNCTION refuse_undoing()"
        )


def downgrade() -> None:
    for name in FINAL:
        op.execute(f"DROP TRIGGER {name}_is_final ON restrictions")

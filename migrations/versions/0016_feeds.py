"""Private calendar feeds, when a session was last put elsewhere, and an index of who is in care now."""

import sqlalchemy as sa
from alembic import op

from migrations.security import protect

revision = "0016_feeds"
down_revision = "0015_attending"

INSTANT = sa.DateTime(timezone=True)
OPEN = "ix_enrollments_open"
# A calendar app has no caller to name: it presents a hash, and is told of the one feed that has it. A function of the
# owner rather than the holder's role, so that finding the feed and reading as its patient are one statement.
FEED = """
CREATE FUNCTION calendar_feed_of(presented bytea) RETURNS TABLE (patient_id uuid, titles text, salt bytea)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT feed.patient_id, feed.titles, feed.salt FROM calendar_feeds feed WHERE feed.secret_hash = presented
$$
"""
# Calendars order what they read of an event by its revision and by when that came about.
NOTED = """
CREATE FUNCTION note_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.revised_at := now();
    RETURN NEW;
END $$
"""
REVISED = """
CREATE TRIGGER revised BEFORE UPDATE OF revision ON care_sessions
FOR EACH ROW WHEN (NEW.revision IS DISTINCT FROM OLD.revision) EXECUTE FUNCTION note_revision()
"""


def upgrade() -> None:
    op.create_table(
        "calendar_feeds",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("patient_id", sa.Uuid(), sa.ForeignKey("patients.id"), nullable=False, index=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("titles", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False, unique=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("titles IN ('neutral', 'labels')", name="titles"),
    )
    protect(op, "calendar_feeds", patient="SELECT, INSERT, DELETE")
    op.execute(FEED)
    op.execute("REVOKE ALL ON FUNCTION calendar_feed_of FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION calendar_feed_of TO continuum_app")
    op.add_column("care_sessions", sa.Column("revised_at", INSTANT, server_default=sa.func.now(), nullable=False))
    op.execute(NOTED)
    op.execute(REVISED)
    with op.get_context().autocommit_block():
        op.create_index(
            OPEN,
            "enrollments",
            ["patient_id"],
            postgresql_where=sa.text("ended_at IS NULL"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(OPEN, "enrollments", postgresql_concurrently=True)
    op.execute("DROP TRIGGER revised ON care_sessions")
    op.execute("DROP FUNCTION note_revision")
    op.drop_column("care_sessions", "revised_at")
    op.execute("DROP FUNCTION calendar_feed_of")
    op.drop_table("calendar_feeds")

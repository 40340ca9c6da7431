"""A job that may run at once has no time to wait for: procrastinate writes a further event for each that has one."""

from alembic import op

revision = "0032_jobs_at_once"
down_revision = "0031_final_restrictions"

ENQUEUE = """
CREATE OR REPLACE FUNCTION jobs.enqueue(task text, args jsonb, delay interval, once text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = jobs, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM jsonb_each_text(args)
        WHERE value IS NULL OR value !~ '^[0-9a-f]{{8}}-([0-9a-f]{{4}}-){{3}}[0-9a-f]{{12}}$'
    ) THEN
        RAISE check_violation USING MESSAGE = 'A job''s arguments are opaque ids.';
    END IF;
    INSERT INTO procrastinate_jobs (queue_name, task_name, args, scheduled_at, queueing_lock)
    VALUES ('default', task, args, {scheduled_at}, once)
    ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING;
END
$$
"""


def upgrade() -> None:
    op.execute(ENQUEUE.format(scheduled_at="CASE WHEN delay > interval '0' THEN now() + delay END"))


def downgrade() -> None:
    op.execute(ENQUEUE.format(scheduled_at="now() + delay"))

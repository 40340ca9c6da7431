"""The queue: procrastinate's tables in a schema of their own, the ticks' turns and the workers' heartbeats.

Callers put a job in through `jobs.enqueue` and see nothing of the queue; only the worker's role reads it. The SQL of
procrastinate is a copy of its release: a newer release brings a migration with what changed.
"""

from pathlib import Path

from alembic import op

revision = "0011_queue"
down_revision = "0010_check_ins"

PROCRASTINATE = Path(__file__).parents[1] / "sql" / "procrastinate-3.10.0.sql"
CALLERS = "continuum_app, continuum_clinic, continuum_partner, continuum_holder, continuum_gate"

OURS = """
CREATE TABLE jobs.ticks (
    name text CONSTRAINT pk_ticks PRIMARY KEY,
    begun_at timestamptz NOT NULL,
    succeeded_at timestamptz
);
COMMENT ON TABLE jobs.ticks IS 'Whose turn it is: a tick begins at most once an interval, whichever worker begins it.';

CREATE TABLE jobs.heartbeats (
    worker_id uuid CONSTRAINT pk_heartbeats PRIMARY KEY,
    beat_at timestamptz NOT NULL
);
COMMENT ON TABLE jobs.heartbeats IS 'Workers that are alive; readiness asks for the youngest.';

CREATE FUNCTION jobs.enqueue(task text, args jsonb, delay interval, once text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = jobs, pg_temp AS $$
BEGIN
    IF EXISTS (
        SELECT FROM jsonb_each_text(args)
        WHERE value IS NULL OR value !~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$'
    ) THEN
        RAISE check_violation USING MESSAGE = 'A job''s arguments are opaque ids.';
    END IF;
    INSERT INTO procrastinate_jobs (queue_name, task_name, args, scheduled_at, queueing_lock)
    VALUES ('default', task, args, now() + delay, once)
    ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING;
END
$$;
"""

# They name no schema; whoever touches a job, by hand too, is to reach this one.
AT_HOME = """
DO $$
DECLARE
    function regprocedure;
BEGIN
    FOR function IN SELECT oid FROM pg_proc WHERE pronamespace = 'jobs'::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = jobs, pg_temp', function);
    END LOOP;
END
$$;
"""

RIGHTS = f"""
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA jobs FROM PUBLIC;
GRANT USAGE ON SCHEMA jobs TO continuum_worker, {CALLERS};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jobs TO continuum_worker;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA jobs TO continuum_worker;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA jobs TO continuum_worker;
GRANT EXECUTE ON FUNCTION jobs.enqueue(text, jsonb, interval, text) TO {CALLERS};
GRANT SELECT ON jobs.heartbeats TO continuum_app;
"""


def upgrade() -> None:
    op.execute("CREATE SCHEMA jobs")
    op.execute("SET LOCAL search_path = jobs")
    op.execute(PROCRASTINATE.read_text())
    op.execute("SET LOCAL search_path TO DEFAULT")
    op.execute(OURS)
    op.execute(AT_HOME)
    op.execute(RIGHTS)


def downgrade() -> None:
    op.execute("DROP SCHEMA jobs CASCADE")

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from uuid import UUID

import procrastinate
import psycopg
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from api import db, postgres, queue, worker
from tests.run.clones import ROOT, wait_until

THING = UUID("0190a000-0000-7000-8000-000000000001")
TAKEN = "UPDATE jobs.procrastinate_jobs SET status = 'doing', worker_id = NULL"
OTHER = UUID("0190a000-0000-7000-8000-000000000002")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with postgres.running(tmp_path_factory.mktemp("queue"), durable=False) as cluster:
        postgres.prepare(cluster, "queue")
        migrate(cluster, "upgrade")
        yield cluster


@pytest.fixture
def queues(cluster, monkeypatch):
    monkeypatch.setattr(db, "_engine", None)
    monkeypatch.setattr(queue, "ticks", {})
    monkeypatch.setattr(queue, "jobs", {})
    monkeypatch.setattr(queue, "stops", [])
    engine = db.open_engine(cluster.url("continuum_app", "queue"), pool=12, statement_timeout_ms=5000)
    yield engine
    engine.dispose()
    tables = "jobs.procrastinate_jobs, jobs.procrastinate_workers, jobs.ticks, jobs.heartbeats"
    ask(cluster, f"TRUNCATE {tables} CASCADE", user="continuum_owner")


def migrate(cluster, direction):
    engine = sa.create_engine(cluster.url("continuum_owner", "queue"))
    with engine.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        getattr(import_module("migrations.versions.0011_queue"), direction)()
    engine.dispose()


def ask(cluster, query, user="postgres"):
    with psycopg.connect(cluster.dsn(user, "queue")) as connection:
        found = connection.execute(query)
        return found.fetchall() if found.description else None


def url(cluster):
    return cluster.url("continuum_app", "queue")


def jobs(cluster):
    return ask(cluster, "SELECT task_name, status::text, attempts FROM jobs.procrastinate_jobs ORDER BY id")


def put(*names, **ids):
    with db.transaction(db.PUBLIC):
        for name in names:
            queue.enqueue(name, **ids)


class Running:
    """A worker in this process."""

    def __init__(self, cluster):
        self.worker = worker.Worker(url(cluster))
        self.thread = threading.Thread(target=self.worker.run)

    def __enter__(self):
        self.thread.start()
        return self.worker

    def __exit__(self, *_):
        self.worker.stop()
        self.thread.join(60)
        assert not self.thread.is_alive()


def test_the_copied_sql_is_that_of_the_installed_release():
    release = Path(procrastinate.__file__).parent / "sql" / "schema.sql"
    copied = ROOT / "migrations" / "sql" / f"procrastinate-{procrastinate.__version__}.sql"
    assert copied.read_text() == release.read_text()


def test_the_migration_goes_down_and_up_again(cluster, queues):
    queues.dispose()
    migrate(cluster, "downgrade")
    assert ask(cluster, "SELECT to_regnamespace('jobs')") == [(None,)]
    migrate(cluster, "upgrade")


def test_a_job_runs_once_its_transaction_commits(cluster, queues):
    ran = []
    queue.job("mail")(lambda **ids: ran.append(ids))
    with pytest.raises(RuntimeError), db.transaction(db.PUBLIC):
        queue.enqueue("mail", message_id=OTHER)
        raise RuntimeError
    put("mail", message_id=THING)
    worker.drain(url(cluster))
    assert (ran, jobs(cluster)) == ([{"message_id": THING}], [])


def test_a_delayed_job_waits(cluster, queues):
    queue.job("mail")(lambda **ids: None)
    with db.transaction(db.PUBLIC):
        queue.enqueue("mail", delay=timedelta(hours=1))
    worker.drain(url(cluster))
    assert jobs(cluster) == [("mail", "todo", 0)]


def test_a_job_asked_for_twice_under_one_id_waits_once(cluster, queues):
    queue.job("mail")(lambda **ids: None)
    with db.transaction(db.PUBLIC):
        for thing in (THING, THING, OTHER):
            queue.enqueue("mail", once=thing, message_id=thing)
    assert len(jobs(cluster)) == 2


def test_a_job_that_fails_is_tried_again_and_then_stays_failed(cluster, queues):
    queue.job("mail", attempts=2)(lambda **ids: 1 / 0)
    put("mail")
    for _ in range(3):
        worker.drain(url(cluster))
        ask(cluster, "UPDATE jobs.procrastinate_jobs SET scheduled_at = now() WHERE status = 'todo'")
    assert jobs(cluster) == [("mail", "failed", 2)]


def test_a_failure_keeps_its_words_to_itself(cluster, queues, capfd, caplog):
    def fail(**_):
        raise ValueError("Dana Example")

    queue.job("mail", attempts=1)(fail)
    put("mail")
    worker.drain(url(cluster))
    out, err = capfd.readouterr()
    assert "Dana" not in out + err + caplog.text
    assert jobs(cluster) == [("mail", "failed", 1)]


def test_only_ids_are_arguments(cluster, queues):
    with pytest.raises(psycopg.errors.CheckViolation, match="opaque ids"):
        ask(cluster, """SELECT jobs.enqueue('mail', '{"name": "Dana"}', '0', NULL)""", user="continuum_app")


@pytest.mark.parametrize("table", ["procrastinate_jobs", "procrastinate_events", "ticks"])
def test_who_may_put_a_job_in_cannot_read_the_queue(cluster, table):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(cluster, f"SELECT FROM jobs.{table}", user="continuum_app")


def test_who_may_put_a_job_in_can_call_nothing_else(cluster):
    callable_ = """
        SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'jobs' AND has_function_privilege('continuum_app', p.oid, 'EXECUTE')"""
    assert ask(cluster, callable_) == [("enqueue",)]


def test_a_name_has_one_function():
    queue.job("twice")(print)
    queue.job("twice")(print)
    with pytest.raises(ValueError, match="twice"):
        queue.job("twice")(len)
    del queue.jobs["twice"]


def test_a_turn_is_taken_once_an_interval(queues):
    tick = queue.Tick("reminders", 60, lambda: None)
    assert [queue.begin(tick), queue.begin(tick)] == [True, False]


def test_a_tick_with_more_to_do_is_called_again_at_once(queues):
    left = [True, True, False]
    worker.Turns(queue.Tick("reminders", 60, lambda: left.pop(0)), threading.Event()).take()
    assert left == []


def test_what_jobs_left_to_threads_is_finished_when_the_worker_stops(cluster, queues):
    finished = threading.Event()
    queue.at_stop(lambda: 1 / 0)
    queue.at_stop(finished.set)
    with Running(cluster):
        assert not finished.is_set()
    assert finished.is_set()


def test_ticks_and_jobs_run_and_a_heartbeat_is_seen(cluster, queues):
    ticked, ran = threading.Event(), threading.Event()
    queue.every(0.1, "ticking")(ticked.set)
    queue.job("mail")(lambda **_: ran.set())
    with Running(cluster):
        assert ticked.wait(60)
        put("mail")
        assert ran.wait(60)
        with db.transaction(db.PUBLIC):
            seconds = queue.quiet_seconds()
            assert seconds is not None and seconds < 10
    with db.transaction(db.PUBLIC):
        assert queue.quiet_seconds() is None


def test_a_tick_that_fails_comes_round_again(cluster, queues):
    calls = []

    def tick():
        calls.append(1)
        raise ValueError

    queue.every(0.05, "failing")(tick)
    with Running(cluster):
        wait_until(lambda: len(calls) > 2)


def test_a_worker_outlives_the_restart_of_its_database(cluster, queues):
    calls, ran = [], threading.Event()
    queue.every(0.1, "ticking")(lambda: calls.append(1))
    queue.job("mail")(lambda **_: ran.set())
    with Running(cluster):
        wait_until(lambda: calls)
        cluster.restart("immediate")
        before = len(calls)
        wait_until(lambda: len(calls) > before)
        put("mail")
        assert ran.wait(60)


def test_the_job_of_a_killed_worker_is_done_by_another(cluster, queues):
    ran = []
    queue.job("mail")(lambda **ids: ran.append(ids))
    put("mail", message_id=THING)
    ask(cluster, TAKEN)
    worker.drain(url(cluster))
    assert ran == []
    worker.retry_stalled()
    worker.drain(url(cluster))
    assert ran == [{"message_id": THING}]


def test_a_job_that_kills_its_workers_is_given_up(cluster, queues):
    queue.job("mail")(lambda **ids: None)
    put("mail")
    for _ in range(worker.MOST_DEATHS + 1):
        ask(cluster, f"{TAKEN} WHERE status = 'todo'")
        worker.retry_stalled()
    assert [status for _, status, _ in jobs(cluster)] == ["failed"]


def test_a_killed_job_that_was_asked_for_again_gives_way(cluster, queues):
    queue.job("mail")(lambda **ids: None)
    for _ in range(2):
        with db.transaction(db.PUBLIC):
            queue.enqueue("mail", once=THING)
        ask(
            cluster,
            f"{TAKEN} WHERE id = (SELECT min(id) FROM jobs.procrastinate_jobs)",
        )
    worker.retry_stalled()
    assert [status for _, status, _ in jobs(cluster)] == ["failed", "todo"]


def test_failed_jobs_leave_after_thirty_days(cluster, queues):
    queue.job("mail")(lambda **ids: None)
    put("mail", "mail")
    ask(cluster, "UPDATE jobs.procrastinate_jobs SET status = 'failed'")
    ask(
        cluster,
        "UPDATE jobs.procrastinate_events SET at = now() - interval '31 days'"
        " WHERE job_id = (SELECT min(id) FROM jobs.procrastinate_jobs)",
    )
    worker.delete_old()
    assert len(jobs(cluster)) == 1


def test_told_to_stop_it_finishes_what_it_has_in_hand(cluster, queues, tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from api import db, queue, worker\n"
        "mark = Path(sys.argv[2])\n"
        "def slow(): mark.write_text('begun'); time.sleep(0.5); mark.write_text('done')\n"
        "queue.every(60, 'slow')(slow)\n"
        "db.open_engine(sys.argv[1], pool=12, statement_timeout_ms=5000)\n"
        "sys.exit(worker.main(sys.argv[1]))"
    )
    mark = tmp_path / "mark"
    command = [sys.executable, "-c", script, url(cluster), mark]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until(lambda: mark.exists() and mark.read_text() == "begun")
            process.send_signal(signal.SIGTERM)
            assert (process.wait(60), mark.read_text()) == (0, "done")
        finally:
            process.kill()

"""Jobs wake senders: one for each endpoint at a time, none kept waiting by another, and nothing lost by a kill."""

import os
import signal
import subprocess
import sys
import threading
from datetime import timedelta
from uuid import uuid4

import pytest

from api import db, queue, worker
from api.webhooks import attempts, claims, settling, worker_senders
from api.webhooks import worker as webhooks
from api.webhooks.attempts import Outcome
from tests.run.clones import ROOT, wait_until

# Those of the house that the tests run in.
SECRETS = {
    "CURSOR_SECRET": "0123456789abcdef" * 2,
    "ACCESS_SECRET": "fedcba9876543210" * 2,
    "ENCRYPTION_KEYS": "k1:" + "0123456789abcdef" * 4,
}
DONE = "SELECT count(*) FROM webhook_deliveries WHERE state = 'delivered' AND NOT challenge"
GIVEN_UP = "SELECT count(*) FROM webhook_deliveries WHERE last_problem IS NOT NULL AND NOT challenge"
WAITING = """
SELECT args ->> 'endpoint_id' FROM jobs.procrastinate_jobs
WHERE status = 'todo' AND coalesce(scheduled_at <= now(), true)
"""


def take(endpoint, lease):
    with db.transaction(db.WORKER):
        return claims.take(endpoint_id=endpoint.id, lease=lease)


def test_an_endpoint_is_one_senders_until_its_lease_runs_out(endpoint, announce, owner_sql):
    announce()
    first, second = uuid4(), uuid4()
    assert take(endpoint, first) and take(endpoint, second) == []
    owner_sql("UPDATE webhook_endpoints SET busy_until = now() - interval '1 second'")
    assert take(endpoint, second) and take(endpoint, first) == []


def test_a_sender_whose_lease_ran_out_still_tells_what_it_delivered_and_stops(endpoint, announce, owner_sql):
    announce()
    first, second = uuid4(), uuid4()
    (task,) = take(endpoint, first)
    owner_sql("UPDATE webhook_endpoints SET busy_until = now() - interval '1 second'")
    take(endpoint, second)
    with db.transaction(db.WORKER):
        assert settling.settle([(task, Outcome(True, 204))], lease=first) == []
    assert owner_sql(DONE) == [(1,)]


def test_of_many_jobs_for_one_endpoint_one_sends_them_all_in_order(receiver, endpoint, announce, work):
    ids = [str(announce()) for _ in range(20)]
    threads = [threading.Thread(target=webhooks.run, args=(endpoint.id,)) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    webhooks.senders.wait()
    assert [one.headers["webhook-id"] for one in receiver.of("referral.received")] == ids
    assert receiver.most_at_once == 1


def test_deliveries_that_are_taken_together_need_no_job_each(endpoint, announce, owner_sql):
    for _ in range(3):
        announce()
    with db.transaction(db.WORKER):
        queue.enqueue(claims.JOB, delay=timedelta(minutes=1), endpoint_id=endpoint.id)
        queue.enqueue(claims.JOB, endpoint_id=uuid4())
    assert len(take(endpoint, uuid4())) == 3
    left = owner_sql(
        "SELECT args ->> 'endpoint_id', coalesce(scheduled_at > now(), false) FROM jobs.procrastinate_jobs ORDER BY id"
    )
    assert [(of == str(endpoint.id), later) for of, later in left] == [(True, True), (False, False)]


def test_receivers_that_hang_keep_only_themselves_waiting(
    partner, receivers, open_endpoint, announce, settings, owner_sql, monkeypatch
):
    monkeypatch.setattr(attempts, "SECONDS", 50)
    hanging, good = [receivers() for _ in range(6)], receivers()
    open_endpoint(partner, good.url, event_types=["referral.updated"])
    for one in hanging:
        open_endpoint(partner, one.url)
        one.hangs.set()
    announce()
    worker.drain(settings.database_url)
    wait_until(lambda: all(one.of("referral.received") for one in hanging))
    announce("referral.updated")
    worker.drain(settings.database_url)
    wait_until(lambda: good.of("referral.updated"))
    assert owner_sql(GIVEN_UP) == [(0,)]
    for one in hanging:
        one.close()
        assert one.most_at_once == 1
    webhooks.senders.wait()


def test_where_all_senders_are_at_work_the_job_comes_again_in_a_moment(
    receiver, endpoint, announce, owner_sql, monkeypatch
):
    busy = worker_senders.Senders(most=1)
    monkeypatch.setattr(webhooks, "senders", busy)
    announce()
    owner_sql("DELETE FROM jobs.procrastinate_jobs")
    receiver.hangs.set()
    assert busy.begin(endpoint.id)
    other = uuid4()
    for _ in range(3):
        webhooks.run(other)
    assert owner_sql("SELECT args ->> 'endpoint_id' FROM jobs.procrastinate_jobs") == [(str(other),)]
    receiver.close()
    busy.wait()


def test_one_partners_hanging_receivers_hold_no_more_than_a_share_of_the_senders(
    partner, other_partner, receivers, open_endpoint, announce, owner_sql, monkeypatch
):
    few = worker_senders.Senders(most=3, share=2)
    theirs, good = [receivers() for _ in range(3)], receivers()
    hanging = [open_endpoint(partner, one.url) for one in theirs]
    sound = open_endpoint(other_partner, good.url)
    for one in theirs:
        one.hangs.set()
    announce()
    announce(client_id=other_partner.id)
    monkeypatch.setattr(webhooks, "senders", few)
    assert [few.begin(one.id) for one in hanging] == [True, True, False]
    assert few.begin(sound.id)
    wait_until(lambda: good.of("referral.received"))
    for one in theirs:
        one.close()
    few.wait()
    assert few.begin(hanging[2].id)
    few.wait()
    assert few._of_client == {}


def test_told_to_stop_a_sender_finishes_what_it_has_in_hand_and_leaves_a_job(receiver, endpoint, announce, owner_sql):
    stopping = worker_senders.Senders()
    for _ in range(3):
        announce()
    owner_sql("DELETE FROM jobs.procrastinate_jobs")
    receiver.hangs.set()
    stopping.begin(endpoint.id)
    wait_until(lambda: receiver.of("referral.received"))
    told = threading.Thread(target=stopping.stop)
    told.start()
    receiver._let_go.set()
    told.join(60)
    assert len(receiver.of("referral.received")) == 1 and owner_sql(DONE) == [(1,)]
    assert owner_sql("SELECT busy_by FROM webhook_endpoints") == [(None,)]
    assert owner_sql(WAITING) == [(str(endpoint.id),)] and stopping.begin(endpoint.id) is False


def test_what_no_job_speaks_for_is_found(receiver, endpoint, announce, work, owner_sql):
    announce()
    owner_sql("DELETE FROM jobs.procrastinate_jobs")
    webhooks.sweep()
    assert owner_sql(WAITING) == []  # its own job may be about to begin
    owner_sql("UPDATE webhook_deliveries SET next_attempt_at = now() - interval '6 seconds' WHERE state = 'pending'")
    for held in ("busy_until", "not_before"):
        owner_sql(f"UPDATE webhook_endpoints SET {held} = now() + interval '1 minute'")
        webhooks.sweep()
        assert owner_sql(WAITING) == []
        owner_sql(f"UPDATE webhook_endpoints SET {held} = NULL")
    webhooks.sweep()
    webhooks.sweep()
    assert owner_sql(WAITING) == [(str(endpoint.id),)]
    work()
    assert len(receiver.of("referral.received")) == 1


def test_a_defect_while_sending_is_logged_by_its_kind_and_loses_nothing(
    receiver, endpoint, announce, work, owner_sql, monkeypatch, capfd
):
    def broken(task):
        raise RuntimeError("Dana Example")

    announce()
    with monkeypatch.context() as patched:
        patched.setattr(worker_senders, "attempt", broken)
        work()
    said = "".join(capfd.readouterr())
    assert "webhook sender failed" in said and "Dana" not in said
    owner_sql("UPDATE webhook_endpoints SET busy_until = now()")
    owner_sql("UPDATE webhook_deliveries SET next_attempt_at = now() - interval '6 seconds' WHERE state = 'pending'")
    webhooks.sweep()
    work()
    assert owner_sql(DONE) == [(1,)]


class Process:
    """A worker of the house, as a deployment starts it."""

    def __init__(self, settings, receiver, log):
        env = {
            **os.environ,
            **SECRETS,
            "CONTINUUM_ENV": "development",
            "DATABASE_URL": settings.database_url,
            "TOKEN_KEYS_FILE": str(settings.token_keys_file),
            "DUTY_CONTACTS": "duty-1",
            "WEBHOOK_LOOPBACK": receiver.url,
        }
        command = [sys.executable, "-m", "api.cli", "worker"]
        with log.open("ab") as out:
            self.running = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out)

    def end(self, number):
        self.running.send_signal(number)
        return self.running.wait(40)


@pytest.mark.parametrize("kills", [1])
def test_a_killed_worker_loses_nothing(receiver, endpoint, announce, settings, owner_sql, tmp_path, kills):
    slow = threading.Event()
    take, ids = receiver.take, set()
    receiver.take = lambda sent: (take(sent), slow.wait(0.03))
    for _ in range(kills):
        ids |= {str(announce()) for _ in range(40)}
        process, ((before,),) = Process(settings, receiver, tmp_path / "log"), owner_sql(DONE)
        wait_until(lambda least=before + 10: owner_sql(DONE)[0][0] >= least, 120)
        process.end(signal.SIGKILL)
        owner_sql("UPDATE webhook_endpoints SET busy_until = now()")
    process = Process(settings, receiver, tmp_path / "log")
    try:
        wait_until(lambda: owner_sql(DONE)[0][0] == len(ids), 120)
    finally:
        assert process.end(signal.SIGTERM) == 0
    told = [one.headers["webhook-id"] for one in receiver.of("referral.received")]
    assert set(told) == ids and len(told) <= len(ids) + kills * claims.MOST

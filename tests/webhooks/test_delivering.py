"""What is announced arrives, signed, once it is true; what fails comes again; who is gone is told no more."""

import time
from datetime import timedelta
from uuid import uuid4

import orjson
import psycopg
import pytest
import sqlalchemy as sa
from standardwebhooks import Webhook

from api import audit, db, outward
from api.webhooks import checks, service
from api.webhooks import worker as webhooks
from tests.frame.test_outward import NAME, Host
from tests.webhooks.conftest import NOON


@pytest.fixture
def log(partner, endpoint):
    """The latest delivery in the partner's log."""
    return lambda **query: partner.get(f"{endpoint.path}/deliveries", query_string=query).json["items"][0]


def test_an_event_arrives_signed_and_says_nothing_of_its_subject(receiver, endpoint, announce, work, log):
    subject = uuid4()
    event_id = announce(subject_id=subject, version=4)
    work()
    (sent,) = receiver.of("referral.received")
    assert sent.body == (
        b'{"type":"referral.received","timestamp":"2026-11-24T12:00:00Z","data":{"id":"%s","version":4}}'
        % str(subject).encode()
    )
    assert Webhook(endpoint.secret).verify(sent.body, sent.headers) == sent.said
    assert sent.headers["webhook-id"] == str(event_id) and sent.headers["content-type"] == "application/json"
    told = log()
    assert (told["state"], told["attempts"], told["last_status"], told["event_id"]) == (
        "delivered",
        1,
        204,
        str(event_id),
    )


def test_what_is_rolled_back_is_not_sent(receiver, endpoint, partner, work):
    with pytest.raises(RuntimeError), db.transaction(db.SYSTEM):
        service.announce(
            client_id=partner.id, type="referral.received", subject_id=uuid4(), version=1, occurred_at=NOON
        )
        raise RuntimeError
    work()
    assert receiver.of("referral.received") == []


@pytest.mark.parametrize("kind", ["clinic", "patient", "worker", "public", "partner"])
def test_whoever_makes_it_true_announces_it_and_sees_no_endpoint(receiver, endpoint, partner, announce, work, kind):
    caller = db.Caller(kind=kind, client_id=partner.id if kind == "partner" else None, patient_id=uuid4())
    announce(caller=caller)
    work()
    assert len(receiver.of("referral.received")) == 1
    with db.transaction(caller) as session:
        if kind in ("clinic", "patient", "public"):
            with pytest.raises(sa.exc.ProgrammingError, match="permission denied"):
                session.execute(sa.text("SELECT FROM webhook_endpoints"))


def test_a_partner_announces_to_itself_alone(partner, other_partner, endpoint, announce):
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="to itself alone"):
        announce(caller=db.Caller(kind="partner", client_id=other_partner.id))


def test_an_endpoint_gets_what_it_asked_for(partner, receivers, open_endpoint, announce, work):
    one, other = receivers(), receivers()
    open_endpoint(partner, one.url, event_types=["referral.received"])
    open_endpoint(partner, other.url, event_types=["referral.updated"])
    announce("referral.updated")
    work()
    assert (len(one.of("referral.updated")), len(other.of("referral.updated"))) == (0, 1)


def test_another_partner_gets_nothing(other_partner, receivers, open_endpoint, endpoint, announce, work):
    theirs = receivers()
    open_endpoint(other_partner, theirs.url)
    announce()
    work()
    assert theirs.of("referral.received") == []


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 409, 500])
def test_what_is_no_success_comes_again_under_the_same_id(receiver, endpoint, announce, work, due, log, status):
    receiver.answers = [(status, {"Location": receiver.url})]
    announce()
    work()
    told = log(state="pending")
    assert (told["last_status"], told["attempts"], len(receiver.of("referral.received"))) == (status, 1, 1)
    due()
    work()
    first, second = receiver.of("referral.received")
    assert first.headers["webhook-id"] == second.headers["webhook-id"] and log()["state"] == "delivered"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_a_success(receiver, endpoint, announce, work, log, status):
    receiver.answers = [(status, {})]
    announce()
    work()
    assert (log()["state"], log()["last_status"]) == ("delivered", status)


def test_an_attempt_is_signed_with_the_time_it_is_made(receiver, endpoint, announce, work, due, owner_sql):
    receiver.answers = [(500, {})]
    announce()
    work()
    time.sleep(1.1)
    due()
    work()
    first, second = (int(one.headers["webhook-timestamp"]) for one in receiver.of("referral.received"))
    assert first < second <= time.time()


def test_a_receiver_that_asks_for_time_gets_it_with_all_that_waits(receiver, endpoint, announce, work, owner_sql):
    receiver.answers = [(429, {"Retry-After": "600"})]
    for _ in range(3):
        announce()
    work()
    assert len(receiver.of("referral.received")) == 1
    ((held, waits),) = owner_sql(
        "SELECT not_before - now(), max(next_attempt_at) - now() FROM webhook_endpoints, webhook_deliveries"
        " WHERE state = 'pending' GROUP BY not_before"
    )
    assert timedelta(minutes=9) < held <= timedelta(minutes=10) and timedelta(minutes=9) < waits <= timedelta(
        minutes=10
    )


def test_who_is_gone_is_disabled_and_told_no_more(partner, receiver, endpoint, announce, work, due, capfd):
    receiver.answers = [(410, {})]
    for _ in range(2):
        announce()
    work()
    due()
    work()
    assert len(receiver.of("referral.received")) == 1
    said = partner.get(endpoint.path).json
    assert (said["status"], said["disabled_reason"]) == ("disabled", "gone") and said["disabled_at"]
    assert [
        one["state"]
        for one in partner.get(f"{endpoint.path}/deliveries", query_string={"state": "failed"}).json["items"]
    ] == ["failed"] * 2
    line = next(one for one in capfd.readouterr().out.splitlines() if "webhook endpoint disabled" in one)
    assert str(endpoint.id) in line and receiver.url not in line


def test_after_three_days_of_failing_it_is_disabled_and_can_come_back(
    partner, receiver, endpoint, announce, work, due, log
):
    receiver.answers = [(500, {})] * 10
    announce()
    for _ in range(10):
        work()
        due()
    assert len(receiver.of("referral.received")) == 10 and log(state="failed")["attempts"] == 10
    said = partner.get(endpoint.path).json
    assert (said["status"], said["disabled_reason"]) == ("disabled", "failing")
    announce()
    partner.post(f"{endpoint.path}/verification")
    work()
    assert partner.get(endpoint.path).json["status"] == "active" and len(receiver.of("referral.received")) == 10


def test_who_takes_others_is_not_disabled_for_one(partner, receiver, endpoint, announce, work, due, owner_sql):
    receiver.answers = [(500, {})]
    announce()
    work()
    announce()
    work()
    owner_sql("UPDATE webhook_deliveries SET attempts = 9 WHERE state = 'pending'")
    receiver.answers = [(500, {})]
    due()
    work()
    assert partner.get(endpoint.path).json["status"] == "active"
    assert len(partner.get(f"{endpoint.path}/deliveries", query_string={"state": "failed"}).json["items"]) == 1


def test_a_receiver_that_is_not_there_is_a_failure_with_a_reason(receiver, endpoint, announce, work, log):
    receiver._server.server_close()
    receiver._server.shutdown()
    announce()
    work()
    told = log()
    assert (told["last_problem"], told["state"]) == ("connect", "pending") and "last_status" not in told


def test_a_suspended_partner_is_told_nothing_then_or_later(receiver, endpoint, announce, work, due, owner_sql):
    announce()
    owner_sql("UPDATE api_clients SET status = 'suspended'")
    announce()
    work()
    owner_sql("UPDATE api_clients SET status = 'active'")
    due()
    webhooks.sweep()
    work()
    assert receiver.of("referral.received") == []
    assert owner_sql("SELECT state FROM webhook_deliveries WHERE NOT challenge") == [("dropped",)]


def test_both_secrets_sign_while_they_overlap(partner, receiver, endpoint, announce, work, owner_sql):
    new = partner.post(f"{endpoint.path}/secret-rotation", json={}).json["secret"]
    announce()
    work()
    (sent,) = receiver.of("referral.received")
    assert Webhook(endpoint.secret).verify(sent.body, sent.headers) and Webhook(new).verify(sent.body, sent.headers)
    owner_sql("UPDATE webhook_endpoints SET old_secret_until = now() - interval '1 second'")
    announce()
    work()
    assert len(receiver.of("referral.received")[1].headers["webhook-signature"].split()) == 1


class Consent:
    """A check whose answer can be changed; it keeps what it was asked about."""

    def __init__(self):
        self.allows, self.asked = True, []

    def __call__(self, *, client_id, subject_id, version):
        assert db.session().scalar(sa.text("SELECT current_user")) == "continuum_worker"
        self.asked.append((client_id, subject_id, version))
        if isinstance(self.allows, Exception):
            raise self.allows
        return self.allows


@pytest.fixture
def consent(monkeypatch):
    found = Consent()
    monkeypatch.setitem(checks._checks, "consent", found)
    return found


def test_what_needs_a_consent_is_asked_again_at_each_attempt(partner, receiver, endpoint, announce, work, due, consent):
    receiver.answers, subject = [(500, {})], uuid4()
    announce("referral.updated", subject_id=subject, version=7, check="consent")
    work()
    due()
    work()
    assert consent.asked == [(partner.id, subject, 7)] * 2 and len(receiver.of("referral.updated")) == 2


@pytest.mark.parametrize(("allowed", "kept"), [(True, 1), (False, 0)])
def test_what_a_check_writes_down_as_told_stays_only_if_it_is(
    receiver, endpoint, announce, work, monkeypatch, owner_sql, allowed, kept
):
    def check(**_):
        audit.record(db.WORKER, operation="told", action="read")
        return allowed

    monkeypatch.setitem(checks._checks, "consent", check)
    announce("referral.updated", check="consent")
    work()
    assert len(receiver.of("referral.updated")) == kept
    assert owner_sql("SELECT count(*) FROM audit_events WHERE operation = 'told'") == [(kept,)]


def test_without_the_consent_nothing_is_sent_and_the_log_says_nothing(
    partner, receiver, endpoint, announce, work, consent, owner_sql
):
    before = partner.get(f"{endpoint.path}/deliveries").json
    consent.allows = False
    announce("referral.updated", check="consent")
    assert partner.get(f"{endpoint.path}/deliveries").json == before
    work()
    assert receiver.of("referral.updated") == [] and partner.get(f"{endpoint.path}/deliveries").json == before
    ((delivery_id, state),) = owner_sql("SELECT id, state FROM webhook_deliveries WHERE checked")
    assert state == "dropped"
    assert partner.post(f"{endpoint.path}/deliveries/{delivery_id}/redelivery").status_code == 404


def test_a_consent_that_ends_between_two_attempts_ends_them(receiver, endpoint, announce, work, due, consent, log):
    receiver.answers = [(500, {})]
    announce("referral.updated", check="consent")
    work()
    assert log()["state"] == "pending"
    consent.allows = False
    due()
    work()
    assert len(receiver.of("referral.updated")) == 1 and log()["state"] == "dropped"


def test_a_check_that_nobody_answers_is_a_no(receiver, endpoint, announce, work):
    announce("referral.updated", check="unknown")
    work()
    assert receiver.of("referral.updated") == []


def test_a_check_that_fails_waits_and_keeps_nobody_waiting(
    partner, receiver, endpoint, announce, work, due, consent, capfd
):
    consent.allows = RuntimeError("Dana Example")
    before = partner.get(f"{endpoint.path}/deliveries").json
    announce("referral.updated", check="consent")
    work()
    assert partner.get(f"{endpoint.path}/deliveries").json == before
    announce()
    work()
    assert len(receiver.of("referral.received")) == 1 and "Dana" not in "".join(capfd.readouterr())
    consent.allows = True
    due()
    work()
    assert len(receiver.of("referral.updated")) == 1


def test_a_check_that_cannot_say_yet_waits_and_is_no_failure(receiver, endpoint, announce, work, due, consent, capfd):
    consent.allows = checks.NotYet()
    announce("referral.updated", check="consent")
    work()
    assert receiver.of("referral.updated") == [] and "check failed" not in "".join(capfd.readouterr())
    consent.allows = True
    due()
    work()
    assert len(receiver.of("referral.updated")) == 1


def test_old_events_are_forgotten_with_their_deliveries(endpoint, announce, owner_sql):
    announce()
    owner_sql("UPDATE webhook_events SET created_at = now() - interval '31 days' WHERE type = 'referral.received'")
    assert webhooks.forget_old() is False
    assert owner_sql("SELECT type FROM webhook_events") == [("endpoint.verification",)]
    assert owner_sql("SELECT count(*) FROM webhook_deliveries") == [(1,)]


@pytest.fixture
def partners_host(app, tmp_path):
    """A partner's host with TLS, whose name leads to `found` at the moment."""
    host, before = Host(tmp_path), outward.current()
    host.found = ["127.0.0.1"]
    host.script = echo
    outward.use(outward.Outward(loopback=True, ca_file=host.ca_file, allowed_ports=None, resolve=lambda _: host.found))
    yield host
    webhooks.senders.wait()
    host.close()
    outward.use(before)


def echo(peer, asked):
    said = orjson.loads(asked.partition(b"\r\n\r\n")[2])
    body = orjson.dumps({"challenge": said["data"].get("challenge")})
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def test_it_goes_by_tls_to_the_host_that_was_named(partner, partners_host, open_endpoint, announce, work):
    made = open_endpoint(partner, partners_host.url())
    announce()
    work()
    head, _, body = partners_host.asked[1].partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert Webhook(made.secret).verify(body, headers)["type"] == "referral.received"
    assert partners_host.names == [NAME] * 2


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "fd00:ec2::254"])
def test_a_name_that_turns_into_the_house_is_told_nothing(
    partner, partners_host, open_endpoint, announce, work, address
):
    made = open_endpoint(partner, partners_host.url())
    partners_host.found = [address]
    announce()
    work()
    (told, _) = partner.get(f"{made.path}/deliveries").json["items"]
    assert (told["state"], told["last_problem"], len(partners_host.asked)) == ("pending", "address", 1)


def test_a_redirect_into_the_house_is_not_followed(partner, partners_host, open_endpoint, announce, work):
    made = open_endpoint(partner, partners_host.url())
    away = b"HTTP/1.1 307 Away\r\nLocation: https://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    partners_host.script = lambda peer, asked: peer.sendall(away)
    announce()
    work()
    (told, _) = partner.get(f"{made.path}/deliveries").json["items"]
    assert (told["last_status"], len(partners_host.asked)) == (307, 2)


def test_an_endless_answer_is_a_failure(partner, partners_host, open_endpoint, announce, work):
    made = open_endpoint(partner, partners_host.url())
    partners_host.script = lambda peer, asked: peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 70_000)
    announce()
    work()
    (told, _) = partner.get(f"{made.path}/deliveries").json["items"]
    assert (told["last_problem"], told["state"]) == ("too_large", "pending")

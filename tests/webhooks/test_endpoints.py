"""Endpoints are registered by their partner, proven by a challenge, and changed; their secrets are told once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from api import db, safekeeping
from api.webhooks import claims, endpoints, settling
from api.webhooks.attempts import Outcome
from api.webhooks.models import OLD_SECRET, SECRET
from tests.frame.test_outward import HOSTILE_URLS
from tests.webhooks.conftest import NOON, PATH, WANTED


def ask(url, **changed):
    return {"url": url, "event_types": WANTED, "description": "Intake desk", **changed}


def test_a_new_endpoint_is_pending_and_tells_its_secret_once(partner, receiver):
    made = partner.post(PATH, json=ask(receiver.url))
    assert (made.status_code, made.json["status"]) == (201, "pending")
    assert made.json["secret"].startswith("whsec_")
    assert made.headers["Location"] == f"{PATH}/{made.json['id']}"
    read = partner.get(f"{PATH}/{made.json['id']}")
    assert "secret" not in read.json and {**read.json, "secret": made.json["secret"]} == made.json
    assert partner.get(PATH).json == {"items": [read.json]}


def test_the_same_request_is_told_the_secret_again_and_makes_nothing(partner, receiver):
    first, again = (partner.post(PATH, json=ask(receiver.url), key="k-1") for _ in range(2))
    assert again.json == first.json and len(partner.get(PATH).json["items"]) == 1
    partner.post(f"{PATH}/{first.json['id']}/secret-rotation", json={})
    assert "secret" not in partner.post(PATH, json=ask(receiver.url), key="k-1").json


def test_the_secret_lies_sealed(partner, receiver, owner_sql):
    made = partner.post(PATH, json=ask(receiver.url)).json
    ((sealed, row),) = owner_sql("SELECT secret, id FROM webhook_endpoints")
    secret = safekeeping.unseal(sealed, place=SECRET, row=row)
    assert len(secret) == 32 and secret not in sealed and made["secret"].encode() not in sealed
    with pytest.raises(safekeeping.Unopened):
        safekeeping.unseal(sealed, place=OLD_SECRET, row=row)


def test_who_answers_there_must_echo_the_challenge(partner, receiver, work, due):
    receiver.echoes = False
    path = f"{PATH}/{partner.post(PATH, json=ask(receiver.url)).json['id']}"
    work()
    assert partner.get(path).json["status"] == "pending"
    receiver.echoes = True
    due()
    work()
    said = partner.get(path)
    assert said.json["status"] == "active" and said.json["verified_at"] and said.headers["ETag"] == '"2"'
    first, second = receiver.sent
    assert first.said["data"]["challenge"] != second.said["data"]["challenge"]
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


def test_a_challenge_that_nobody_echoes_is_given_up_and_can_be_asked_for_again(partner, receiver, work, due):
    receiver.echoes = False
    path = f"{PATH}/{partner.post(PATH, json=ask(receiver.url)).json['id']}"
    for _ in range(7):
        work()
        due()
    assert len(receiver.sent) == 6
    (log,) = partner.get(f"{path}/deliveries").json["items"]
    assert (log["state"], log["last_status"], log["last_problem"]) == ("failed", 200, "challenge_not_echoed")
    receiver.echoes = True
    assert partner.post(f"{path}/verification").status_code == 202
    work()
    assert partner.get(path).json["status"] == "active"


def test_verifying_an_active_one_changes_nothing(partner, receiver, endpoint, work):
    assert partner.post(f"{endpoint.path}/verification").json["status"] == "active"
    work()
    assert len(receiver.sent) == 1


def test_before_the_challenge_nothing_else_is_sent(partner, receiver, announce, work):
    receiver.echoes = False
    path = f"{PATH}/{partner.post(PATH, json=ask(receiver.url)).json['id']}"
    announce()
    work()
    assert [one.said["type"] for one in receiver.sent] == ["endpoint.verification"]
    for act, body in (
        ("test", {}),
        ("redelivery", {"json": {"since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"}}),
    ):
        said = partner.post(f"{path}/{act}", **body)
        assert (said.status_code, said.json["type"].rsplit("/", 1)[1]) == (409, "webhook-endpoint-not-active")


@pytest.mark.parametrize("url", [url for url, _ in HOSTILE_URLS if "\x00" not in url and len(url) < 2049])
def test_a_hostile_address_is_not_registered(partner, receiver, url):
    said = partner.post(PATH, json=ask(url))
    assert said.status_code == 422 and url.encode() not in said.data
    assert partner.get(PATH).json["items"] == []


def test_only_the_listed_address_of_this_machine_is_told(partner, receiver):
    base = receiver.url.rsplit("/", 1)[0]
    for url in (
        f"{base}/other",
        f"{receiver.url}?a=1",
        receiver.url.replace("127.0.0.1", "localhost"),
        "http://127.0.0.1:1/hooks",
    ):
        assert partner.post(PATH, json=ask(url)).status_code == 422
    assert partner.post(PATH, json=ask(receiver.url)).status_code == 201


def test_a_change_needs_the_version_that_was_read(partner, receiver, endpoint):
    changed = ask(receiver.url, event_types=["referral.updated"])
    assert partner.put(endpoint.path, json=changed).status_code == 428
    assert partner.put(endpoint.path, json=changed, if_match='"1"').status_code == 412
    said = partner.put(endpoint.path, json=changed, if_match=partner.get(endpoint.path).headers["ETag"])
    assert (said.status_code, said.json["status"], said.json["event_types"]) == (200, "active", ["referral.updated"])


def test_another_address_must_prove_itself_first(partner, receivers, endpoint, announce, work):
    second = receivers()
    second.echoes = False
    said = partner.put(endpoint.path, json=ask(second.url), if_match="*")
    assert said.json["status"] == "pending" and "verified_at" not in said.json
    announce()
    work()
    assert {one.said["type"] for one in second.sent} == {"endpoint.verification"}


def test_an_echo_of_the_old_address_does_not_open_the_new_one(partner, receivers, endpoint, superuser, work):
    superuser.execute("UPDATE webhook_endpoints SET status = 'pending'")
    partner.post(f"{endpoint.path}/verification")
    lease, second = uuid4(), receivers()
    with db.transaction(db.WORKER):
        (task,) = claims.take(endpoint_id=endpoint.id, lease=lease)
    second.echoes = False
    partner.put(endpoint.path, json=ask(second.url), if_match="*")
    with db.transaction(db.WORKER):
        settling.settle([(task, Outcome(True, 200))], lease=lease)
    assert partner.get(endpoint.path).json["status"] == "pending"


def test_what_the_old_address_asked_for_does_not_hold_the_new_one(
    partner, receiver, receivers, endpoint, announce, work
):
    receiver.answers, new = [(503, {"Retry-After": "86400"})], receivers()
    announce()
    work()
    assert partner.put(endpoint.path, json=ask(new.url), if_match="*").json["status"] == "pending"
    work()
    assert partner.get(endpoint.path).json["status"] == "active"


def test_what_the_old_address_answers_late_says_nothing_of_the_new_one(
    partner, receivers, endpoint, announce, owner_sql
):
    announce()
    lease = uuid4()
    with db.transaction(db.WORKER):
        (task,) = claims.take(endpoint_id=endpoint.id, lease=lease)
    owner_sql("UPDATE webhook_endpoints SET url = %s", receivers().url)
    with db.transaction(db.WORKER):
        settling.settle([(task, Outcome(False, 410))], lease=lease)
    assert partner.get(endpoint.path).json["status"] == "active"
    held = "SELECT state, next_attempt_at <= now(), not_before FROM webhook_deliveries, webhook_endpoints"
    assert owner_sql(f"{held} WHERE NOT challenge") == [("pending", True, None)]


def test_a_removed_endpoint_is_told_nothing_and_not_there(partner, receiver, endpoint, announce, work):
    announce()
    assert partner.delete(endpoint.path).status_code == 204
    work()
    assert receiver.of("referral.received") == []
    assert partner.get(endpoint.path).status_code == partner.delete(endpoint.path).status_code == 404


def test_there_may_be_ten(partner, receiver, monkeypatch):
    monkeypatch.setattr(endpoints, "MOST", 2)
    said = [partner.post(PATH, json=ask(receiver.url)).status_code for _ in range(3)]
    assert said == [201, 201, 409]


def test_two_requests_at_once_do_not_both_take_the_last_place(partner, other_partner, receiver, monkeypatch):
    """What the other one is doing is waited for; nobody waits for another partner."""
    monkeypatch.setattr(endpoints, "MOST", 1)
    asked = {"url": receiver.url, "event_types": WANTED, "description": None, "key": "k"}
    with ThreadPoolExecutor(2) as threads:
        with db.transaction(db.Caller(kind="partner", client_id=partner.id)):
            endpoints.create(client_id=partner.id, **asked, at=NOON)
            second, others = (
                threads.submit(lambda who=who: who.post(PATH, json=ask(receiver.url)).status_code)
                for who in (partner, other_partner)
            )
            assert others.result(10) == 201
            with pytest.raises(TimeoutError):
                second.result(0.5)
        assert second.result(10) == 409
    assert len(partner.get(PATH).json["items"]) == 1


def test_two_verifications_at_once_do_not_both_take_the_last_challenge(partner, receiver, monkeypatch):
    monkeypatch.setattr(endpoints, "MOST_CHALLENGES", 3)
    first, second = (partner.post(PATH, json=ask(receiver.url)).json["id"] for _ in range(2))
    with ThreadPoolExecutor(1) as threads:
        with db.transaction(db.Caller(kind="partner", client_id=partner.id)):
            endpoints.verify(client_id=partner.id, endpoint_id=UUID(first), at=NOON)
            other = threads.submit(lambda: partner.post(f"{PATH}/{second}/verification").status_code)
            with pytest.raises(TimeoutError):
                other.result(0.5)
        assert other.result(10) == 429


def test_challenges_are_counted_across_endpoints(partner, other_partner, receiver, monkeypatch):
    monkeypatch.setattr(endpoints, "MOST_CHALLENGES", 2)
    for _ in range(2):
        partner.delete(f"{PATH}/{partner.post(PATH, json=ask(receiver.url)).json['id']}")
    assert partner.post(PATH, json=ask(receiver.url)).status_code == 429
    assert other_partner.post(PATH, json=ask(receiver.url)).status_code == 201


@pytest.mark.parametrize(
    ("method", "act"),
    [
        ("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/verification"), ("POST", "/secret-rotation"),
        ("POST", "/test"), ("POST", "/redelivery"), ("GET", "/deliveries"),
    ],
)  # fmt: skip
def test_another_partners_endpoint_is_not_there(other_partner, receiver, endpoint, method, act):
    bodies = {
        "PUT": ask(receiver.url),
        "/secret-rotation": {},
        "/redelivery": {"since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z"},
    }
    sent = {"json": bodies[act or method]} if (act or method) in bodies else {}
    headers = {"If-Match": "*", "Idempotency-Key": "k"}
    theirs, nobodys = (
        other_partner.request(method, f"{PATH}/{one}{act}", headers={**headers, "Idempotency-Key": str(one)}, **sent)
        for one in (endpoint.id, uuid4())
    )
    without = {"instance", "request_id", "trace_id"}
    assert theirs.status_code == nobodys.status_code == 404
    assert {k: v for k, v in theirs.json.items() if k not in without} == {
        k: v for k, v in nobodys.json.items() if k not in without
    }


def test_rotation_tells_a_new_secret_and_keeps_the_old_for_a_day(partner, endpoint, owner_sql):
    said = partner.post(f"{endpoint.path}/secret-rotation", json={}, key="k-2")
    assert said.status_code == 200 and said.json["secret"] not in (endpoint.secret, None)
    assert partner.post(f"{endpoint.path}/secret-rotation", json={}, key="k-2").json == said.json
    ((left,),) = owner_sql("SELECT old_secret_until - now() FROM webhook_endpoints")
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)


def test_a_secret_that_others_have_seen_ends_at_once(partner, endpoint, owner_sql):
    partner.post(f"{endpoint.path}/secret-rotation", json={"overlap_hours": 0})
    assert owner_sql("SELECT old_secret, old_secret_until FROM webhook_endpoints") == [(None, None)]

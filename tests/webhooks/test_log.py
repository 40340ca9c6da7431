"""What an endpoint was sent can be looked at, and sent again: one, or all of a while."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from api import db
from api.webhooks import checks

HOUR = timedelta(hours=1)


def range_of(**changed):
    now = datetime.now(UTC)
    return {"since": (now - HOUR).isoformat(), "until": (now + HOUR).isoformat(), **changed}


def test_the_log_is_paged_the_latest_first(partner, endpoint, announce, work):
    ids = [str(announce()) for _ in range(3)]
    work()
    path = f"{endpoint.path}/deliveries"
    first = partner.get(path, query_string={"page_size": 2}).json
    second = partner.get(path, query_string={"page_size": 2, "page_token": first["next_page_token"]}).json
    told = [one["event_id"] for one in (*first["items"], *second["items"])]
    assert told[:3] == ids[::-1] and len(told) == 4 and "next_page_token" not in second
    assert second["items"][-1]["type"] == "endpoint.verification"
    assert partner.get(path, query_string={"state": "failed"}).json == {"items": []}


def test_one_is_sent_again_under_its_old_id(partner, receiver, endpoint, announce, work):
    event_id = announce()
    work()
    (delivery, _) = partner.get(f"{endpoint.path}/deliveries").json["items"]
    again = partner.post(f"{endpoint.path}/deliveries/{delivery['id']}/redelivery", key="k-1")
    assert (again.status_code, again.json["state"], again.json["attempts"]) == (202, "pending", 0)
    work()
    assert [one.headers["webhook-id"] for one in receiver.of("referral.received")] == [str(event_id)] * 2
    replayed = partner.post(f"{endpoint.path}/deliveries/{delivery['id']}/redelivery", key="k-1")
    work()
    assert replayed.json["state"] == "delivered" and len(receiver.of("referral.received")) == 2


def test_a_delivery_of_another_endpoint_is_not_there(partner, receivers, open_endpoint, endpoint, announce, work):
    other = open_endpoint(partner, receivers().url, event_types=["referral.updated"])
    announce()
    work()
    (delivery, _) = partner.get(f"{endpoint.path}/deliveries").json["items"]
    for delivery_id in (delivery["id"], uuid4()):
        assert partner.post(f"{other.path}/deliveries/{delivery_id}/redelivery").status_code == 404


def test_another_partner_sends_nothing_again(
    other_partner, receivers, open_endpoint, endpoint, partner, announce, work
):
    theirs = open_endpoint(other_partner, receivers().url)
    announce()
    work()
    (delivery, _) = partner.get(f"{endpoint.path}/deliveries").json["items"]
    assert other_partner.post(f"{theirs.path}/deliveries/{delivery['id']}/redelivery").status_code == 404
    assert other_partner.post(f"{theirs.path}/redelivery", json=range_of(include_delivered=True)).status_code == 202
    work()
    assert other_partner.get(f"{theirs.path}/deliveries", query_string={"state": "pending"}).json["items"] == []


def test_a_range_brings_what_did_not_arrive_and_what_was_missed(partner, receiver, endpoint, announce, work, owner_sql):
    arrived, failed = announce(), announce()
    work()
    owner_sql("UPDATE webhook_deliveries SET state = 'failed' WHERE event_id = %s", failed)
    owner_sql("UPDATE webhook_endpoints SET status = 'disabled', disabled_reason = 'failing'")
    missed = announce()
    owner_sql("UPDATE webhook_endpoints SET status = 'active', disabled_reason = NULL")
    receiver.sent.clear()
    answer = partner.post(f"{endpoint.path}/redelivery", json=range_of())
    assert (answer.status_code, answer.json) == (202, partner.get(endpoint.path).json)
    work()
    assert [one.headers["webhook-id"] for one in receiver.sent] == [str(failed), str(missed)]
    partner.post(f"{endpoint.path}/redelivery", json=range_of(include_delivered=True))
    work()
    again = {one.headers["webhook-id"] for one in receiver.sent[2:]}
    assert again == {str(one) for one in (arrived, failed, missed)}


def test_a_range_brings_what_was_wanted_and_lay_in_it(partner, receiver, endpoint, announce, work, owner_sql):
    announce("referral.unwanted")
    announce()
    owner_sql("DELETE FROM webhook_deliveries WHERE NOT challenge")
    owner_sql("UPDATE webhook_events SET created_at = now() - interval '2 hours' WHERE type = 'referral.received'")
    partner.post(f"{endpoint.path}/redelivery", json=range_of())
    work()
    assert len(receiver.sent) == 1


def test_a_range_brings_at_once_what_waits_for_its_next_attempt(partner, receiver, endpoint, announce, work):
    receiver.answers = [(500, {})]
    announce()
    work()
    partner.post(f"{endpoint.path}/redelivery", json=range_of())
    work()
    assert len(receiver.of("referral.received")) == 2
    assert partner.get(f"{endpoint.path}/deliveries").json["items"][0]["state"] == "delivered"


def test_a_range_says_nothing_of_what_may_not_be_told(partner, receiver, endpoint, announce, work, monkeypatch):
    monkeypatch.setitem(checks._checks, "consent", lambda **_: False)
    announce("referral.updated", check="consent")
    work()
    before = partner.get(f"{endpoint.path}/deliveries").json
    partner.post(f"{endpoint.path}/redelivery", json=range_of(include_delivered=True))
    assert partner.get(f"{endpoint.path}/deliveries").json == before
    work()
    assert receiver.of("referral.updated") == [] and partner.get(f"{endpoint.path}/deliveries").json == before


@pytest.mark.parametrize("days", [-1, 0, 31])
def test_a_range_has_a_beginning_an_end_and_thirty_days(partner, endpoint, days):
    since = datetime(2026, 11, 1, tzinfo=UTC)
    asked = {"since": since.isoformat(), "until": (since + timedelta(days=days)).isoformat()}
    said = partner.post(f"{endpoint.path}/redelivery", json=asked)
    assert (said.status_code, said.json["type"].rsplit("/", 1)[1]) == (422, "range-too-long")


def test_a_test_arrives_whatever_was_asked_for(partner, receiver, endpoint, work):
    said = partner.post(f"{endpoint.path}/test", key="k-1")
    assert (said.status_code, said.json["type"], said.json["state"]) == (202, "endpoint.test", "pending")
    work()
    (sent,) = receiver.of("endpoint.test")
    assert sent.said["data"] == {"id": str(endpoint.id), "version": 2}
    assert partner.post(f"{endpoint.path}/test", key="k-1").json["state"] == "delivered"


def test_a_partner_cannot_write_the_log_itself(partner, endpoint, announce):
    for act in (
        "INSERT INTO webhook_events DEFAULT VALUES",
        "DELETE FROM webhook_deliveries",
        "UPDATE webhook_events SET version = 2",
    ):
        with (
            pytest.raises(sa.exc.ProgrammingError, match="permission denied"),
            db.transaction(db.Caller(kind="partner", client_id=partner.id)) as session,
        ):
            session.execute(sa.text(act))
